//! RSA keys that a faulty chip made and that can be factored (CVE-2017-15361, "ROCA"). Knows nothing of other weaknesses.

/// Whether `modulus` has the fingerprint of such a key: modulo every one of many small primes it is a power of 65537.
/// About one good key in a hundred million has it too.
pub(super) fn is_weak(modulus: &[u8]) -> bool {
    PRIMES
        .iter()
        .all(|prime| is_power(remainder(modulus, *prime), *prime))
}

/// Four bytes a step: a proof with such a key is judged on every request.
fn remainder(number: &[u8], prime: u32) -> u32 {
    let prime = u64::from(prime);
    let (odd, whole) = number.as_rchunks::<4>();
    let first = odd
        .iter()
        .fold(0, |rest, byte| rest << 8 | u64::from(*byte));
    let rest = whole.iter().fold(first % prime, |rest, four| {
        (rest << 32 | u64::from(u32::from_be_bytes(*four))) % prime
    });
    u32::try_from(rest).unwrap_or(u32::MAX)
}

fn is_power(wanted: u32, prime: u32) -> bool {
    let next = |power: &u32| Some(power * 65_537 % prime);
    let round = usize::try_from(prime).unwrap_or(usize::MAX);
    std::iter::successors(Some(1), next)
        .take(round)
        .any(|power| power == wanted)
}

/// Those first of which few remainders are powers: nearly every good key is known by one of them.
const PRIMES: [u32; 38] = [
    97, 37, 79, 11, 61, 73, 127, 151, 13, 17, 19, 53, 71, 103, 107, 109, 157, 3, 5, 7, 23, 29, 31,
    41, 43, 47, 59, 67, 83, 89, 101, 113, 131, 137, 139, 149, 163, 167,
];

#[cfg(test)]
mod tests {
    use super::{is_power, is_weak, remainder};

    #[test]
    fn j06_only_a_power_of_65537_modulo_every_prime_is_weak() {
        assert!(is_weak(&[1]));
        assert!(is_weak(&[1, 0, 1]), "65537 itself");
        assert!(!is_weak(&[1, 0, 2]));
        assert!(!is_weak(&[0xb5; 256]));
    }

    #[test]
    fn remainders_and_powers_are_right() {
        assert_eq!(remainder(&[1, 0, 1], 167), 65_537 % 167);
        assert_eq!(remainder(&[0xff; 4], 97), u32::MAX % 97);
        assert_eq!(remainder(&[1, 0, 0, 0, 0], 97), 35, "2^32 modulo 97");
        assert!(is_power(1, 11) && !is_power(0, 11));
    }
}

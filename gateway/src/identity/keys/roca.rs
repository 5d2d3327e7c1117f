//! RSA keys that a faulty chip made and that can be factored (CVE-2017-15361, "ROCA"). Knows nothing of other weaknesses.

/// Whether `modulus` has the fingerprint of such a key: modulo every one of many small primes it is a power of 65537.
/// About one good key in a hundred million has it too.
pub(super) fn is_weak(modulus: &[u8]) -> bool {
    PRIMES
        .iter()
        .all(|prime| is_power(remainder(modulus, *prime), *prime))
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    number
        .iter()
        .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime)
}

fn is_power(wanted: u32, prime: u32) -> bool {
    let next = |power: &u32| Some(power * 65_537 % prime);
    let round = usize::try_from(prime).unwrap_or(usize::MAX);
    std::iter::successors(Some(1), next)
        .take(round)
        .any(|power| power == wanted)
}

const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
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
        assert!(is_power(1, 11) && !is_power(0, 11));
    }
}

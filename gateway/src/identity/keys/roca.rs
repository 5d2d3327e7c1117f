//! RSA keys that a faulty chip made and that can be factored (CVE-2017-15361, "ROCA"). Knows nothing of other weaknesses.

/// Whether `modulus` has the fingerprint of such a key: modulo every one of many small primes it is a power of 65537.
/// About one good key in a hundred million has it too.
pub(super) fn is_weak(modulus: &[u8]) -> bool {
    // A proof with such a key is judged on every request, and one division by a constant serves several primes.
    let rest = remainder(modulus, PRODUCT);
    FIRST.iter().all(|sieve| sieve.lets_pass(rest))
        && OTHERS
            .iter()
            .all(|sieve| sieve.lets_pass(remainder(modulus, sieve.prime)))
}

/// Four bytes a step: `divisor` is below 2^32.
#[inline]
fn remainder(number: &[u8], divisor: u64) -> u64 {
    let (odd, whole) = number.as_rchunks::<4>();
    let first = odd
        .iter()
        .fold(0, |rest, byte| rest << 8 | u64::from(*byte));
    whole.iter().fold(first % divisor, |rest, four| {
        (rest << 32 | u64::from(u32::from_be_bytes(*four))) % divisor
    })
}

/// A prime below 256, and bit by bit which remainders are powers of 65537 modulo it.
struct Sieve {
    prime: u64,
    low: u128,
    high: u128,
}

impl Sieve {
    const fn of(prime: u64) -> Self {
        let (mut low, mut high) = (0, 0);
        let (mut power, mut step) = (1, 0);
        while step < prime {
            if power < 128 {
                low |= 1 << power;
            } else {
                high |= 1 << (power - 128);
            }
            power = power * 65_537 % prime;
            step += 1;
        }
        Self { prime, low, high }
    }

    const fn lets_pass(&self, number: u64) -> bool {
        let rest = number % self.prime;
        let powers = if rest < 128 { self.low } else { self.high };
        powers >> (rest % 128) & 1 == 1
    }
}

/// Those primes of which the fewest remainders are powers: all but two good keys in ten thousand are known by one of
/// them.
static FIRST: [Sieve; 4] = [Sieve::of(97), Sieve::of(37), Sieve::of(79), Sieve::of(11)];

const PRODUCT: u64 = 97 * 37 * 79 * 11;

static OTHERS: [Sieve; 34] = [
    Sieve::of(61),
    Sieve::of(73),
    Sieve::of(127),
    Sieve::of(151),
    Sieve::of(13),
    Sieve::of(17),
    Sieve::of(19),
    Sieve::of(53),
    Sieve::of(71),
    Sieve::of(103),
    Sieve::of(107),
    Sieve::of(109),
    Sieve::of(157),
    Sieve::of(3),
    Sieve::of(5),
    Sieve::of(7),
    Sieve::of(23),
    Sieve::of(29),
    Sieve::of(31),
    Sieve::of(41),
    Sieve::of(43),
    Sieve::of(47),
    Sieve::of(59),
    Sieve::of(67),
    Sieve::of(83),
    Sieve::of(89),
    Sieve::of(101),
    Sieve::of(113),
    Sieve::of(131),
    Sieve::of(137),
    Sieve::of(139),
    Sieve::of(149),
    Sieve::of(163),
    Sieve::of(167),
];

#[cfg(test)]
mod tests {
    use super::{FIRST, OTHERS, PRODUCT, Sieve, is_weak, remainder};

    /// A number that is 65537 modulo every prime but `spoilt`, modulo which it is no power of 65537.
    fn spoilt_at(spoilt: u64) -> Vec<u8> {
        let others = FIRST.iter().chain(&OTHERS).map(|sieve| sieve.prime);
        let mut number = vec![1];
        for prime in others.filter(|prime| *prime != spoilt) {
            number = times(&number, prime, 0);
        }
        let distance = (1..spoilt).find(|count| {
            let rest = (remainder(&number, spoilt) * count + 65_537) % spoilt;
            !Sieve::of(spoilt).lets_pass(rest)
        });
        times(&number, distance.unwrap(), 65_537)
    }

    fn times(number: &[u8], factor: u64, more: u64) -> Vec<u8> {
        let mut carry = more;
        let mut product: Vec<u8> = Vec::new();
        for byte in number.iter().rev() {
            carry += u64::from(*byte) * factor;
            product.push(carry.to_le_bytes()[0]);
            carry >>= 8;
        }
        product.extend(carry.to_le_bytes());
        product.reverse();
        product
    }

    #[test]
    fn j06_only_a_power_of_65537_modulo_every_prime_is_weak() {
        assert!(is_weak(&[1]));
        assert!(is_weak(&[1, 0, 1]), "65537 itself");
        assert!(!is_weak(&[1, 0, 2]));
        assert!(!is_weak(&[0xb5; 256]));
    }

    #[test]
    fn j06_one_prime_is_enough_to_know_a_good_key() {
        for sieve in FIRST.iter().chain(&OTHERS) {
            assert!(!is_weak(&spoilt_at(sieve.prime)), "{}", sieve.prime);
        }
        let all = FIRST.iter().chain(&OTHERS).map(|sieve| sieve.prime);
        let product = all.fold(vec![1], |number, prime| times(&number, prime, 0));
        assert!(is_weak(&times(&product, 1, 65_537)), "a power at every one");
    }

    #[test]
    fn remainders_and_powers_are_right() {
        assert_eq!(remainder(&[1, 0, 1], 167), 65_537 % 167);
        assert_eq!(remainder(&[0xff; 4], 97), u64::from(u32::MAX) % 97);
        assert_eq!(remainder(&[1, 0, 0, 0, 0], 97), 35, "2^32 modulo 97");
        assert_eq!(
            FIRST.iter().map(|sieve| sieve.prime).product::<u64>(),
            PRODUCT
        );
        for sieve in FIRST.iter().chain(&OTHERS) {
            let powers: Vec<u64> =
                std::iter::successors(Some(1), |power| Some(power * 65_537 % sieve.prime))
                    .take(200)
                    .collect();
            for rest in 0..sieve.prime {
                assert_eq!(sieve.lets_pass(rest), powers.contains(&rest));
            }
        }
    }
}

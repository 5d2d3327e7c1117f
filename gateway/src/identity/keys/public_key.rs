//! A public key in the form in which ring takes it. Only verifies: it cannot sign, and there is no symmetric one.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

use crate::identity::settings::SignatureAlgorithm;

/// What a signature can be checked against.
#[derive(Debug)]
pub(in crate::identity) enum PublicKey {
    /// On a curve: an uncompressed point (SEC 1 section 2.3.3), or the 32 bytes of RFC 8032 section 5.1.5.
    Point(Family, Vec<u8>),
    /// Two numbers without leading zeros, the most significant byte first.
    Rsa {
        /// `n`.
        modulus: Vec<u8>,
        /// `e`.
        exponent: Vec<u8>,
    },
}

/// `kty`, and `crv` where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum Family {
    P256,
    P384,
    Ed25519,
    Rsa,
}

/// How a signature is checked.
enum Way {
    Point(Family, &'static dyn VerificationAlgorithm),
    Rsa(&'static RsaParameters),
}

impl PublicKey {
    /// The keys that it is one of.
    pub(super) const fn family(&self) -> Family {
        match self {
            Self::Point(family, _) => *family,
            Self::Rsa { .. } => Family::Rsa,
        }
    }

    /// Whether `signature` is by this key over `message`. A key of another family than that of `algorithm` signed
    /// nothing.
    pub(in crate::identity) fn signed(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let checked = match (self, Way::of(algorithm)) {
            (Self::Point(family, point), Way::Point(wanted, algorithm)) if *family == wanted => {
                UnparsedPublicKey::new(algorithm, point).verify(message, signature)
            }
            (Self::Rsa { modulus, exponent }, Way::Rsa(parameters)) => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(parameters, message, signature),
            (Self::Point(..), Way::Point(..) | Way::Rsa(_))
            | (Self::Rsa { .. }, Way::Point(..)) => {
                return false;
            }
        };
        checked.is_ok()
    }
}

impl Family {
    /// Of the keys that sign so.
    pub(super) const fn of(algorithm: SignatureAlgorithm) -> Self {
        match Way::of(algorithm) {
            Way::Point(family, _) => family,
            Way::Rsa(_) => Self::Rsa,
        }
    }
}

impl Way {
    const fn of(algorithm: SignatureAlgorithm) -> Self {
        match algorithm {
            SignatureAlgorithm::Es256 => Self::Point(Family::P256, &ECDSA_P256_SHA256_FIXED),
            SignatureAlgorithm::Es384 => Self::Point(Family::P384, &ECDSA_P384_SHA384_FIXED),
            SignatureAlgorithm::EdDsa => Self::Point(Family::Ed25519, &ED25519),
            SignatureAlgorithm::Rs256 => Self::Rsa(&RSA_PKCS1_2048_8192_SHA256),
            SignatureAlgorithm::Rs384 => Self::Rsa(&RSA_PKCS1_2048_8192_SHA384),
            SignatureAlgorithm::Rs512 => Self::Rsa(&RSA_PKCS1_2048_8192_SHA512),
            SignatureAlgorithm::Ps256 => Self::Rsa(&RSA_PSS_2048_8192_SHA256),
            SignatureAlgorithm::Ps384 => Self::Rsa(&RSA_PSS_2048_8192_SHA384),
            SignatureAlgorithm::Ps512 => Self::Rsa(&RSA_PSS_2048_8192_SHA512),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    use super::{Family, PublicKey};
    use crate::identity::settings::SignatureAlgorithm;

    #[test]
    fn an_rsa_signature_stands_for_its_message_and_algorithm_alone() {
        let made: Value = serde_json::from_str(include_str!("../tests/rsa.json")).unwrap();
        let text = |name: &str| made[name].as_str().unwrap();
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let key = PublicKey::Rsa {
            modulus: bytes(text("n")),
            exponent: bytes(text("e")),
        };
        let rsa = |algorithm: &SignatureAlgorithm| Family::of(*algorithm) == Family::Rsa;
        let rsa: Vec<_> = SignatureAlgorithm::ALL.into_iter().filter(rsa).collect();
        assert_eq!(rsa.len(), 6);
        for made_by in &rsa {
            let signature = bytes(made["signatures"][made_by.name()].as_str().unwrap());
            assert!(!key.signed(*made_by, b"other.claims", &signature));
            for read in &rsa {
                let stands = key.signed(*read, text("message").as_bytes(), &signature);
                assert_eq!(stands, read == made_by, "{made_by:?} as {read:?}");
            }
        }
    }

    #[test]
    fn j02_a_key_of_another_family_signed_nothing() {
        let point = PublicKey::Point(Family::P256, vec![4; 65]);
        let rsa = PublicKey::Rsa {
            modulus: vec![0xff; 256],
            exponent: vec![1, 0, 1],
        };
        for algorithm in SignatureAlgorithm::ALL {
            assert!(!point.signed(algorithm, b"m", &[0; 64]), "{algorithm:?}");
            assert!(!rsa.signed(algorithm, b"m", &[0; 256]), "{algorithm:?}");
        }
    }
}

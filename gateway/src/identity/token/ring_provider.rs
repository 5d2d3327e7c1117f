//! The one crypto stack: ring, for TLS and for signatures of tokens. Only verifies; it cannot sign.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{
    self as ring_signature, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};
use signature::{Error, Verifier};

/// Makes ring the provider of rustls and of jsonwebtoken for this process. Calling it again changes nothing.
pub fn install_crypto() {
    // Both refuse a second provider; whoever was first has installed this very one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let _ = PROVIDER.install_default();
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| unsupported(),
        rsa_pub_components_from_public_key: |_| unsupported(),
        ec_pub_components_from_private_key: |_, _| unsupported(),
        ed_pub_components_from_private_key: |_, _| unsupported(),
        compute_digest: |_, _| unsupported(),
    },
};

fn unsupported<T>() -> Result<T> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "jsonwebtoken calls it so"
)]
fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    unsupported()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "jsonwebtoken calls it so"
)]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let family = algorithm.family();
    if family == AlgorithmFamily::Hmac || family != key.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(RingVerifier {
        algorithm: *algorithm,
        key: key.clone(),
    }))
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        match self.algorithm {
            Algorithm::ES256 => {
                self.point(&ring_signature::ECDSA_P256_SHA256_FIXED, message, signature)
            }
            Algorithm::ES384 => {
                self.point(&ring_signature::ECDSA_P384_SHA384_FIXED, message, signature)
            }
            Algorithm::EdDSA => self.point(&ring_signature::ED25519, message, signature),
            Algorithm::RS256 => self.rsa(
                &ring_signature::RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            Algorithm::RS384 => self.rsa(
                &ring_signature::RSA_PKCS1_2048_8192_SHA384,
                message,
                signature,
            ),
            Algorithm::RS512 => self.rsa(
                &ring_signature::RSA_PKCS1_2048_8192_SHA512,
                message,
                signature,
            ),
            Algorithm::PS256 => self.rsa(
                &ring_signature::RSA_PSS_2048_8192_SHA256,
                message,
                signature,
            ),
            Algorithm::PS384 => self.rsa(
                &ring_signature::RSA_PSS_2048_8192_SHA384,
                message,
                signature,
            ),
            Algorithm::PS512 => self.rsa(
                &ring_signature::RSA_PSS_2048_8192_SHA512,
                message,
                signature,
            ),
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 | _ => Err(Error::new()),
        }
    }
}

impl RingVerifier {
    fn point(
        &self,
        algorithm: &'static dyn VerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> std::result::Result<(), Error> {
        let key = self.key.try_get_as_bytes().map_err(|_| Error::new())?;
        UnparsedPublicKey::new(algorithm, key)
            .verify(message, signature)
            .map_err(|_| Error::new())
    }

    fn rsa(
        &self,
        parameters: &'static RsaParameters,
        message: &[u8],
        signature: &[u8],
    ) -> std::result::Result<(), Error> {
        let DecodingKeyKind::RsaModulusExponent { n, e } = self.key.kind() else {
            return Err(Error::new());
        };
        RsaPublicKeyComponents { n, e }
            .verify(parameters, message, signature)
            .map_err(|_| Error::new())
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey};
    use serde_json::Value;

    use super::install_crypto;

    const RSA: [Algorithm; 6] = [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
    ];

    fn verifies(key: &DecodingKey, message: &str, signature: &str, algorithm: Algorithm) -> bool {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false)
    }

    #[test]
    fn an_rsa_signature_stands_for_its_message_and_algorithm_alone() {
        install_crypto();
        install_crypto();
        let made: Value = serde_json::from_str(include_str!("../tests/rsa.json")).unwrap();
        let text = |name: &str| made[name].as_str().unwrap();
        let key = DecodingKey::from_rsa_components(text("n"), text("e")).unwrap();
        for signed in RSA {
            let signature = made["signatures"][format!("{signed:?}")].as_str().unwrap();
            assert!(!verifies(&key, "other.claims", signature, signed));
            for read in RSA {
                let stands = verifies(&key, text("message"), signature, read);
                assert_eq!(stands, read == signed, "{signed:?} as {read:?}");
            }
        }
    }

    #[test]
    fn j02_a_mac_or_a_key_of_another_family_is_refused() {
        install_crypto();
        let secret = DecodingKey::from_secret(b"secret");
        assert!(jsonwebtoken::crypto::verify("AAAA", b"m", &secret, Algorithm::HS256).is_err());
        let point = DecodingKey::from_ec_der(&[4; 65]);
        assert!(jsonwebtoken::crypto::verify("AAAA", b"m", &point, Algorithm::RS256).is_err());
        assert!(jsonwebtoken::crypto::verify("AAAA", b"m", &point, Algorithm::EdDSA).is_err());
    }
}

//! Keys that sign tokens and proofs. They never leave the process; RSA keys are made by openssl, because ring makes none.

use std::error::Error;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use serde_json::{Value, json};

type Failure = Box<dyn Error>;

/// The algorithms that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Es256,
    Rs256,
    EdDsa,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 3] = [Self::Es256, Self::Rs256, Self::EdDsa];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(rsa::KeyPair),
    EdDsa(Ed25519KeyPair),
}

/// One key.
pub(crate) struct Key {
    pair: Pair,
    random: SystemRandom,
}

impl Key {
    pub(crate) fn new(algorithm: Algorithm) -> Result<Self, Failure> {
        let random = SystemRandom::new();
        let pair = match algorithm {
            Algorithm::Es256 => {
                let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                    .map_err(|_| "no key could be made")?;
                Pair::Es256(EcdsaKeyPair::from_pkcs8(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    made.as_ref(),
                    &random,
                )?)
            }
            Algorithm::Rs256 => {
                // Some versions of openssl write PKCS #1, others PKCS #8.
                let made = rsa_document()?;
                let pair =
                    rsa::KeyPair::from_pkcs8(&made).or_else(|_| rsa::KeyPair::from_der(&made));
                Pair::Rs256(pair?)
            }
            Algorithm::EdDsa => {
                let made =
                    Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| "no key could be made")?;
                Pair::EdDsa(Ed25519KeyPair::from_pkcs8(made.as_ref())?)
            }
        };
        Ok(Self { pair, random })
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match &self.pair {
            Pair::Es256(_) => Algorithm::Es256,
            Pair::Rs256(_) => Algorithm::Rs256,
            Pair::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    /// The public half (RFC 7517), members in the order of RFC 7638.
    pub(crate) fn jwk(&self) -> Result<Value, Failure> {
        Ok(match &self.pair {
            Pair::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point
                    .strip_prefix(&[4])
                    .and_then(|point| point.split_at_checked(32))
                    .ok_or("a strange point")?;
                json!({"crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y)})
            }
            Pair::Rs256(pair) => {
                let public = rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"e": encode(&public.e), "kty": "RSA", "n": encode(&public.n)})
            }
            Pair::EdDsa(pair) => {
                json!({"crv": "Ed25519", "kty": "OKP", "x": encode(pair.public_key().as_ref())})
            }
        })
    }

    /// RFC 7638: of the members that the key type demands, in order.
    pub(crate) fn thumbprint(&self) -> Result<String, Failure> {
        let canonical = self.jwk()?.to_string();
        let digest = ring::digest::digest(&ring::digest::SHA256, canonical.as_bytes());
        Ok(encode(digest.as_ref()))
    }

    /// A JWT (RFC 7515 section 3.1).
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> Result<String, Failure> {
        let message = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(claims.to_string().as_bytes())
        );
        let signature = self.signature(message.as_bytes())?;
        Ok(format!("{message}.{}", encode(&signature)))
    }

    /// A message as long as that of a token, and its signature.
    pub(crate) fn sample(&self) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let message = vec![b'm'; 600];
        let signature = self.signature(&message)?;
        Ok((message, signature))
    }

    /// The bare check.
    pub(crate) fn is_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.pair {
            Pair::Es256(pair) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key())
                    .verify(message, signature)
                    .is_ok()
            }
            Pair::Rs256(pair) => rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public())
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Pair::EdDsa(pair) => UnparsedPublicKey::new(&ED25519, pair.public_key())
                .verify(message, signature)
                .is_ok(),
        }
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(match &self.pair {
            Pair::Es256(pair) => pair
                .sign(&self.random, message)
                .map_err(|_| "cannot sign")?
                .as_ref()
                .to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &dyn signature::RsaEncoding = &RSA_PKCS1_SHA256;
                pair.sign(padding, &self.random, message, &mut signature)
                    .map_err(|_| "cannot sign")?;
                signature
            }
            Pair::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        })
    }
}

fn rsa_document() -> Result<Vec<u8>, Failure> {
    let made = Command::new("openssl")
        .args([
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
        ])
        .args(["-outform", "DER"])
        .output()?;
    if made.status.success() {
        Ok(made.stdout)
    } else {
        Err("openssl made no key".into())
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

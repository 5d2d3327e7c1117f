//! What the configuration says about issuers and about the tokens one server takes. Checked values only.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::{IssuerUrl, ServerName};

/// A signature algorithm that a token may use. Symmetric ones are never among them (RFC 8725 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// Ed25519.
    EdDsa,
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 9] = [
        Self::Es256,
        Self::Es384,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::EdDsa,
    ];

    /// The name in `alg` (RFC 7518 section 3.1, RFC 8037 section 3.1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm that `alg` names, by exact spelling.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

/// Where an issuer's keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// RFC 8414 metadata, then OIDC discovery, at the issuer's URL.
    Discovery,
    /// A JWK set at this URL.
    Uri(String),
    /// A JWK set in this file.
    File(PathBuf),
}

/// One issuer whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// The name in the configuration and in metrics.
    pub name: String,
    /// Compared byte for byte with `iss`.
    pub url: IssuerUrl,
    /// Where its keys are found.
    pub keys: KeySource,
    /// What its tokens may be signed with.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Accepted `typ` values, compared as media types without `application/` and without case (RFC 9068 section 4).
    pub token_types: Vec<String>,
    /// The path of members that leads to the roles, e.g. `["realm_access", "roles"]`.
    pub roles_claim: Vec<String>,
    /// The claim that names the client; `azp` is the fallback.
    pub client_claim: String,
    /// The claim that names the acting party (RFC 8693 section 4.1).
    pub actor_claim: String,
    /// The claim that names the model, if the issuer sets one.
    pub model_claim: Option<String>,
    /// The longest accepted `exp - iat`.
    pub max_token_lifetime: Duration,
}

/// What one server demands of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// The server.
    pub server: ServerName,
    /// The exact strings of which `aud` must hold one.
    pub accepted: Vec<String>,
    /// The issuers whose tokens this server takes.
    pub issuers: Vec<IssuerUrl>,
    /// The scopes without which nothing at all is allowed.
    pub scopes: Vec<String>,
}

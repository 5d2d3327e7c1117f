//! What the configuration says about issuers and about the tokens one server takes. Checked values only.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use super::principal::PrincipalKind;
use crate::model::{Digest, IssuerUrl, RoleName, Secret, ServerName, UnixTime};

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
    /// How much of RFC 9068 its tokens keep.
    pub profile: Profile,
    /// The clients whose own tokens are those of a service that several share.
    pub service_clients: Vec<String>,
    /// Where its opaque tokens are asked about; absent means that it issues none.
    pub introspection: Option<IntrospectionSettings>,
}

impl IssuerSettings {
    /// An issuer about which nothing more is said: short-lived ES256 tokens of RFC 9068.
    pub fn new(name: &str, url: &str, keys: KeySource) -> Self {
        Self {
            name: name.to_owned(),
            url: IssuerUrl::new(url),
            keys,
            algorithms: vec![SignatureAlgorithm::Es256],
            token_types: vec!["at+jwt".to_owned()],
            roles_claim: vec!["roles".to_owned()],
            client_claim: "client_id".to_owned(),
            actor_claim: "act".to_owned(),
            model_claim: None,
            max_token_lifetime: Duration::from_secs(3600),
            profile: Profile::Strict,
            service_clients: Vec::new(),
            introspection: None,
        }
    }
}

/// How much of RFC 9068 the tokens of an issuer keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// All claims that RFC 9068 section 2.2 demands.
    Strict,
    /// Without `jti` and without a client, for issuers that set neither.
    Lenient,
}

/// How an issuer is asked about opaque tokens (RFC 7662).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntrospectionSettings {
    /// The introspection endpoint.
    pub endpoint: String,
    /// The gateway's own client at the issuer.
    pub client_id: String,
    /// Its secret, sent with HTTP Basic (RFC 6749 section 2.3.1).
    pub client_secret: Secret<String>,
    /// How long an answer is believed at most; a token's `exp` may end it earlier.
    pub cache: Duration,
}

/// What a token must be bound to at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SenderConstraint {
    /// Whatever it says itself: an unbound token is taken, a bound one needs its proof.
    Any,
    /// A key that is proven with DPoP (RFC 9449).
    Dpop,
    /// A client certificate (RFC 8705).
    Mtls,
    /// One of the two.
    DpopOrMtls,
}

impl SenderConstraint {
    /// May a DPoP-bound token be of use?
    pub const fn takes_dpop(self) -> bool {
        match self {
            Self::Any | Self::Dpop | Self::DpopOrMtls => true,
            Self::Mtls => false,
        }
    }
}

/// The API keys that a server takes while its agents move to OAuth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeySettings {
    /// The file with the hashed keys.
    pub keys_file: PathBuf,
    /// The key of the hash.
    pub hash_key: Secret<String>,
    /// The keys that this server takes.
    pub rows: Vec<ApiKeyRow>,
    /// From when on no key is taken any more.
    pub sunset: UnixTime,
    /// The digest of the file with the keys.
    pub digest: Digest,
}

/// One API key, and whom it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// The part of the key that finds its row.
    pub id: String,
    /// HMAC-SHA256 of the whole key.
    pub hash: Digest,
    /// Who it names.
    pub subject: String,
    /// The client it was given to.
    pub client: String,
    /// Its roles.
    pub roles: Vec<RoleName>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// What kind of party it names.
    pub kind: PrincipalKind,
    /// From when on it is not taken any more, if that is before the server's sunset.
    pub sunset: Option<UnixTime>,
    /// The start of the day on which it was made.
    pub created: UnixTime,
}

/// When an issuer's word gives a role: all that is named must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role: RoleName,
    /// The issuer whose tokens it is about.
    pub issuer: IssuerUrl,
    /// Scopes that the token must have.
    pub scopes: Vec<String>,
    /// The client that the token must have been issued to.
    pub client: Option<String>,
    /// The subject of the token.
    pub subject: Option<String>,
}

impl Grant {
    /// Whether a token of its issuer with this subject, client and scopes is given the role.
    pub fn applies(
        &self,
        (subject, client): (&str, Option<&str>),
        scopes: &[impl AsRef<str>],
    ) -> bool {
        let has = |wanted: &String| scopes.iter().any(|held| held.as_ref() == *wanted);
        let is_of = |wanted: &Option<String>, found: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == found
        };
        self.scopes.iter().all(has)
            && is_of(&self.client, client)
            && is_of(&self.subject, Some(subject))
    }
}

/// What DPoP proofs must be like, at all servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DpopSettings {
    /// Whether proofs carry a nonce of the gateway (RFC 9449 section 8).
    pub nonce: NonceMode,
    /// How far `iat` may be from now.
    pub window: Duration,
    /// The secret that replicas make nonces with; absent means one of this process.
    pub nonce_key: Option<Secret<String>>,
}

impl Default for DpopSettings {
    /// No nonces, and five minutes either way, which is what MCP's profile demands (SEP-1932).
    fn default() -> Self {
        Self {
            nonce: NonceMode::Off,
            window: Duration::from_secs(300),
            nonce_key: None,
        }
    }
}

/// Whether proofs carry a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceMode {
    /// None is given out or looked at.
    Off,
    /// One is given out; a proof may come without, but not with another.
    Optional,
    /// A proof without one is refused.
    Required,
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
    /// Whether a token may name other audiences besides.
    pub audiences: AudienceRule,
    /// The resource: the URL that proofs of possession must name.
    pub resource: String,
    /// What its tokens must be bound to.
    pub sender_constraint: SenderConstraint,
    /// The API keys it takes besides tokens.
    pub api_keys: Option<ApiKeySettings>,
    /// Worked out at first use.
    pub fingerprint: Fingerprint,
}

/// A digest that is worked out once. A copy works it out anew, so that it never belongs to other values.
#[derive(Debug, Default)]
pub struct Fingerprint(OnceLock<Digest>);

impl Clone for Fingerprint {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Fingerprint {}

/// Whether a token may be for other servers besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceRule {
    /// RFC 7519 section 4.1.3: it may.
    AmongOthers,
    /// It may not: whoever else gets it could use it here.
    Alone,
}

impl Audience {
    /// A server about which nothing more is said: it takes tokens of these issuers for its own resource.
    pub fn new(server: &str, resource: &str, issuers: Vec<IssuerUrl>) -> Self {
        Self {
            server: ServerName::new(server),
            accepted: vec![resource.to_owned()],
            issuers,
            scopes: Vec::new(),
            audiences: AudienceRule::AmongOthers,
            resource: resource.to_owned(),
            sender_constraint: SenderConstraint::Any,
            api_keys: None,
            fingerprint: Fingerprint::default(),
        }
    }

    /// A digest of everything that a verified token depends on besides itself.
    pub fn fingerprint(&self) -> Digest {
        *self.fingerprint.0.get_or_init(|| self.digest())
    }

    fn digest(&self) -> Digest {
        // What no part can hold keeps the parts from running into each other.
        let mut parts: Vec<&[u8]> = vec![self.server.as_str().as_bytes(), NUL];
        for accepted in &self.accepted {
            parts.extend([accepted.as_bytes(), NUL]);
        }
        parts.push(NUL);
        for issuer in &self.issuers {
            parts.extend([issuer.as_str().as_bytes(), NUL]);
        }
        parts.push(match self.audiences {
            AudienceRule::AmongOthers => NUL,
            AudienceRule::Alone => b"\x01",
        });
        Digest::of_parts(&parts)
    }
}

const NUL: &[u8] = b"\0";

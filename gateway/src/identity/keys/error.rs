//! Why an issuer's keys could not be had. Every such failure leaves the last good keys in place.

use std::path::PathBuf;

use thiserror::Error;

/// Why one attempt to get an issuer's keys failed.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The HTTP client could not be set up: no usable root certificates, for example.
    #[error("the HTTP client cannot be set up")]
    Client {
        /// What was wrong.
        #[source]
        cause: reqwest::Error,
    },
    /// No whole answer came.
    #[error("`{url}` cannot be fetched")]
    Request {
        /// What was asked for.
        url: String,
        /// What was wrong.
        #[source]
        cause: reqwest::Error,
    },
    /// Another status than 200; redirects are not followed.
    #[error("`{url}` answered {status}, expected 200")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// More bytes than any key set needs.
    #[error("`{place}` holds more than {limit} bytes")]
    TooLarge {
        /// The URL or file.
        place: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not one JSON object with every member once.
    #[error("`{place}` is not a strict JSON object")]
    NotJson {
        /// The URL or file.
        place: String,
        /// What was wrong.
        #[source]
        cause: serde_json::Error,
    },
    /// The key set cannot be used.
    #[error("`{place}` is not a usable key set")]
    KeySet {
        /// The URL or file.
        place: String,
        /// What was wrong.
        #[source]
        cause: KeySetError,
    },
    /// RFC 8414 section 3.3: the metadata is about another issuer.
    #[error("`{url}` is the metadata of `{got}`, expected `{expected}`")]
    IssuerMismatch {
        /// Where the metadata was.
        url: String,
        /// The configured issuer.
        expected: String,
        /// The issuer in the metadata.
        got: String,
    },
    /// The metadata does not say where the keys are.
    #[error("`{url}` has no `jwks_uri`")]
    NoKeysUrl {
        /// Where the metadata was.
        url: String,
    },
    /// Keys come over https, or over http from this machine itself.
    #[error("`{url}` is not https")]
    Insecure {
        /// The URL that was not asked.
        url: String,
    },
    /// A document named a host that is not the issuer's own, and it is not one of the open internet.
    #[error("`{url}` is not public: name it as `jwks_uri` if it is right")]
    NotPublic {
        /// The URL that was not asked.
        url: String,
    },
    /// The URL cannot be read, or is not that of an issuer (RFC 8414 section 2).
    #[error("`{url}` is not a URL without query and fragment")]
    BadUrl {
        /// The text.
        url: String,
    },
    /// The file cannot be read.
    #[error("`{path}` cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        cause: std::io::Error,
    },
    /// It took too long.
    #[error("no keys within {seconds} s")]
    Deadline {
        /// The deadline.
        seconds: u64,
    },
    /// The attempt was given up, as when the gateway stops.
    #[error("the attempt was given up")]
    Interrupted,
}

/// Why a key set cannot be used (RFC 7517 section 5).
#[derive(Debug, Error)]
pub enum KeySetError {
    /// Not one JSON object with every member once.
    #[error("not a strict JSON object")]
    NotJson {
        /// What was wrong.
        #[source]
        cause: serde_json::Error,
    },
    /// There is no array `keys`.
    #[error("`keys` is not an array")]
    NoArray,
    /// More keys than any issuer needs.
    #[error("{count} keys, more than {limit}")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// None of the keys can verify a signature. An empty set revokes nothing: it is a fault.
    #[error("none of {count} keys can be used")]
    NoUsable {
        /// How many there are.
        count: usize,
    },
    /// Two keys answer to one name, so that the name decides nothing.
    #[error("two keys are named `{key_id}`")]
    Ambiguous {
        /// Their `kid`.
        key_id: String,
    },
}

//! Fetches an issuer's keys: from where the configuration says, or from where the issuer's metadata says. Never
//! follows a redirect, never asks a URL that a token names, never reads more than a bounded answer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::{Client, ClientBuilder, StatusCode, redirect};
use serde_json::{Map, Value};
use tokio::io::AsyncReadExt;
use url::{Host, Url};

use super::error::KeysError;
use super::public::{PublicNames, SystemNames, may_be_public};
use super::set::KeySet;
use crate::identity::error::shown;
use crate::identity::settings::{IssuerSettings, KeySource};
use crate::identity::token::json;
use crate::model::IssuerUrl;

/// The client for all issuers: ring for TLS, the system's roots, no redirects, no proxy from the environment.
pub fn client() -> Result<Client, KeysError> {
    built(builder())
}

/// A client that connects to public addresses alone, whatever `names` says.
fn outward_client(names: Arc<dyn Resolve>) -> Result<Client, KeysError> {
    built(builder().dns_resolver(Arc::new(PublicNames::among(names))))
}

/// Makes ring the provider of TLS for this process. Calling it again changes nothing.
pub fn install_crypto() {
    // It refuses a second provider; whoever was first has installed this very one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn builder() -> ClientBuilder {
    install_crypto();
    Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(DEADLINE)
        .no_proxy()
        .user_agent(concat!("gatewright/", env!("CARGO_PKG_VERSION")))
}

fn built(builder: ClientBuilder) -> Result<Client, KeysError> {
    builder.build().map_err(|cause| KeysError::Client { cause })
}

/// The keys of the issuer, metadata and all within one deadline.
pub(super) async fn fetch(client: &Client, issuer: &IssuerSettings) -> Result<KeySet, KeysError> {
    tokio::time::timeout(DEADLINE, fetch_unhurried(client, issuer))
        .await
        .unwrap_or(Err(KeysError::Deadline {
            seconds: DEADLINE.as_secs(),
        }))
}

async fn fetch_unhurried(client: &Client, issuer: &IssuerSettings) -> Result<KeySet, KeysError> {
    let (place, bytes) = match &issuer.keys {
        KeySource::File(path) => (path.display().to_string(), read(path).await?),
        KeySource::Uri(url) => (url.clone(), get(client, &local_or_https(url)?).await?),
        KeySource::Discovery => {
            let url = discover(client, &issuer.url).await?;
            let bytes = get_named(client, &issuer.url, &url).await?;
            (url.to_string(), bytes)
        }
    };
    KeySet::parse(&bytes).map_err(|cause| KeysError::KeySet { place, cause })
}

async fn read(path: &Path) -> Result<Vec<u8>, KeysError> {
    let failed = |cause| KeysError::File {
        path: path.to_owned(),
        cause,
    };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .await
        .map_err(failed)?;
    within_limit(bytes, || path.display().to_string())
}

/// What is at a URL that the metadata of `issuer` named. The operator named the host of the issuer; any other one is
/// only a document's word, and must not lead inside (RFC 9728 section 7.7).
async fn get_named(client: &Client, issuer: &IssuerUrl, url: &Url) -> Result<Vec<u8>, KeysError> {
    if local_or_https(issuer.as_str())?.host() == url.host() {
        return get(client, url).await;
    }
    get_outward(url, Arc::new(SystemNames)).await
}

async fn get_outward(url: &Url, names: Arc<dyn Resolve>) -> Result<Vec<u8>, KeysError> {
    if url.scheme() != "https" {
        return Err(KeysError::Insecure {
            url: url.to_string(),
        });
    }
    if !may_be_public(url) {
        return Err(KeysError::NotPublic {
            url: url.to_string(),
        });
    }
    get(&outward_client(names)?, url).await
}

async fn get(client: &Client, url: &Url) -> Result<Vec<u8>, KeysError> {
    let failed = |cause: reqwest::Error| KeysError::Request {
        url: url.to_string(),
        cause: cause.without_url(),
    };
    let mut answer = client
        .get(url.clone())
        .header(http::header::ACCEPT, "application/json")
        .send()
        .await
        .map_err(failed)?;
    if answer.status() != StatusCode::OK {
        return Err(KeysError::Status {
            url: url.to_string(),
            status: answer.status().as_u16(),
        });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        bytes.extend_from_slice(&chunk);
        bytes = within_limit(bytes, || url.to_string())?;
    }
    Ok(bytes)
}

fn within_limit(bytes: Vec<u8>, place: impl FnOnce() -> String) -> Result<Vec<u8>, KeysError> {
    if bytes.len() > MOST_BYTES {
        return Err(KeysError::TooLarge {
            place: place(),
            limit: MOST_BYTES,
        });
    }
    Ok(bytes)
}

/// Asks every place where metadata may be. What is reported when all fail is the first failure, unless one place
/// spoke of another issuer: that is what an operator has to know.
async fn discover(client: &Client, issuer: &IssuerUrl) -> Result<Url, KeysError> {
    let mut failure = None;
    for url in metadata_urls(issuer)? {
        match keys_url(client, issuer, &url).await {
            Ok(keys) => return Ok(keys),
            Err(mismatch @ KeysError::IssuerMismatch { .. }) => failure = Some(mismatch),
            Err(other) => {
                failure.get_or_insert(other);
            }
        }
    }
    Err(failure.unwrap_or_else(|| bad_url(issuer.as_str())))
}

async fn keys_url(client: &Client, issuer: &IssuerUrl, url: &Url) -> Result<Url, KeysError> {
    let bytes = get(client, url).await?;
    let metadata = json::object(&bytes).map_err(|cause| KeysError::NotJson {
        place: url.to_string(),
        cause,
    })?;
    // RFC 8414 section 3.3: identical, so that one issuer cannot speak for another.
    let named = text(&metadata, "issuer").unwrap_or_default();
    if named != issuer.as_str() {
        return Err(KeysError::IssuerMismatch {
            url: url.to_string(),
            expected: issuer.to_string(),
            got: shown(named),
        });
    }
    let keys = text(&metadata, "jwks_uri").ok_or_else(|| KeysError::NoKeysUrl {
        url: url.to_string(),
    })?;
    let keys = local_or_https(keys)?;
    // An issuer elsewhere must not send us to a port of this machine.
    if keys.scheme() != "https" && url.scheme() == "https" {
        return Err(KeysError::Insecure {
            url: keys.to_string(),
        });
    }
    Ok(keys)
}

/// RFC 8414 section 3.1 puts the well-known part before the issuer's path; OpenID Connect Discovery section 4 puts it
/// after. Each place once.
fn metadata_urls(issuer: &IssuerUrl) -> Result<Vec<Url>, KeysError> {
    let base = local_or_https(issuer.as_str())?;
    if base.query().is_some() || base.fragment().is_some() {
        return Err(bad_url(issuer.as_str()));
    }
    let path = base.path().trim_end_matches('/').to_owned();
    let mut paths = vec![
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/openid-configuration{path}"),
    ];
    paths.dedup();
    let at = |path: String| {
        let mut url = base.clone();
        url.set_path(&path);
        url
    };
    Ok(paths.into_iter().map(at).collect())
}

/// Plain http is for an issuer on this very machine, where nobody stands in between.
fn local_or_https(text: &str) -> Result<Url, KeysError> {
    let url = Url::parse(text).map_err(|_| bad_url(text))?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if local => Ok(url),
        _ => Err(KeysError::Insecure {
            url: text.to_owned(),
        }),
    }
}

fn bad_url(text: &str) -> KeysError {
    KeysError::BadUrl {
        url: text.to_owned(),
    }
}

fn text<'m>(metadata: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    metadata.get(name).and_then(Value::as_str)
}

/// For metadata and keys together.
const DEADLINE: Duration = Duration::from_secs(5);
/// For each of the two answers.
const MOST_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use reqwest::dns::{Addrs, Name, Resolve, Resolving};
    use url::Url;

    use super::{KeysError, get_named, get_outward, local_or_https, metadata_urls};
    use crate::model::IssuerUrl;

    fn places(issuer: &str) -> Vec<String> {
        let urls = metadata_urls(&IssuerUrl::new(issuer)).unwrap();
        urls.into_iter().map(String::from).collect()
    }

    #[test]
    fn metadata_is_looked_for_in_every_form_once() {
        assert_eq!(
            places("https://a.example/realms/b"),
            [
                "https://a.example/.well-known/oauth-authorization-server/realms/b",
                "https://a.example/realms/b/.well-known/openid-configuration",
                "https://a.example/.well-known/openid-configuration/realms/b",
            ]
        );
        assert_eq!(
            places("https://a.example/"),
            [
                "https://a.example/.well-known/oauth-authorization-server",
                "https://a.example/.well-known/openid-configuration",
            ]
        );
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for local in [
            "http://127.0.0.1:1/k",
            "http://[::1]/k",
            "http://localhost/k",
            "https://a.example/k",
        ] {
            assert!(local_or_https(local).is_ok(), "{local}");
        }
        for other in [
            "http://a.example/k",
            "http://10.0.0.1/k",
            "http://localhost.a.example/k",
            "file:///etc/passwd",
            "k",
        ] {
            assert!(local_or_https(other).is_err(), "{other}");
        }
    }

    #[test]
    fn an_issuer_with_query_or_fragment_is_refused() {
        assert!(metadata_urls(&IssuerUrl::new("https://a.example/?x")).is_err());
        assert!(metadata_urls(&IssuerUrl::new("https://a.example/#x")).is_err());
    }

    /// A resolver that says where the test listens, and how often it was asked.
    struct Rebound(SocketAddr, AtomicUsize);

    impl Resolve for Rebound {
        fn resolve(&self, _: Name) -> Resolving {
            self.1.fetch_add(1, Ordering::SeqCst);
            let found = std::iter::once(self.0);
            Box::pin(async move { Ok(Box::new(found) as Addrs) })
        }
    }

    #[tokio::test]
    async fn j48_a_name_that_leads_inside_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let names = Arc::new(Rebound(listener.local_addr().unwrap(), AtomicUsize::new(0)));
        let url = Url::parse("https://keys.example/k").unwrap();
        let error = get_outward(&url, names.clone()).await.unwrap_err();
        let mut chain = Vec::new();
        let mut next: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = next {
            chain.push(error.to_string());
            next = error.source();
        }
        assert!(
            chain.iter().any(|line| line.contains("not public")),
            "{chain:?}"
        );
        assert_eq!(names.1.load(Ordering::SeqCst), 1, "resolved once");
        let connected = std::future::poll_fn(|context| {
            std::task::Poll::Ready(listener.poll_accept(context).is_ready())
        });
        assert!(!connected.await, "somebody connected");
    }

    #[tokio::test]
    async fn j48_a_document_cannot_send_us_inside_but_the_operator_can() {
        let client = super::client().unwrap();
        let elsewhere = IssuerUrl::new("https://auth.example");
        for (url, is_insecure) in [
            ("http://127.0.0.1:1/k", true),
            ("https://127.0.0.1:1/k", false),
            ("https://2130706433:1/k", false),
            ("https://[::ffff:127.0.0.1]:1/k", false),
            ("https://10.0.0.1/k", false),
        ] {
            let url = Url::parse(url).unwrap();
            let error = get_named(&client, &elsewhere, &url).await.unwrap_err();
            let refused = if is_insecure {
                matches!(error, KeysError::Insecure { .. })
            } else {
                matches!(error, KeysError::NotPublic { .. })
            };
            assert!(refused, "{url}");
        }
        let own = IssuerUrl::new("https://127.0.0.1:2/realms/a");
        let url = Url::parse("https://127.0.0.1:1/k").unwrap();
        let error = get_named(&client, &own, &url).await.unwrap_err();
        let tried = matches!(error, KeysError::Request { .. });
        assert!(tried, "the issuer's own host is the operator's word");
    }
}

//! Tokens that are bound to a client certificate (RFC 8705): the certificate of the connection alone makes them good.

use reqwest::{Certificate, Client, Method, Version};
use serde_json::{Value, json};

use crate::support::{
    Agent, Answer, Authority, Dialler, Gateway, Leaf, Setup, Upstream, headers_of, modern, send,
};

mod forwarded;
mod hosts;

/// A gateway that asks agents for certificates, and all who take part.
pub(crate) struct Stage {
    pub(crate) upstream: Upstream,
    pub(crate) gateway: Gateway,
    pub(crate) authority: Authority,
}

pub(crate) const ASKING: &str = "listen: { address: 127.0.0.1:0, tls: { cert_file: tls.crt, key_file: tls.key, client_ca_file: agents.pem } }";
pub(crate) const PLAIN: &str = "listen: { address: 127.0.0.1:0 }";

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default(), ASKING).await
    }

    /// With these further settings, and this listener.
    pub(crate) async fn with(setup: Setup, listen: &str) -> Self {
        let upstream = Upstream::plain().await;
        let authority = Authority::new("tests");
        authority.leaf("localhost").install(setup.folder.path());
        let agents = setup.folder.path().join("agents.pem");
        std::fs::write(agents, &authority.pem).unwrap();
        let yaml = setup.yaml(&upstream.url()).replace(PLAIN, listen);
        let gateway = Gateway::start(setup, yaml).await;
        Self {
            upstream,
            gateway,
            authority,
        }
    }

    /// A token of alice that is bound as `cnf` says.
    pub(crate) fn token(&self, cnf: &Value) -> String {
        let mut claims = self.gateway.setup.issuer.claims("alice", &["analyst"]);
        claims["scope"] = json!("crm:read");
        claims["cnf"] = cnf.clone();
        self.gateway.setup.issuer.sign_claims(&claims)
    }

    pub(crate) fn bound_to(&self, leaf: &Leaf) -> String {
        self.token(&json!({ "x5t#S256": leaf.thumbprint() }))
    }

    /// An agent over TLS that shows `leaf`.
    pub(crate) fn agent(&self, token: String, leaf: Option<&Leaf>) -> Agent {
        self.agent_speaking(token, leaf, Version::HTTP_2)
    }

    fn agent_speaking(&self, token: String, leaf: Option<&Leaf>, version: Version) -> Agent {
        let url = format!(
            "https://localhost:{}/crm/mcp",
            self.gateway.address().port()
        );
        let mut agent = Agent::new(url, Some(token));
        let root = Certificate::from_pem(self.authority.pem.as_bytes()).unwrap();
        let mut builder = Client::builder()
            .no_proxy()
            .resolve("localhost", self.gateway.address())
            .tls_certs_only([root]);
        if let Some(leaf) = leaf {
            builder = builder.identity(leaf.identity());
        }
        if version == Version::HTTP_11 {
            builder = builder.http1_only();
        }
        agent.client = builder.build().unwrap();
        agent
    }
}

/// A call that every analyst may make.
pub(crate) fn search() -> Value {
    modern("search_customers", &json!({}))
}

/// BADTOK: 401 with `invalid_token`, and nothing that says why.
pub(crate) fn assert_bad_token(answer: &Answer, what: &str) {
    assert_eq!(
        (answer.status, answer.code()),
        (401, Some(40102)),
        "{what}: {}",
        answer.body
    );
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer error=\"invalid_token\""),
        "{challenge}"
    );
    assert!(!answer.body.contains("cert"), "{what}: {}", answer.body);
}

#[tokio::test]
async fn m01_a_bound_token_is_taken_with_its_certificate_over_both_protocols() {
    let stage = Stage::new().await;
    let leaf = stage.authority.leaf("agent");
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let agent = stage.agent_speaking(stage.bound_to(&leaf), Some(&leaf), version);
        let message = search();
        let request = headers_of(agent.request(Method::POST), &message).body(message.to_string());

        let answer = request.send().await.unwrap();

        assert_eq!(
            (answer.status().as_u16(), answer.version()),
            (200, version),
            "{answer:?}"
        );
    }
    assert_eq!(stage.upstream.count(), 2);
    let decisions = stage.gateway.records_of("decision").await;
    assert_eq!(decisions.len(), 2, "{decisions:?}");
    assert_eq!(decisions[0]["authn"]["cert_sha256"], leaf.thumbprint());
}

#[tokio::test]
async fn m01_a_bound_token_without_a_certificate_is_refused_with_tls_and_without() {
    let stage = Stage::new().await;
    let leaf = stage.authority.leaf("agent");

    let answer = stage.agent(stage.bound_to(&leaf), None);
    let answer = answer.modern(&search()).await;

    assert_bad_token(&answer, "over TLS");
    // A stranger's record is not waited for by its answer.
    let is_stranger = |record: &Value| record["kind"] == "authn";
    let all = stage
        .gateway
        .records_until(|all| all.iter().any(is_stranger));
    let record = all.await.into_iter().find(is_stranger).unwrap();
    assert_eq!(record["authn"]["result"], "cert_missing", "{record}");
    assert_eq!(record["authn"]["cert_sha256"], Value::Null);
    assert_eq!(stage.upstream.count(), 0);

    let plain = Stage::with(Setup::default(), PLAIN).await;
    let agent = Agent::new(plain.gateway.url(), Some(plain.bound_to(&leaf)));
    assert_bad_token(&agent.modern(&search()).await, "without TLS");
    assert_eq!(plain.upstream.count(), 0);
}

#[tokio::test]
async fn m02_another_certificate_does_not_do_and_is_on_record() {
    let stage = Stage::new().await;
    let (own, other) = (stage.authority.leaf("agent"), stage.authority.leaf("agent"));

    let agent = stage.agent(stage.bound_to(&own), Some(&other));
    let answer = agent.modern(&search()).await;

    assert_bad_token(&answer, "another certificate");
    let record = stage.gateway.only_record().await;
    assert_eq!(record["authn"]["result"], "cert_mismatch", "{record}");
    assert_eq!(record["authn"]["cert_sha256"], other.thumbprint());
    assert_eq!(stage.upstream.count(), 0);
}

#[tokio::test]
async fn m03_a_thumbprint_in_another_spelling_is_no_binding() {
    let stage = Stage::new().await;
    let leaf = stage.authority.leaf("agent");
    let good = leaf.thumbprint();
    let digest = ring::digest::digest(&ring::digest::SHA256, &leaf.der);
    let hex: Vec<_> = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for cnf in [
        json!({ "x5t#S256": hex.concat() }),
        json!({ "x5t#S256": hex.join(":") }),
        json!({ "x5t#S256": format!("{good}=") }),
        json!({ "x5t": good }),
    ] {
        let agent = stage.agent(stage.token(&cnf), Some(&leaf));
        assert_bad_token(&agent.modern(&search()).await, &cnf.to_string());
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[tokio::test]
async fn m10_each_request_of_a_connection_is_checked_alone() {
    let stage = Stage::new().await;
    let (own, other) = (stage.authority.leaf("agent"), stage.authority.leaf("agent"));
    let agent = stage.agent(stage.bound_to(&own), Some(&own));
    let foreign = stage.bound_to(&other);
    assert_eq!(agent.modern(&search()).await.status, 200);

    // The same client keeps its connection: only the token changes.
    let mut request = headers_of(agent.request(Method::POST), &search())
        .body(search().to_string())
        .build()
        .unwrap();
    let line = format!("Bearer {foreign}").parse().unwrap();
    request.headers_mut().insert("authorization", line);
    let refused = agent.client.execute(request).await.unwrap();

    assert_eq!(refused.status().as_u16(), 401);
    assert_eq!(agent.modern(&search()).await.status, 200);
    assert_eq!(stage.upstream.count(), 2);
}

#[tokio::test]
async fn m12_a_renewed_certificate_needs_a_new_token() {
    let stage = Stage::new().await;
    let (old, new) = (stage.authority.leaf("agent"), stage.authority.leaf("agent"));
    let token = stage.bound_to(&old);
    let renewed = stage.agent(token.clone(), Some(&new));
    assert_bad_token(&renewed.modern(&search()).await, "the old token");
    assert_eq!(
        stage
            .agent(token, Some(&old))
            .modern(&search())
            .await
            .status,
        200
    );
    let renewed = stage.agent(stage.bound_to(&new), Some(&new));
    assert_eq!(renewed.modern(&search()).await.status, 200);
}

#[tokio::test]
async fn a_certificate_of_a_stranger_or_of_yesterday_ends_the_handshake() {
    let stage = Stage::new().await;
    let address = stage.gateway.address();
    let request = b"GET /crm/mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let strange = Authority::new("another").leaf("agent");
    let expired = stage.authority.leaf_until("agent", 2020);
    for leaf in [&strange, &expired] {
        let dialler = Dialler::new(&stage.authority, Some(leaf), address);
        let answered = dialler.send(request, "\r\n\r\n").await;
        assert!(answered.is_err(), "{}", answered.unwrap().answer);
    }
    let good = stage.authority.leaf("agent");
    let dialler = Dialler::new(&stage.authority, Some(&good), address);
    let seen = dialler.send(request, "\r\n\r\n").await.unwrap();
    assert!(seen.answer.starts_with("HTTP/1.1 401"), "{}", seen.answer);
}

#[tokio::test]
async fn a_server_that_demands_certificates_takes_no_unbound_token() {
    let setup = Setup {
        server: "    sender_constraint: mtls\n".into(),
        ..Setup::default()
    };
    let stage = Stage::with(setup, ASKING).await;
    let leaf = stage.authority.leaf("agent");
    let unbound = stage.gateway.setup.analyst();

    let answer = stage.agent(unbound, Some(&leaf)).modern(&search()).await;

    assert_bad_token(&answer, "a certificate alone binds nothing");
    assert_eq!(stage.upstream.count(), 0);
    let bound = stage.agent(stage.bound_to(&leaf), Some(&leaf));
    assert_eq!(bound.modern(&search()).await.status, 200);
}

#[tokio::test]
async fn an_unbound_token_needs_no_certificate_where_agents_are_asked_for_one() {
    let stage = Stage::new().await;
    let agent = stage.agent(stage.gateway.setup.analyst(), None);
    assert_eq!(agent.modern(&search()).await.status, 200);
}

#[tokio::test]
async fn an_agent_is_asked_for_a_certificate_only_where_the_file_says_so() {
    let listen = ASKING.replace(", client_ca_file: agents.pem", "");
    let stage = Stage::with(Setup::default(), &listen).await;
    let leaf = stage.authority.leaf("agent");
    let agent = stage.agent(stage.bound_to(&leaf), Some(&leaf));
    assert_bad_token(&agent.modern(&search()).await, "it was never shown");
    assert_eq!(promised(&stage).await, Value::Null);
    assert_eq!(promised(&Stage::new().await).await, true);
}

/// Whether the metadata say that tokens may be bound to certificates (RFC 8705 section 3.3).
async fn promised(stage: &Stage) -> Value {
    let url = format!(
        "https://localhost:{}/.well-known/oauth-protected-resource/crm/mcp",
        stage.gateway.address().port()
    );
    let agent = stage.agent(String::new(), None);
    let metadata = send(agent.client.get(url)).await.json();
    metadata["tls_client_certificate_bound_access_tokens"].clone()
}

/// The verifier of certificates looks at no revocation list, as none is configured; a version with known faults in
/// that would still not do (RUSTSEC-2026-0049, RUSTSEC-2026-0104).
#[test]
fn m11_the_verifier_of_certificates_is_of_a_version_without_known_faults() {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    let versions: Vec<_> = lock
        .split("name = \"rustls-webpki\"\nversion = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(!versions.is_empty());
    for version in versions {
        let numbers: Vec<u32> = version
            .split('.')
            .map(|part| part.parse().unwrap())
            .collect();
        assert!(numbers.as_slice() >= &[0, 103, 13][..], "{version}");
    }
}

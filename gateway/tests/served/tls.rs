//! The certificate of the listener is renewed without a restart: new handshakes get the new one, nothing else changes.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use serde_json::json;

use crate::mtls::{ASKING, Stage, assert_bad_token, search};
use crate::support::{Authority, Dialler, Gateway, Leaf, Reply, Seen, Setup, Upstream, headers_of};

/// A listener that asks for no certificate.
const SILENT: &str =
    "listen: { address: 127.0.0.1:0, tls: { cert_file: tls.crt, key_file: tls.key } }";

const REQUEST: &[u8] = b"POST /crm/mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";

async fn dial(dialler: &Dialler) -> Seen {
    let seen = dialler.send(REQUEST, "}}").await.unwrap();
    assert!(seen.answer.starts_with("HTTP/1.1 401 "), "{}", seen.answer);
    seen
}

impl Stage {
    fn dialler(&self) -> Dialler {
        Dialler::new(&self.authority, None, self.gateway.address())
    }

    /// Writes a new pair, which the gateway does not know of yet.
    fn renew(&self) -> Leaf {
        let leaf = self.authority.leaf("localhost");
        leaf.install(self.gateway.setup.folder.path());
        leaf
    }

    fn replace(&self, from: &str, to: &str) {
        let mut yaml = self.gateway.yaml.lock().unwrap();
        assert!(yaml.contains(from), "nothing to replace: {from}");
        *yaml = yaml.replace(from, to);
    }
}

#[tokio::test]
async fn m12_a_reload_takes_the_new_certificate_and_streams_go_on() {
    let upstream = Upstream::start(|arrived| {
        let id = &arrived.json()["id"];
        let answer = json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [] } });
        let mut reply = Reply::events(vec![Bytes::from_static(b": begun\n\n")]);
        let event = Bytes::from(format!("data: {answer}\n\n"));
        reply.pieces.push((Duration::from_secs(2), event));
        reply
    })
    .await;
    let stage = Stage::before(upstream).await;
    let old = dial(&stage.dialler()).await.server;
    let agents: Vec<_> = (0..20)
        .map(|_| stage.agent(stage.gateway.setup.analyst(), None))
        .collect();
    let mut streams = Vec::new();
    for agent in &agents {
        let request = headers_of(agent.request(Method::POST), &search());
        let response = request.body(search().to_string()).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        streams.push(response);
    }

    let new = stage.renew();
    stage.gateway.running.reload().await.unwrap();

    assert_eq!(dial(&stage.dialler()).await.server, new.der);
    assert_ne!(old, new.der);
    assert_eq!(stage.upstream.completed(), 0, "the renewal came in between");
    for stream in streams {
        let text = stream.text().await.unwrap();
        assert!(text.contains("\"content\":[]"), "cut off: {text}");
    }
    // A connection that is open is of use for the next request as well.
    let again = agents[0].modern(&json!({ "method": "no/such" })).await;
    assert_eq!(again.status, 400, "{}", again.body);
}

#[tokio::test]
async fn m12_a_certificate_that_is_renewed_on_the_disk_is_taken_without_a_reload() {
    let stage = Stage::with(Setup::default(), SILENT).await;
    let old = dial(&stage.dialler()).await.server;

    let new = stage.renew();

    let mut served = old.clone();
    for _ in 0..150 {
        served = dial(&stage.dialler()).await.server;
        if served != old {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(served, new.der);
}

#[tokio::test]
async fn m12_the_certificates_of_two_authorities_are_good_while_one_takes_over() {
    let stage = Stage::new().await;
    let next = Authority::new("next");
    let (old, new) = (stage.authority.leaf("agent"), next.leaf("agent"));
    let status = async |leaf: &Leaf| {
        let dialler = Dialler::new(&stage.authority, Some(leaf), stage.gateway.address());
        dialler.send(REQUEST, "}}").await.is_ok()
    };
    assert_eq!((status(&old).await, status(&new).await), (true, false));
    for (bundle, expected) in [
        (format!("{}{}", stage.authority.pem, next.pem), (true, true)),
        (next.pem.clone(), (false, true)),
    ] {
        let file = stage.gateway.setup.folder.path().join("agents.pem");
        std::fs::write(file, bundle).unwrap();
        stage.gateway.running.reload().await.unwrap();
        assert_eq!((status(&old).await, status(&new).await), expected);
    }
}

#[tokio::test]
async fn a_pair_that_does_not_fit_fails_the_reload_and_the_old_one_stays() {
    let stage = Stage::new().await;
    let folder = stage.gateway.setup.folder.path().to_owned();
    let old = dial(&stage.dialler()).await.server;
    let other = stage.authority.leaf("localhost");
    for (file, text, told_of) in [
        ("tls.key", other.key.as_str(), "do not fit"),
        ("tls.crt", "nothing", "tls.crt"),
        ("tls.key", "nothing", "tls.key"),
        ("agents.pem", "nothing", "agents.pem"),
    ] {
        let before = std::fs::read_to_string(folder.join(file)).unwrap();
        std::fs::write(folder.join(file), text).unwrap();
        // All or nothing: the roles of the same reload must not take effect either.
        stage.replace("search_*", "nothing_*");

        let told = stage.gateway.running.reload().await.unwrap_err();

        assert!(told.contains(told_of), "{told}");
        assert!(!told.contains("PRIVATE"), "{told}");
        assert_eq!(dial(&stage.dialler()).await.server, old, "{file}");
        let agent = stage.agent(stage.gateway.setup.analyst(), None);
        assert_eq!(agent.modern(&search()).await.status, 200, "{file}");
        std::fs::write(folder.join(file), before).unwrap();
        stage.replace("nothing_*", "search_*");
    }
    stage.gateway.running.reload().await.unwrap();
    assert!(
        stage
            .gateway
            .metrics()
            .await
            .contains("last_reload_successful 1")
    );
}

#[tokio::test]
async fn a_reload_may_name_other_files_but_not_begin_or_end_with_tls() {
    let stage = Stage::with(Setup::default(), SILENT).await;
    let folder = stage.gateway.setup.folder.path();
    let new = stage.authority.leaf("localhost");
    std::fs::write(folder.join("new.crt"), &new.pem).unwrap();
    std::fs::write(folder.join("new.key"), &new.key).unwrap();
    let leaf = stage.authority.leaf("agent");
    let bound = || stage.agent(stage.bound_to(&leaf), Some(&leaf));
    assert_bad_token(&bound().modern(&search()).await, "nobody asks");

    stage.replace("tls.crt, key_file: tls.key", "new.crt, key_file: new.key");
    stage.gateway.running.reload().await.unwrap();
    assert_eq!(dial(&stage.dialler()).await.server, new.der);

    stage.replace("new.key }", "new.key, client_ca_file: agents.pem }");
    stage.gateway.running.reload().await.unwrap();
    assert_eq!(bound().modern(&search()).await.status, 200);

    let with_tls = stage.gateway.yaml.lock().unwrap().clone();
    let plain = "listen: { address: 127.0.0.1:0 }\npublic_url:";
    let (_, rest) = with_tls.split_once("public_url:").unwrap();
    *stage.gateway.yaml.lock().unwrap() = format!("version: 1\n{plain}{rest}");
    let told = stage.gateway.running.reload().await.unwrap_err();
    assert!(told.contains("cannot change listen.tls:"), "{told}");
    assert_eq!(dial(&stage.dialler()).await.server, new.der);
}

#[tokio::test]
async fn m08_a_session_of_the_old_certificate_is_not_resumed_with_the_new_one() {
    let stage = Stage::with(Setup::default(), SILENT).await;
    let dialler = stage.dialler();
    assert!(!dial(&dialler).await.resumed, "the first is new");
    assert!(dial(&dialler).await.resumed, "the second is not");

    stage.renew();
    stage.gateway.running.reload().await.unwrap();

    assert!(!dial(&dialler).await.resumed);
    assert!(dial(&dialler).await.resumed);
    // Nothing changed, so that sessions stay good.
    stage.gateway.running.reload().await.unwrap();
    assert!(dial(&dialler).await.resumed);
}

#[tokio::test]
async fn m08_a_session_without_a_certificate_is_not_resumed_where_agents_are_asked_for_one() {
    let stage = Stage::with(Setup::default(), SILENT).await;
    let dialler = stage.dialler();
    dial(&dialler).await;
    assert!(dial(&dialler).await.resumed);

    stage.replace("tls.key }", "tls.key, client_ca_file: agents.pem }");
    stage.gateway.running.reload().await.unwrap();

    assert!(!dial(&dialler).await.resumed);
}

#[tokio::test]
async fn m08_a_certificate_is_looked_at_in_every_handshake() {
    let stage = Stage::with(Setup::default(), ASKING).await;
    let leaf = stage.authority.leaf("agent");
    let address = stage.gateway.address();
    let dialler = Dialler::new(&stage.authority, Some(&leaf), address);
    for _ in 0..3 {
        assert!(!dial(&dialler).await.resumed);
    }
}

impl Stage {
    /// In front of this upstream, and asking for no certificate.
    async fn before(upstream: Upstream) -> Self {
        let setup = Setup::default();
        let authority = Authority::new("tests");
        authority.leaf("localhost").install(setup.folder.path());
        let yaml = setup
            .yaml(&upstream.url())
            .replace(crate::mtls::PLAIN, SILENT);
        let gateway = Gateway::start(setup, yaml).await;
        Self {
            upstream,
            gateway,
            authority,
        }
    }
}

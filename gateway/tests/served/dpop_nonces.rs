//! `dpop` in the configuration: nonces, their key and the window, each seen from outside, before and after a reload.

use reqwest::Method;
use serde_json::{Value, json};

use crate::edge::{assert_on_record, sorted_challenges};
use crate::support::{
    Answer, Gateway, Holder, Reply, Setup, Upstream, headers_of, modern, now, presenting, send,
};

/// A gateway with this `dpop`, and a client that holds a key.
struct Scene {
    gateway: Gateway,
    upstream: Upstream,
    holder: Holder,
    token: String,
}

impl Scene {
    async fn new(dpop: &str) -> Self {
        // An upstream has no say in the nonces of its gateway.
        let upstream = Upstream::start(|arrived| {
            let result = json!({ "content": [] });
            let id = &arrived.json()["id"];
            Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
                .with("dpop-nonce", "of-the-upstream")
        })
        .await;
        let setup = Setup {
            extra: format!("dpop: {{ {dpop} }}\n"),
            ..Setup::default()
        };
        std::fs::write(setup.folder.path().join("one.key"), KEY).unwrap();
        std::fs::write(setup.folder.path().join("two.key"), KEY.to_uppercase()).unwrap();
        let holder = Holder::new();
        let token = holder.token(&setup.issuer);
        Self {
            gateway: setup.start(&upstream).await,
            upstream,
            holder,
            token,
        }
    }

    /// A call of `tool` with a new proof whose claims are changed.
    async fn call(&self, tool: &str, change: &Value) -> Answer {
        let proof = self.holder.bent(&self.token, &json!({}), change);
        self.send(tool, &proof).await
    }

    async fn send(&self, tool: &str, proof: &str) -> Answer {
        let message = modern(tool, &json!({}));
        let request = presenting(&self.gateway.url(), Method::POST, &self.token, &[proof]);
        send(headers_of(request, &message).body(message.to_string())).await
    }

    async fn search(&self, nonce: &str) -> Answer {
        self.call("search_x", &json!({ "nonce": nonce })).await
    }

    /// Replaces `from` in the configuration, and reloads.
    async fn change(&self, from: &str, to: &str) {
        {
            let mut yaml = self.gateway.yaml.lock().unwrap();
            assert!(yaml.contains(from), "nothing to replace: {from}");
            *yaml = yaml.replace(from, to);
        }
        self.gateway.running.reload().await.unwrap();
    }
}

const KEY: &str = "a secret that all the replicas have\n";
/// What takes the nonce out of a proof.
const NONE: &str = "-";

/// The one nonce of an answer, if it has one.
#[track_caller]
fn nonce(answer: &Answer) -> Option<String> {
    let lines: Vec<_> = answer.headers.get_all("dpop-nonce").iter().collect();
    assert!(lines.len() <= 1, "{lines:?}");
    lines.first().map(|line| line.to_str().unwrap().to_owned())
}

#[track_caller]
fn assert_nonce_wanted(answer: &Answer) -> String {
    assert_eq!(answer.status, 401, "{}", answer.body);
    let read = sorted_challenges(&answer.headers);
    let errors: Vec<_> = read.iter().map(|read| read.parameter("error")).collect();
    assert_eq!(errors, [None, Some("use_dpop_nonce")]);
    assert!(read[1].parameter("algs").is_some());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    nonce(answer).expect("one to use")
}

#[tokio::test]
async fn d10_a_required_nonce_is_asked_for_and_then_good() {
    let scene = Scene::new("nonce: required").await;
    let refused = scene.search(NONE).await;
    let given = assert_nonce_wanted(&refused);
    let record = scene.gateway.only_record().await;
    assert_on_record(&record, &refused, "authn", "dpop_nonce_required");
    assert_eq!(record["authn"]["result"], "dpop_nonce");
    assert_nonce_wanted(&scene.search("eyJ7S_zG.eyJH0-Z.HX4w-7v").await);
    assert_nonce_wanted(&scene.search(given.split_at(1).1).await);
    assert_eq!(scene.upstream.count(), 0);

    let served = scene.search(&given).await;
    assert_eq!(served.status, 200, "{}", served.body);
    assert_eq!(scene.upstream.count(), 1);
    // Unless the clock has just gone over to the next.
    assert_ne!(nonce(&served).as_deref(), Some(given.as_str()));
    assert_ne!(nonce(&served).as_deref(), Some("of-the-upstream"));
}

#[tokio::test]
async fn d10_an_optional_nonce_comes_with_every_answer_to_a_proof_without_one() {
    let scene = Scene::new("nonce: optional").await;
    let served = scene.search(NONE).await;
    assert_eq!(served.status, 200, "{}", served.body);
    let given = nonce(&served).unwrap();
    assert_eq!(given.len(), 22);
    let denied = scene.call("delete_customer", &json!({})).await;
    assert_eq!(denied.status, 403);
    assert!(nonce(&denied).is_some(), "RFC 9449 section 8.2");
    assert_eq!(scene.search(&given).await.status, 200);
    assert_nonce_wanted(&scene.search("of-the-upstream").await);
    assert_eq!(scene.upstream.count(), 2);
}

#[tokio::test]
async fn d10_without_nonces_no_answer_carries_one() {
    for off in ["nonce: off", ""] {
        let scene = Scene::new(off).await;
        for nonce_sent in [NONE, "anything"] {
            let served = scene.search(nonce_sent).await;
            assert_eq!(served.status, 200, "{}", served.body);
            assert_eq!(nonce(&served), None);
        }
        let bad = scene.call("search_x", &json!({"htm": "GET"})).await;
        assert_eq!((bad.status, nonce(&bad)), (401, None));
    }
}

#[tokio::test]
async fn d10_a_reload_keeps_the_nonces_and_what_was_used() {
    let scene = Scene::new("nonce: required").await;
    let given = assert_nonce_wanted(&scene.search(NONE).await);
    let proof = scene
        .holder
        .bent(&scene.token, &json!({}), &json!({"nonce": given}));
    assert_eq!(scene.send("search_x", &proof).await.status, 200);

    scene.change("search_*", "search_x*").await;

    assert_eq!(scene.search(&given).await.status, 200, "the key is kept");
    let replayed = scene.send("search_x", &proof).await;
    assert_eq!(replayed.status, 401, "and what was used is known");
    assert_eq!(scene.upstream.count(), 2);
}

#[tokio::test]
async fn d10_a_reload_brings_another_mode_and_another_key_into_force() {
    let scene = Scene::new("nonce: off").await;
    assert_eq!(scene.search(NONE).await.status, 200);
    scene.change("nonce: off", "nonce: required").await;
    let of_process = assert_nonce_wanted(&scene.search(NONE).await);
    scene
        .change(
            "nonce: required",
            "nonce: required, nonce_key_file: one.key",
        )
        .await;
    let of_one = assert_nonce_wanted(&scene.search(&of_process).await);
    assert_eq!(scene.search(&of_one).await.status, 200);
    scene.change("one.key", "two.key").await;
    assert_nonce_wanted(&scene.search(&of_one).await);
    scene
        .change("nonce: required, nonce_key_file: two.key", "nonce: off")
        .await;
    assert_eq!(scene.search(NONE).await.status, 200);
    assert_eq!(scene.upstream.count(), 3);
}

#[tokio::test]
async fn d10a_replicas_with_one_key_file_take_each_others_nonces() {
    let keyed = "nonce: required, nonce_key_file: one.key";
    let (one, two) = (Scene::new(keyed).await, Scene::new(keyed).await);
    let own = Scene::new("nonce: required").await;
    let given = assert_nonce_wanted(&one.search(NONE).await);
    assert_eq!(two.search(&given).await.status, 200);
    assert_nonce_wanted(&own.search(&given).await);
    assert_eq!((two.upstream.count(), own.upstream.count()), (1, 0));
}

#[tokio::test]
async fn d11_the_window_is_as_wide_as_the_configuration_says() {
    let (narrow, wide) = (
        Scene::new("window: 10s").await,
        Scene::new("window: 10m").await,
    );
    for (ahead, statuses) in [(5, (200, 200)), (60, (401, 200)), (660, (401, 401))] {
        let claim = json!({"iat": now() + ahead});
        let got = (
            narrow.call("search_x", &claim).await.status,
            wide.call("search_x", &claim).await.status,
        );
        assert_eq!(got, statuses, "{ahead} s ahead");
    }
    assert_eq!((narrow.upstream.count(), wide.upstream.count()), (1, 2));
}

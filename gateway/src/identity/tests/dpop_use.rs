//! Proofs in use: with the token they came with, once and a second time, here and elsewhere, before and after a restart.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::dpop::{claims, header, presented, public};
use super::support::{NOW, Scene, TestKey, credential, encode, with};
use crate::identity::binding::{Evidence, NonceKey, Possession, Thumbprint};
use crate::identity::keys::Jwk;
use crate::identity::settings::DpopSettings;
use crate::identity::{Bound, Credential, Unverified, Verifier};
use crate::model::{Clock, Digest, Reason, UnixTime};
use crate::state::{Charge, MemoryState, SharedState, StateError, Taken};

/// A client with a key and a token that is bound to it.
pub(super) struct Client {
    pub(super) scene: Scene,
    key: TestKey,
    token: String,
}

impl Client {
    pub(super) async fn new() -> Self {
        let (scene, key) = (Scene::new().await, TestKey::p256());
        let token = bound(&scene, &key, &json!({}));
        Self { scene, key, token }
    }

    pub(super) fn memory(&self) -> Arc<dyn SharedState> {
        Arc::new(MemoryState::since(self.scene.clock.now()))
    }

    /// A replica that judges by `settings` and remembers in `state`.
    pub(super) fn replica(&self, settings: DpopSettings, state: &Arc<dyn SharedState>) -> Verifier {
        let own = NonceKey::random().unwrap();
        let clock = self.scene.clock.clone();
        let possession = Possession::new(settings, &own, Arc::clone(state), clock.clone());
        Verifier::new(
            vec![Arc::clone(&self.scene.keys)],
            Vec::new(),
            Arc::new(possession),
            clock,
        )
    }

    /// A proof made now, with its claims changed.
    pub(super) fn proof(&self, change: &Value) -> String {
        let now = json!({"iat": self.scene.clock.now().seconds()});
        let claims = with(&with(&claims(&self.token), &now), change);
        self.key.sign(&header(&self.key), &claims)
    }

    pub(super) async fn send(&self, verifier: &Verifier, proof: &str) -> Result<Bound, Unverified> {
        let credential = presented(&self.token, &[proof]);
        admitted(&self.scene, verifier, &credential, None).await
    }

    pub(super) async fn result(&self, verifier: &Verifier, proof: &str) -> &'static str {
        result(&self.send(verifier, proof).await)
    }
}

/// A token of the scene's issuer that is bound to `key`.
fn bound(scene: &Scene, key: &TestKey, change: &Value) -> String {
    let claims = with(&scene.claims(), &json!({"cnf": {"jkt": jkt(key)}}));
    scene.key.sign(&scene.header(), &with(&claims, change))
}

fn jkt(key: &TestKey) -> String {
    encode(Jwk::read(&public(key)).unwrap().thumbprint().as_bytes())
}

async fn admitted(
    scene: &Scene,
    verifier: &Verifier,
    credential: &Credential,
    certificate: Option<&Thumbprint>,
) -> Result<Bound, Unverified> {
    let unbound = verifier.verify(credential, &scene.audience).await?;
    let evidence = Evidence {
        method: "POST",
        certificate,
    };
    verifier
        .bind(&unbound, (credential, evidence), &scene.audience)
        .await
}

fn result(judged: &Result<Bound, Unverified>) -> &'static str {
    match judged {
        Ok(_) => "ok",
        Err(unverified) => unverified.result(),
    }
}

#[tokio::test]
async fn d12a_a_proof_by_another_key_than_the_token_is_bound_to_is_refused() {
    let client = Client::new().await;
    let verifier = client.replica(DpopSettings::default(), &client.memory());
    let stranger = TestKey::p256();
    let foreign = stranger.sign(&header(&stranger), &claims(&client.token));
    let refused = client.send(&verifier, &foreign).await.unwrap_err();
    assert_eq!(refused.result(), "dpop_wrong_key");
    assert_eq!(refused.reason(), Reason::TokenInvalid);
    let own = client.proof(&json!({}));
    assert_eq!(client.result(&verifier, &own).await, "ok");
}

#[tokio::test]
async fn d18_a_bound_token_without_its_proof_is_refused() {
    let client = Client::new().await;
    let verifier = client.replica(DpopSettings::default(), &client.memory());
    let plain = credential(&client.token);
    let refused = admitted(&client.scene, &verifier, &plain, None).await;
    assert_eq!(result(&refused), "key_bound");
    let without = presented(&client.token, &[]);
    let refused = admitted(&client.scene, &verifier, &without, None).await;
    assert_eq!(result(&refused), "dpop_missing");
}

#[tokio::test]
async fn d19_a_token_that_is_bound_to_nothing_is_refused_with_a_proof() {
    let client = Client::new().await;
    let verifier = client.replica(DpopSettings::default(), &client.memory());
    let token = client.scene.token();
    let proof = client.key.sign(&header(&client.key), &claims(&token));
    let credential = presented(&token, &[&proof]);
    let refused = admitted(&client.scene, &verifier, &credential, None).await;
    assert_eq!(result(&refused), "not_bound");
}

#[tokio::test]
async fn d22_of_two_bindings_both_have_to_hold() {
    let client = Client::new().await;
    let verifier = client.replica(DpopSettings::default(), &client.memory());
    let certificate = Thumbprint::of(&Digest::of(b"certificate"));
    let cnf = json!({"cnf": {"jkt": jkt(&client.key), "x5t#S256": certificate.as_str()}});
    let token = bound(&client.scene, &client.key, &cnf);
    let other = Thumbprint::of(&Digest::of(b"another"));
    for (number, shown, expected) in [
        (1, None, "cert_missing"),
        (2, Some(&other), "cert_mismatch"),
        (3, Some(&certificate), "ok"),
    ] {
        let claims = with(&claims(&token), &json!({"jti": number.to_string()}));
        let proof = client.key.sign(&header(&client.key), &claims);
        let credential = presented(&token, &[&proof]);
        let judged = admitted(&client.scene, &verifier, &credential, shown).await;
        assert_eq!(result(&judged), expected);
    }
    let plain = credential(&token);
    let judged = admitted(&client.scene, &verifier, &plain, Some(&certificate)).await;
    assert_eq!(result(&judged), "key_bound");
}

#[tokio::test]
async fn d13_a_proof_used_twice_is_refused_for_as_long_as_its_time_is_good() {
    let client = Client::new().await;
    let verifier = client.replica(DpopSettings::default(), &client.memory());
    let proof = client.proof(&json!({"iat": NOW + 200}));
    assert_eq!(client.result(&verifier, &proof).await, "ok");
    assert_eq!(client.result(&verifier, &proof).await, "dpop_replay");
    client.scene.clock.advance(499);
    assert_eq!(client.result(&verifier, &proof).await, "dpop_replay");
    client.scene.clock.advance(1);
    assert_eq!(client.result(&verifier, &proof).await, "dpop_replay");
    client.scene.clock.advance(1);
    assert_eq!(client.result(&verifier, &proof).await, "dpop_invalid");
    let next = client.proof(&json!({"jti": "p2"}));
    assert_eq!(client.result(&verifier, &next).await, "ok");
}

#[tokio::test]
async fn d13_another_signature_or_time_does_not_make_a_proof_new() {
    let client = Client::new().await;
    let verifier = client.replica(DpopSettings::default(), &client.memory());
    let first = client.proof(&json!({}));
    let again = client.proof(&json!({}));
    let later = client.proof(&json!({"iat": NOW + 5}));
    assert_ne!(first, again, "ECDSA signatures differ each time");
    assert_eq!(client.result(&verifier, &first).await, "ok");
    assert_eq!(client.result(&verifier, &again).await, "dpop_replay");
    assert_eq!(client.result(&verifier, &later).await, "dpop_replay");
}

#[tokio::test]
async fn d14_a_proof_used_at_one_replica_is_refused_at_another() {
    let client = Client::new().await;
    let shared = client.memory();
    let one = client.replica(DpopSettings::default(), &shared);
    let two = client.replica(DpopSettings::default(), &shared);
    let proof = client.proof(&json!({}));
    assert_eq!(client.result(&one, &proof).await, "ok");
    assert_eq!(client.result(&two, &proof).await, "dpop_replay");
    let next = client.proof(&json!({"jti": "p2"}));
    assert_eq!(client.result(&two, &next).await, "ok");
    assert_eq!(client.result(&one, &next).await, "dpop_replay");
}

#[tokio::test]
async fn d15_a_proof_used_before_a_restart_is_refused_after_it() {
    let client = Client::new().await;
    let before = client.replica(DpopSettings::default(), &client.memory());
    let proof = client.proof(&json!({}));
    assert_eq!(client.result(&before, &proof).await, "ok");
    client.scene.clock.advance(1);
    let after = client.replica(DpopSettings::default(), &client.memory());
    assert_eq!(client.result(&after, &proof).await, "dpop_invalid");
    let fresh = client.proof(&json!({"jti": "p2"}));
    assert_eq!(client.result(&after, &fresh).await, "ok");
}

#[tokio::test]
async fn d11_a_smaller_window_refuses_what_a_larger_one_takes() {
    let client = Client::new().await;
    let narrow = DpopSettings {
        window: Duration::from_secs(30),
        ..DpopSettings::default()
    };
    let (narrow, wide) = (
        client.replica(narrow, &client.memory()),
        client.replica(DpopSettings::default(), &client.memory()),
    );
    let ahead = client.proof(&json!({"iat": NOW + 31}));
    assert_eq!(client.result(&narrow, &ahead).await, "dpop_invalid");
    assert_eq!(client.result(&wide, &ahead).await, "ok");
    let near = client.proof(&json!({"iat": NOW + 30}));
    assert_eq!(client.result(&narrow, &near).await, "ok");
}

#[tokio::test]
async fn d17_a_proof_that_is_not_good_burns_nothing() {
    let client = Client::new().await;
    let verifier = client.replica(DpopSettings::default(), &client.memory());
    let stranger = TestKey::p256();
    let same_id = stranger.sign(&header(&stranger), &claims(&client.token));
    assert_eq!(client.result(&verifier, &same_id).await, "dpop_wrong_key");
    let own_token = bound(&client.scene, &stranger, &json!({"sub": "mallory"}));
    let own = stranger.sign(&header(&stranger), &claims(&own_token));
    let of_stranger = presented(&own_token, &[&own]);
    let judged = admitted(&client.scene, &verifier, &of_stranger, None).await;
    assert_eq!(result(&judged), "ok", "the id is another key's");
    let wrong = client.proof(&json!({"htm": "GET"}));
    assert_eq!(client.result(&verifier, &wrong).await, "dpop_invalid");
    let good = client.proof(&json!({}));
    assert_eq!(client.result(&verifier, &good).await, "ok");
    let long = client.proof(&json!({"jti": "x".repeat(20_000)}));
    assert_eq!(client.result(&verifier, &long).await, "ok");
}

#[derive(Debug)]
struct Broken(StateError);

#[async_trait]
impl SharedState for Broken {
    async fn insert_once(
        &self,
        _: &Digest,
        _: &Digest,
        _: UnixTime,
        _: UnixTime,
    ) -> Result<bool, StateError> {
        Err(self.0)
    }

    async fn take(&self, _: &[Charge], _: UnixTime) -> Result<Taken, StateError> {
        Err(self.0)
    }

    fn remembers_since(&self) -> UnixTime {
        UnixTime::from_seconds(0)
    }
}

#[tokio::test]
async fn d16_when_it_cannot_be_noted_that_a_proof_was_used_it_is_refused_as_our_fault() {
    let client = Client::new().await;
    for error in [StateError::Unreachable, StateError::Full] {
        let state: Arc<dyn SharedState> = Arc::new(Broken(error));
        let verifier = client.replica(DpopSettings::default(), &state);
        let proof = client.proof(&json!({}));
        let refused = client.send(&verifier, &proof).await.unwrap_err();
        assert_eq!(refused, Unverified::State(error));
        assert_eq!(refused.reason(), Reason::StateUnavailable);
        let plain = credential(&client.scene.token());
        let judged = admitted(&client.scene, &verifier, &plain, None).await;
        assert_eq!(result(&judged), "ok", "who needs no proof is not harmed");
    }
}

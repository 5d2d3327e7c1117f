//! Proofs with and without nonces: what each mode takes, and what a nonce says after a restart.

use serde_json::json;

use super::dpop_use::Client;
use super::support::NOW;
use crate::identity::settings::{DpopSettings, NonceMode};
use crate::model::{Clock, Reason, Secret};

fn with_nonces(nonce: NonceMode) -> DpopSettings {
    DpopSettings {
        nonce,
        ..DpopSettings::default()
    }
}

#[tokio::test]
async fn d15_after_a_restart_a_nonce_tells_a_new_proof_from_an_old_one() {
    let client = Client::new().await;
    for mode in [NonceMode::Optional, NonceMode::Required] {
        let before = client.replica(with_nonces(mode), &client.memory());
        let nonce = before.nonce();
        let proof = client.proof(&json!({"nonce": nonce}));
        assert_eq!(client.result(&before, &proof).await, "ok");
        client.scene.clock.advance(10);
        let after = client.replica(with_nonces(mode), &client.memory());
        assert_eq!(client.result(&after, &proof).await, "dpop_nonce");
        let iat = client.scene.clock.now().seconds() - 60;
        let slow = client.proof(&json!({"iat": iat, "jti": "p2"}));
        assert_eq!(client.result(&after, &slow).await, "dpop_nonce");
        let slow = client.proof(&json!({"iat": iat, "jti": "p2", "nonce": after.nonce()}));
        assert_eq!(client.result(&after, &slow).await, "ok");
    }
}

#[tokio::test]
async fn d15_a_nonce_of_a_key_that_outlives_the_process_is_no_proof_of_youth() {
    let client = Client::new().await;
    let settings = DpopSettings {
        nonce_key: Some(Secret::new("a key that all the replicas have".to_owned())),
        ..with_nonces(NonceMode::Required)
    };
    let before = client.replica(settings.clone(), &client.memory());
    let proof = client.proof(&json!({"nonce": before.nonce()}));
    assert_eq!(client.result(&before, &proof).await, "ok");
    client.scene.clock.advance(1);
    let after = client.replica(settings, &client.memory());
    assert_eq!(after.nonce(), before.nonce());
    assert_eq!(client.result(&after, &proof).await, "dpop_nonce");
    let fresh = client.proof(&json!({"jti": "p2", "nonce": after.nonce()}));
    assert_eq!(client.result(&after, &fresh).await, "ok");
    client.scene.clock.advance(240);
    let old = json!({"jti": "p3", "iat": NOW, "nonce": after.nonce()});
    let slow = client.proof(&old);
    assert_eq!(client.result(&after, &slow).await, "ok", "a younger nonce");
}

#[tokio::test]
async fn d10_a_required_nonce_that_is_missing_old_or_foreign_is_asked_for() {
    let client = Client::new().await;
    let verifier = client.replica(with_nonces(NonceMode::Required), &client.memory());
    let other = client.replica(with_nonces(NonceMode::Required), &client.memory());
    let nonce = verifier.nonce();
    for bad in [
        "-".to_owned(),
        String::new(),
        other.nonce(),
        nonce.split_at(21).0.to_owned(),
    ] {
        let proof = client.proof(&json!({ "nonce": bad }));
        let refused = client.send(&verifier, &proof).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::DpopNonceRequired, "{bad}");
    }
    let good = client.proof(&json!({"nonce": nonce}));
    let bound = client.send(&verifier, &good).await.unwrap();
    assert_eq!(bound.nonce, None, "it has the nonce of the moment");

    client.scene.clock.advance(120);
    let last = client.proof(&json!({"nonce": nonce, "jti": "p2"}));
    let bound = client.send(&verifier, &last).await.unwrap();
    assert_eq!(bound.nonce.as_deref(), Some(verifier.nonce().as_str()));
    client.scene.clock.advance(120);
    let old = client.proof(&json!({"nonce": nonce, "jti": "p3"}));
    assert_eq!(client.result(&verifier, &old).await, "dpop_nonce");
}

#[tokio::test]
async fn d10_an_optional_nonce_may_be_missing_but_not_wrong() {
    let client = Client::new().await;
    let verifier = client.replica(with_nonces(NonceMode::Optional), &client.memory());
    let without = client.proof(&json!({}));
    let given = client.send(&verifier, &without).await.unwrap().nonce;
    assert_eq!(given.as_deref(), Some(verifier.nonce().as_str()));
    let good = client.proof(&json!({"nonce": given, "jti": "p2"}));
    assert_eq!(client.send(&verifier, &good).await.unwrap().nonce, None);
    let wrong = client.proof(&json!({"nonce": "of-the-issuer", "jti": "p3"}));
    assert_eq!(client.result(&verifier, &wrong).await, "dpop_nonce");
}

#[tokio::test]
async fn d10_without_nonces_none_is_given_out_or_looked_at() {
    let client = Client::new().await;
    let verifier = client.replica(with_nonces(NonceMode::Off), &client.memory());
    for (jti, nonce) in [("p1", "-"), ("p2", "anything")] {
        let proof = client.proof(&json!({"jti": jti, "nonce": nonce}));
        assert_eq!(client.send(&verifier, &proof).await.unwrap().nonce, None);
    }
}

#[tokio::test]
async fn d29_a_proof_made_in_advance_is_refused_where_a_nonce_is_required() {
    let client = Client::new().await;
    let verifier = client.replica(with_nonces(NonceMode::Required), &client.memory());
    let ahead = client.proof(&json!({"iat": NOW + 299}));
    assert_eq!(client.result(&verifier, &ahead).await, "dpop_nonce");
    let open = client.replica(with_nonces(NonceMode::Off), &client.memory());
    assert_eq!(client.result(&open, &ahead).await, "ok");
}

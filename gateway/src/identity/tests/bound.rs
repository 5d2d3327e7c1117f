//! What a token is bound to, against what its sender shows.

use std::sync::Arc;

use serde_json::{Value, json};

use super::support::{Scene, credential, with};
use crate::identity::binding::Thumbprint;
use crate::identity::error::Unverified;
use crate::identity::principal::Unbound;
use crate::identity::settings::SenderConstraint;
use crate::model::Digest;

fn print(name: &str) -> Thumbprint {
    Thumbprint::of(&Digest::of(name.as_bytes()))
}

/// A verified token with this `cnf`.
async fn bound(scene: &Scene, cnf: Value) -> Arc<Unbound> {
    let claims = with(&scene.claims(), &json!({ "cnf": cnf }));
    let token = scene.key.sign(&scene.header(), &claims);
    let credential = credential(&token);
    let verified = scene.verifier.verify(&credential, &scene.audience).await;
    verified.unwrap()
}

fn result(
    unbound: &Unbound,
    (key, certificate): (Option<&str>, Option<&str>),
    constraint: SenderConstraint,
) -> &'static str {
    let (key, certificate) = (key.map(print), certificate.map(print));
    let bound = unbound.bind(key.as_ref(), certificate.as_ref(), constraint);
    bound.as_ref().map_or_else(Unverified::result, |_| "ok")
}

#[tokio::test]
async fn d22_a_token_that_is_bound_twice_needs_both() {
    let scene = Scene::new().await;
    let cnf = json!({ "jkt": print("key").as_str(), "x5t#S256": print("leaf").as_str() });
    let unbound = bound(&scene, cnf).await;
    for constraint in [
        SenderConstraint::Any,
        SenderConstraint::Dpop,
        SenderConstraint::Mtls,
        SenderConstraint::DpopOrMtls,
    ] {
        for (shown, expected) in [
            ((Some("key"), Some("leaf")), "ok"),
            ((Some("key"), None), "cert_missing"),
            ((Some("key"), Some("other")), "cert_mismatch"),
            ((None, Some("leaf")), "key_bound"),
            ((Some("other"), Some("leaf")), "dpop_wrong_key"),
            ((None, None), "key_bound"),
        ] {
            assert_eq!(result(&unbound, shown, constraint), expected, "{shown:?}");
        }
    }
}

#[tokio::test]
async fn m01_a_certificate_binding_holds_under_every_demand_that_takes_it() {
    let scene = Scene::new().await;
    let cnf = json!({ "x5t#S256": print("leaf").as_str() });
    let unbound = bound(&scene, cnf).await;
    for constraint in [
        SenderConstraint::Any,
        SenderConstraint::Mtls,
        SenderConstraint::DpopOrMtls,
    ] {
        let of = |certificate| result(&unbound, (None, certificate), constraint);
        assert_eq!(of(Some("leaf")), "ok", "{constraint:?}");
        assert_eq!(of(Some("other")), "cert_mismatch", "{constraint:?}");
        assert_eq!(of(None), "cert_missing", "{constraint:?}");
    }
    let shown = (None, Some("leaf"));
    assert_eq!(result(&unbound, shown, SenderConstraint::Dpop), "not_bound");
}

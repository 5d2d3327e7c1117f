//! How many may wait for an issuer's word at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::support::Scene;
use crate::identity::settings::IntrospectionSettings;
use crate::model::Secret;

#[tokio::test]
async fn a_flood_of_new_tokens_does_not_pile_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/introspect", silent.local_addr().unwrap());
    let scene = Scene::with_settings(|settings| {
        settings.introspection = Some(IntrospectionSettings {
            endpoint,
            client_id: "gateway".to_owned(),
            client_secret: Secret::new("secret".to_owned()),
            cache: Duration::from_secs(60),
        });
    });
    let scene = Arc::new(scene.await);
    let mut waiting = JoinSet::new();
    for number in 0..1024 {
        let scene = Arc::clone(&scene);
        waiting.spawn(async move { scene.result(&format!("new-{number}")).await });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let started = Instant::now();
    assert_eq!(scene.result("one-more").await, "introspection_error");
    let taken = started.elapsed();
    assert!(taken < Duration::from_secs(4), "told at once: {taken:?}");
    let told = waiting.join_all().await;
    assert!(told.iter().all(|result| *result == "introspection_error"));
}

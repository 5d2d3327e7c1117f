//! Reload: all of a new configuration takes effect at once, or none of it; requests never notice the change itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use serde_json::json;

use crate::support::{
    Agent, Gateway, Issuer, Reply, Setup, Upstream, eventually, headers_of, list, modern, tool,
};

/// The HTTP status of a call of this tool.
async fn status(agent: &Agent, tool: &str) -> u16 {
    agent.modern(&modern(tool, &json!({}))).await.status
}

#[tokio::test]
async fn s07_new_roles_are_in_force_at_once() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    assert_eq!(status(&agent, "search_customers").await, 200);
    assert_eq!(status(&agent, "delete_customer").await, 403);

    gateway.change(&[("search_*", "delete_*")]).await.unwrap();

    assert_eq!(status(&agent, "search_customers").await, 403);
    assert_eq!(status(&agent, "delete_customer").await, 200);
    let names: Vec<_> = upstream
        .arrived()
        .iter()
        .map(|arrived| arrived.json()["params"]["name"].clone())
        .collect();
    assert_eq!(names, ["search_customers", "delete_customer"]);
}

#[tokio::test]
async fn a_reload_is_on_record_and_decisions_name_what_is_in_force() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    status(&agent, "search_customers").await;

    gateway.change(&[("search_*", "search_c*")]).await.unwrap();
    status(&agent, "search_customers").await;

    let reloads = gateway.records_of("config").await;
    assert_eq!(reloads.len(), 1, "{reloads:?}");
    assert_eq!(reloads[0]["action"], "reload");
    let decisions = gateway.records_of("decision").await;
    assert_eq!(decisions.len(), 2);
    let digests = |name: &str| {
        let digest = |index: usize| decisions[index].pointer(name).unwrap().clone();
        (digest(0), digest(1))
    };
    let (before, after) = digests("/policy/digest");
    assert_ne!(before, after, "another policy has another digest");
    let (before, after) = digests("/gateway/config");
    assert_ne!(before, after);
    assert_eq!(reloads[0]["gateway"]["config"], after);
}

#[tokio::test]
async fn a_policy_whose_tests_fail_changes_nothing() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    let cases = "- { as: { roles: [analyst] }, tool: delete_customer, expect: deny }\n";
    std::fs::write(gateway.setup.folder.path().join("cases.yaml"), cases).unwrap();
    gateway
        .change(&[("policy:\n", "policy:\n  tests: cases.yaml\n")])
        .await
        .unwrap();

    let told = gateway
        .change(&[("search_*", "delete_*")])
        .await
        .unwrap_err();

    assert!(told.contains("expected deny, got allow"), "{told}");
    assert_eq!(status(&agent, "search_customers").await, 200);
    assert_eq!(status(&agent, "delete_customer").await, 403);
    assert_eq!(upstream.count(), 1);
    gateway.change(&[("delete_*", "get_*")]).await.unwrap();
    assert_eq!(status(&agent, "search_customers").await, 403);
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_every_mistake_is_told() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;

    let told = gateway
        .change(&[(
            "    scopes: [\"crm:read\"]",
            "    scops: []\n    issuers: [corpse]",
        )])
        .await
        .unwrap_err();

    assert!(told.contains("unknown key `scops`"), "{told}");
    assert!(told.contains("corpse"), "{told}");
    assert_eq!(status(&agent, "search_customers").await, 200);
    assert_eq!(status(&agent, "delete_customer").await, 403);
    assert!(gateway.records_of("config").await.is_empty());
}

#[tokio::test]
async fn what_needs_a_restart_is_refused_by_name() {
    let upstream = Upstream::plain().await;
    let changes = [
        (
            "listen: { address: 127.0.0.1:0 }",
            "listen: { address: 127.0.0.1:1 }",
            "listen.address",
        ),
        (
            "ops: { address: 127.0.0.1:0 }",
            "ops: { address: 127.0.0.1:1 }",
            "ops.address",
        ),
        ("gatewright.sock", "other.sock", "admin.socket"),
        (
            "audit: { ledger: audit }",
            "audit: { ledger: elsewhere }",
            "audit",
        ),
    ];
    for (from, to, name) in changes {
        let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
        // All or nothing: the roles in the same file must not take effect either.
        let stricter = gateway.yaml.lock().unwrap().replace("search_*", "nothing");
        *gateway.yaml.lock().unwrap() = stricter;

        let told = gateway.change(&[(from, to)]).await.unwrap_err();

        assert!(told.contains(&format!("cannot change {name}:")), "{told}");
        assert_eq!(status(&agent, "search_customers").await, 200, "{name}");
    }
}

#[tokio::test]
async fn x13_a_list_that_comes_after_a_reload_is_filtered_by_the_new_policy() {
    let upstream = Upstream::start(|arrived| {
        let id = &arrived.json()["id"];
        let answer = json!({ "jsonrpc": "2.0", "id": id, "result": {
            "tools": [tool("search_customers"), tool("delete_customer")] } });
        let mut reply = Reply::events(vec![Bytes::from_static(b": begun\n\n")]);
        let event = Bytes::from(format!("data: {answer}\n\n"));
        reply.pieces.push((Duration::from_millis(500), event));
        reply
    })
    .await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    let message = list();
    let request = headers_of(agent.request(Method::POST), &message).body(message.to_string());
    let begun = request.send().await.unwrap();
    assert_eq!(upstream.completed(), 0);

    gateway.change(&[("search_*", "delete_*")]).await.unwrap();

    assert_eq!(upstream.completed(), 0, "the reload came in between");
    let ended = begun.text().await.unwrap();
    assert!(
        ended.contains("delete_customer") && !ended.contains("search_customers"),
        "{ended}"
    );
    let next = agent.modern(&list()).await.body;
    assert!(
        next.contains("delete_customer") && !next.contains("search_customers"),
        "{next}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloading_without_pause_under_load_fails_no_request() {
    const RELOADS: usize = 20;
    let upstream = Upstream::plain().await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    let (agent, done) = (Arc::new(agent), Arc::new(AtomicBool::new(false)));
    let answered = Arc::new(AtomicUsize::new(0));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (agent, done) = (Arc::clone(&agent), Arc::clone(&done));
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                while !done.load(Ordering::Acquire) {
                    let answer = agent.modern(&modern("search_customers", &json!({}))).await;
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    answered.fetch_add(1, Ordering::AcqRel);
                }
            })
        })
        .collect();
    let mut beat = tokio::time::interval(Duration::from_millis(50));

    for round in 0..RELOADS {
        beat.tick().await;
        let (from, to) = if round % 2 == 0 {
            ("search_*", "search_c*")
        } else {
            ("search_c*", "search_*")
        };
        gateway.change(&[(from, to)]).await.unwrap();
    }

    done.store(true, Ordering::Release);
    for worker in load {
        worker.await.expect("a request failed during a reload");
    }
    assert!(answered.load(Ordering::Acquire) > RELOADS, "there was load");
    assert_eq!(gateway.records_of("config").await.len(), RELOADS);
}

/// A place where keys are, which counts who comes.
async fn keys_of(issuer: &Issuer) -> Upstream {
    let keys = issuer.jwks();
    Upstream::start(move |_| Reply::json(&keys)).await
}

#[tokio::test]
async fn the_keys_of_an_issuer_that_did_not_change_are_not_fetched_again() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let keys = keys_of(&setup.issuer).await;
    let token = setup.analyst();
    let place = format!("jwks_uri: http://{}/jwks", keys.address);
    let yaml = setup
        .yaml(&upstream.url())
        .replace("jwks_file: jwks.json", &place);
    let gateway = Gateway::start(setup, yaml).await;
    let agent = Agent::new(gateway.url(), Some(token));
    assert_eq!(status(&agent, "search_customers").await, 200);
    assert_eq!(keys.count(), 1);

    for (from, to) in [("search_*", "search_c*"), ("search_c*", "search_*")] {
        gateway.change(&[(from, to)]).await.unwrap();
        assert_eq!(status(&agent, "search_customers").await, 200);
    }
    assert_eq!(keys.count(), 1, "the issuer did not change");

    gateway
        .change(&[(&place, &format!("{place}\n    max_token_lifetime: 30m"))])
        .await
        .unwrap();
    assert_eq!(status(&agent, "search_customers").await, 200);
    assert!(eventually(Duration::from_secs(2), || keys.count() == 2).await);
}

#[tokio::test]
async fn an_issuer_that_is_taken_out_is_not_believed_any_more() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    assert_eq!(status(&agent, "search_customers").await, 200);

    gateway
        .change(&[("url: https://auth.test", "url: https://other.test")])
        .await
        .unwrap();

    let answer = agent.modern(&modern("search_customers", &json!({}))).await;
    assert_eq!(
        (answer.status, answer.code()),
        (401, Some(40102)),
        "{}",
        answer.body
    );
    assert_eq!(upstream.count(), 1, "nothing that was refused may arrive");
}

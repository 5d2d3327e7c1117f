//! Persons in records: under pseudonyms whose meaning can be erased, and never under their names.

use std::os::unix::fs::PermissionsExt;

use gatewright::audit::names::Opener;
use serde_json::{Value, json};

use crate::edge::assert_refused;
use crate::support::{Agent, Gateway, Setup, Upstream, modern};

async fn sealed(setup: Setup, upstream: &Upstream) -> Gateway {
    let audit = ", subjects: sealed".to_owned();
    Setup { audit, ..setup }.start(upstream).await
}

/// The claims of Alice behind her planner, with a token id that tells who she is.
fn claims(setup: &Setup) -> Value {
    let mut claims = setup.issuer.claims("alice-canary", &["analyst"]);
    claims["scope"] = json!("crm:read");
    claims["act"] = json!({ "sub": "bob-canary", "act": { "sub": "agent-1" } });
    claims
}

async fn call(gateway: &Gateway, token: &str) -> u16 {
    let mut message = modern("search_x", &json!({}));
    message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] =
        json!({ "name": "canary's desk", "version": "1" });
    let agent = Agent::new(gateway.url(), Some(token.to_owned()));
    agent.modern(&message).await.status
}

fn opened(gateway: &Gateway, record: &Value) -> Value {
    let mut record = record.clone();
    Opener::read(&gateway.ledger()).unwrap().open(&mut record);
    record
}

async fn admin(gateway: &Gateway, target: &str) -> Result<String, String> {
    let socket = gateway.setup.folder.path().join("gatewright.sock");
    let method = hyper::Method::POST;
    let answer = gatewright::control::admin::command(&socket, method, target).await;
    answer.map_err(|error| error.to_string())
}

const ERASE: &str = "/subjects/erase?issuer=https%3A%2F%2Fauth.test&subject=";

#[tokio::test]
async fn a17_records_of_sealed_subjects_name_nobody_and_open_with_the_book() {
    let (setup, upstream) = (Setup::default(), Upstream::plain().await);
    let token = setup.issuer.sign_claims(&claims(&setup));
    let gateway = sealed(setup, &upstream).await;
    assert_eq!(call(&gateway, &token).await, 200);
    assert_eq!(call(&gateway, &token).await, 200);
    let records = gateway.outcomes(2).await;
    let decisions = gateway.records_of("decision").await;
    let all = json!([records, decisions]).to_string();
    assert!(
        !all.contains("canary") && !all.contains("127.0.0.1"),
        "{all}"
    );

    let decision = &decisions[0];
    assert_eq!(decision["sub"], decision["subject"]["id"]);
    assert_eq!(
        decision["sub"], decisions[1]["sub"],
        "one person has one name"
    );
    assert_eq!(decision["source"]["ip"], decisions[1]["source"]["ip"]);
    assert_eq!(
        decision["actor"]["chain"][1]["sub"], "agent-1",
        "the client is no person"
    );
    assert_eq!(records[0]["sub"], decision["sub"]);
    assert_eq!(records[0]["token_id"], decision["token_id"]);
    let open = opened(&gateway, decision);
    assert_eq!(open["subject"]["id"], "alice-canary");
    assert_eq!(
        (&open["act"], &open["source"]["ip"]),
        (&json!("bob-canary"), &json!("127.0.0.1"))
    );
    assert_eq!(open["actor"]["client_name"], "canary's desk");
    assert!(
        open["token_id"]
            .as_str()
            .unwrap()
            .starts_with("alice-canary-")
    );
}

#[tokio::test]
async fn a17_an_erased_person_is_nobody_and_others_stay_who_they_are() {
    let (setup, upstream) = (Setup::default(), Upstream::plain().await);
    let token = setup.issuer.sign_claims(&claims(&setup));
    let gateway = sealed(setup, &upstream).await;
    assert_eq!(call(&gateway, &token).await, 200);
    let decision = gateway.records_of("decision").await.remove(0);
    let done = admin(&gateway, &format!("{ERASE}alice-canary"))
        .await
        .unwrap();
    assert!(done.contains(decision["sub"].as_str().unwrap()), "{done}");
    let closed = opened(&gateway, &decision);
    assert_eq!(closed["sub"], decision["sub"]);
    assert_eq!(closed["source"]["ip"], decision["source"]["ip"]);
    assert_eq!(
        closed["act"], "bob-canary",
        "another person's name is another's"
    );
    assert!(!closed.to_string().contains("alice"));
    let said = gateway.records_of("lifecycle").await;
    let said = said
        .iter()
        .find(|record| record["action"] == "subject/erased")
        .unwrap();
    assert_eq!(said["sub"], decision["sub"]);
    assert!(said["act"].as_str().unwrap().starts_with("uid:"));

    assert_eq!(call(&gateway, &token).await, 200);
    let again = gateway.records_of("decision").await.pop().unwrap();
    assert_ne!(
        again["sub"], decision["sub"],
        "who comes back is somebody new"
    );
    let nobody = admin(&gateway, &format!("{ERASE}nobody"))
        .await
        .unwrap_err();
    assert!(nobody.contains("nothing to erase"), "{nobody}");
}

#[tokio::test]
async fn a17_agents_are_no_persons_and_keep_their_names() {
    let (setup, upstream) = (Setup::default(), Upstream::plain().await);
    let mut claims = setup.issuer.claims("agent-1", &["analyst"]);
    claims["scope"] = json!("crm:read");
    let token = setup.issuer.sign_claims(&claims);
    let gateway = sealed(setup, &upstream).await;
    assert_eq!(call(&gateway, &token).await, 200);
    let decision = gateway.records_of("decision").await.remove(0);
    assert_eq!(decision["sub"], "agent-1");
    assert_eq!(decision["source"]["ip"], "127.0.0.1");
    assert_eq!(decision["actor"]["client_name"], "canary's desk");
}

#[tokio::test]
async fn plain_subjects_need_no_book_and_cannot_be_erased() {
    let (setup, upstream) = (Setup::default(), Upstream::plain().await);
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    assert_eq!(call(&gateway, &token).await, 200);
    assert_eq!(gateway.records_of("decision").await[0]["sub"], "alice");
    assert!(!gateway.setup.folder.path().join("audit.subjects").exists());
    let refused = admin(&gateway, &format!("{ERASE}alice")).await.unwrap_err();
    assert!(refused.contains("audit.subjects: sealed"), "{refused}");
    let change = gateway
        .change(&[("{ ledger: audit }", "{ ledger: audit, subjects: sealed }")])
        .await
        .unwrap_err();
    assert!(change.contains("audit.subjects"), "{change}");
}

#[tokio::test]
async fn a_person_that_cannot_be_named_is_refused_and_nothing_goes_on() {
    let (setup, upstream) = (Setup::default(), Upstream::plain().await);
    let token = setup.analyst();
    let gateway = sealed(setup, &upstream).await;
    // A file where the folder was: whoever runs the test may write everywhere.
    let book = gateway.setup.folder.path().join("audit.subjects");
    std::fs::remove_dir(&book).unwrap();
    std::fs::write(&book, "").unwrap();
    std::fs::set_permissions(&book, std::fs::Permissions::from_mode(0o600)).unwrap();
    let agent = Agent::new(gateway.url(), Some(token.clone()));
    let answer = agent.modern(&modern("search_x", &json!({}))).await;
    assert_refused(&answer, 503, 50302);
    assert_eq!(upstream.count(), 0);

    std::fs::remove_file(&book).unwrap();
    std::fs::create_dir(&book).unwrap();
    assert_eq!(call(&gateway, &token).await, 200);
    assert_eq!(upstream.count(), 1);
}

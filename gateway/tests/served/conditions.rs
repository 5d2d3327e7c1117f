//! What conditions look at, with real tokens and bodies: arguments, hours, the source, claims and details. What they deny
//! never arrives.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::edge::{assert_on_record, assert_refused, challenge};
use crate::support::{
    Agent, Answer, Gateway, Hands, Setup, Upstream, call, list, modern, stateless,
};

/// Rows of `analyst`, each indented as the file has them; and what else `policy` says.
async fn with(rows: &str, more: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::plain().await;
    let gateway = setup(rows, more).start(&upstream).await;
    (gateway, upstream)
}

fn setup(rows: &str, more: &str) -> Setup {
    let rows: Vec<_> = rows
        .lines()
        .map(|row| format!("        - {row}\n"))
        .collect();
    Setup {
        roles: format!("    analyst:\n      crm:\n{}{more}", rows.concat()),
        ..Setup::default()
    }
}

fn alice(gateway: &Gateway) -> Agent {
    Agent::new(gateway.url(), Some(gateway.setup.analyst()))
}

/// Somebody with these claims besides the usual ones.
fn with_claims(gateway: &Gateway, claims: &Value) -> Agent {
    let mut all = gateway.setup.issuer.claims("alice", &["analyst"]);
    all["scope"] = json!("crm:read");
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let token = gateway.setup.issuer.sign_claims(&all);
    Agent::new(gateway.url(), Some(token))
}

async fn refund(agent: &Agent, arguments: Value) -> Answer {
    agent.modern(&modern("refund", &arguments)).await
}

const UP_TO_100: &str = "{ tool: refund, when: \"context.args.amount <= 100\" }";

#[tokio::test]
async fn a_condition_on_an_argument_decides_about_the_very_call_in_both_eras() {
    let (gateway, upstream) = with(UP_TO_100, "").await;
    let agent = alice(&gateway);
    assert_eq!(refund(&agent, json!({ "amount": 100 })).await.status, 200);
    assert_eq!(upstream.count(), 1);

    let answer = refund(&agent, json!({ "amount": 101 })).await;
    assert_refused(&answer, 403, 40304);
    assert_eq!(answer.json()["id"], 7);
    assert_eq!(answer.header("www-authenticate"), None);
    let old = agent
        .legacy(&call("refund", &json!({ "amount": 101 })))
        .await;
    assert_eq!((old.status, old.code()), (200, Some(40304)));
    assert_eq!(upstream.count(), 1);

    let decisions = gateway.records_of("decision").await;
    assert_eq!(
        decisions[0]["policy"]["ids"],
        json!(["roles.analyst.crm[0]"])
    );
    assert_on_record(&decisions[1], &answer, "decision", "argument_denied");
    assert_eq!(
        decisions[1]["policy"]["ids"],
        json!(["roles.analyst.crm[0]"])
    );
    let written = decisions[1].to_string();
    assert!(!written.contains("amount"), "{written}");
}

#[tokio::test]
async fn an_argument_that_is_missing_or_of_another_type_denies() {
    let (gateway, upstream) = with(UP_TO_100, "").await;
    let agent = alice(&gateway);
    for arguments in [
        json!({}),
        json!({ "amount": null }),
        json!({ "amount": "1" }),
        json!({ "amount": 1.0 }),
        json!({ "amount": [1] }),
        json!({ "Amount": 1 }),
    ] {
        assert_refused(&refund(&agent, arguments).await, 403, 40304);
    }
    let none = stateless("tools/call", &json!({ "name": "refund" }));
    assert_refused(&agent.modern(&none).await, 403, 40304);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn z07_what_was_decided_about_is_what_arrives() {
    let (gateway, upstream) = with(UP_TO_100, "").await;
    let agent = alice(&gateway);
    // Whoever reads the last of two keys reads another amount: the gateway reads none of them.
    let twice = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"refund","arguments":{"amount":1,"amount":1000}}}"#;
    let answer = agent.bytes(twice).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    let escaped = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"refund","arguments":{"\u0061mount":1000}}}"#;
    assert_eq!(agent.bytes(escaped).await.code(), Some(40304));
    assert_eq!(upstream.count(), 0);
    let good = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"refund","arguments":{"\u0061mount":1 }}}"#;
    assert_eq!(agent.bytes(good).await.status, 200);
    assert_eq!(upstream.arrived()[0].body, good, "byte for byte");
}

#[tokio::test]
async fn a_list_shows_what_some_call_may_do_and_hides_what_none_may() {
    let rows = "{ tool: search_customers, when: \"context.args.limit <= 10\" }\n\
                { tool: get_customer, when: 'principal.kind == \"service\"' }";
    let (gateway, _upstream) = with(rows, "").await;
    let agent = alice(&gateway);
    let answer = agent.modern(&list()).await;
    let tools = answer.json()["result"]["tools"].clone();
    let names: Vec<_> = tools
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert_eq!(names, ["search_customers"]);
    let hidden = agent.modern(&modern("get_customer", &json!({}))).await;
    assert_refused(&hidden, 403, 40301);
}

#[tokio::test]
async fn hours_are_those_of_the_policys_time_zone() {
    // Monday 2027-01-04, 07:50 UTC: ten minutes before nine in Berlin.
    let clock = Arc::new(Hands::at(1_799_049_000));
    let hours = "{ tool: get_customer, when: \"context.weekday == 1 && context.minute >= 540 && context.minute < 1020\" }";
    let setup = setup(hours, "  time_zone: Europe/Berlin\n");
    let mut claims = setup.issuer.claims("alice", &["analyst"]);
    claims["scope"] = json!("crm:read");
    claims["iat"] = json!(clock.seconds());
    claims["exp"] = json!(clock.seconds() + 3600);
    let token = setup.issuer.sign_claims(&claims);
    let upstream = Upstream::plain().await;
    let yaml = setup.yaml(&upstream.url());
    let gateway = Gateway::start_by(setup, yaml, clock.clone()).await;
    let agent = Agent::new(gateway.url(), Some(token));
    let get = modern("get_customer", &json!({}));

    let early = agent.modern(&get).await;
    assert_refused(&early, 403, 40305);
    let shown = agent.modern(&list()).await.json()["result"]["tools"].clone();
    assert_eq!(shown, json!([]), "a list decides as a call would");
    let decisions = gateway.records_of("decision").await;
    assert_on_record(&decisions[0], &early, "decision", "outside_hours");

    clock.forward(Duration::from_secs(600));
    assert_eq!(agent.modern(&get).await.status, 200);
    assert_eq!(upstream.count(), 2, "the list and one call");
}

#[tokio::test]
async fn the_source_is_the_peer_of_the_connection_and_no_header() {
    let row = |range: &str| {
        format!(
            "{{ tool: get_customer, when: 'context has source && context.source.isInRange(ip(\"{range}\"))' }}"
        )
    };
    let (gateway, upstream) = with(&row("127.0.0.0/8"), "").await;
    let get = modern("get_customer", &json!({}));
    assert_eq!(alice(&gateway).modern(&get).await.status, 200);
    assert_eq!(upstream.count(), 1);

    let (gateway, upstream) = with(&row("10.0.0.0/8"), "").await;
    let request = alice(&gateway).request(reqwest::Method::POST);
    let request = crate::support::headers_of(request, &get)
        .header("x-forwarded-for", "10.0.0.1")
        .header("forwarded", "for=10.0.0.1");
    let answer = crate::support::send(request.body(get.to_string())).await;
    assert_refused(&answer, 403, 40301);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_claim_of_the_token_keeps_tenants_apart() {
    let row = "{ tool: get_customer, when: \"principal.claims.tenant == context.args.tenant\" }";
    let (gateway, upstream) = with(row, "").await;
    let get = |tenant: &str| modern("get_customer", &json!({ "tenant": tenant }));
    let acme = with_claims(&gateway, &json!({ "tenant": "acme" }));
    assert_eq!(acme.modern(&get("acme")).await.status, 200);
    assert_refused(&acme.modern(&get("globex")).await, 403, 40304);
    for claims in [
        json!({}),
        json!({ "tenant": ["globex"] }),
        json!({ "tenant": null }),
    ] {
        let nobody = with_claims(&gateway, &claims);
        let answer = nobody.modern(&get("globex")).await;
        assert_eq!(answer.status, 403, "{claims}");
    }
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn authorization_details_bound_the_call_that_they_are_about() {
    let row =
        "{ tool: book, details: flights, when: \"context.args.price <= context.details.up_to\" }";
    let (gateway, upstream) = with(row, "").await;
    let book = |price: u64| modern("book", &json!({ "price": price }));
    let with_details =
        |details: Value| with_claims(&gateway, &json!({ "authorization_details": details }));
    let agent = with_details(json!([
        { "type": "hotels", "up_to": 5000 },
        { "type": "flights", "up_to": 300 },
        { "type": "flights", "up_to": 800, "locations": [crate::support::resource()] },
        { "type": "flights", "up_to": 9000, "locations": ["https://other.test/mcp"] },
    ]));
    for allowed in [300, 800] {
        assert_eq!(agent.modern(&book(allowed)).await.status, 200, "{allowed}");
    }
    assert_refused(&agent.modern(&book(801)).await, 403, 40304);
    for nothing in [
        json!([]),
        json!({ "type": "flights", "up_to": 800 }),
        json!([{ "up_to": 800 }]),
    ] {
        let answer = with_details(nothing).modern(&book(1)).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
    }
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn a_missing_scope_is_named_for_the_very_call_that_it_would_allow() {
    let rows = "{ tool: refund, when: \"context.args.amount <= 100\" }\n\
                { tool: refund, scopes: [\"crm:refund\"], when: \"context.args.amount <= 1000\" }";
    let (gateway, upstream) = with(rows, "").await;
    let poor = alice(&gateway);
    assert_eq!(refund(&poor, json!({ "amount": 100 })).await.status, 200);
    let answer = refund(&poor, json!({ "amount": 500 })).await;
    assert_refused(&answer, 403, 40300);
    assert_eq!(
        challenge(&answer).parameter("scope"),
        Some("crm:read crm:refund")
    );
    assert_refused(&refund(&poor, json!({ "amount": 5000 })).await, 403, 40304);
    let rich = with_claims(&gateway, &json!({ "scope": "crm:read crm:refund" }));
    assert_eq!(refund(&rich, json!({ "amount": 500 })).await.status, 200);
    assert_refused(&refund(&rich, json!({ "amount": 5000 })).await, 403, 40304);
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn z03_a_policy_that_forbids_wins_and_is_named() {
    let upstream = Upstream::plain().await;
    let setup = setup("refund", "  cedar: [rules.cedar]\n");
    let forbid = "@id(\"night\") forbid (principal, action, resource) when { context.args.amount > 50 };\n\
                  @id(\"tenant\") forbid (principal, action, resource) when { context.args.amount > 70 };";
    std::fs::write(setup.folder.path().join("rules.cedar"), forbid).unwrap();
    let gateway = setup.start(&upstream).await;
    let agent = alice(&gateway);
    assert_eq!(refund(&agent, json!({ "amount": 50 })).await.status, 200);
    assert_refused(&refund(&agent, json!({ "amount": 51 })).await, 403, 40304);
    assert_refused(&refund(&agent, json!({ "amount": 71 })).await, 403, 40304);
    assert_refused(&refund(&agent, json!({})).await, 403, 40304);
    assert_eq!(upstream.count(), 1);
    let decisions = gateway.records_of("decision").await;
    assert_eq!(decisions[1]["policy"]["ids"], json!(["night"]));
    assert_eq!(decisions[2]["policy"]["ids"], json!(["night", "tenant"]));
}

#[tokio::test]
async fn z06_a_policy_that_errs_denies() {
    let row = "{ tool: refund, when: \"context.args.amount + 1 <= 100\" }";
    let (gateway, upstream) = with(row, "").await;
    let agent = alice(&gateway);
    assert_eq!(refund(&agent, json!({ "amount": 99 })).await.status, 200);
    let answer = refund(&agent, json!({ "amount": i64::MAX })).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn a_condition_may_look_at_the_arguments_of_a_prompt_and_not_beyond() {
    let row = "{ prompt: summarise, when: 'context.args.tone == \"kind\"' }";
    let (gateway, upstream) = with(row, "").await;
    let agent = alice(&gateway);
    let get = |tone: &str| {
        let params = json!({ "name": "summarise", "arguments": { "tone": tone } });
        stateless("prompts/get", &params)
    };
    assert_eq!(agent.modern(&get("kind")).await.status, 200);
    assert_refused(&agent.modern(&get("rude")).await, 403, 40304);
    assert_eq!(upstream.count(), 1);
}

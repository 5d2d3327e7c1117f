//! How much may be used in a time: calls and sums of arguments, of a principal, a role or a tool. What is past it never
//! arrives.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::edge::{assert_on_record, assert_refused};
use crate::support::{Agent, Answer, Gateway, Hands, Setup, Upstream, call, list, modern};

struct Scene {
    gateway: Gateway,
    upstream: Upstream,
    clock: Arc<Hands>,
}

impl Scene {
    /// Rows of `analyst` under a clock that stands.
    async fn of(rows: &str) -> Self {
        let rows: Vec<_> = rows
            .lines()
            .map(|row| format!("        - {row}\n"))
            .collect();
        let setup = Setup {
            roles: format!("    analyst:\n      crm:\n{}", rows.concat()),
            ..Setup::default()
        };
        let upstream = Upstream::plain().await;
        let yaml = setup.yaml(&upstream.url());
        let clock = Arc::new(Hands::at(1_800_000_000));
        let gateway = Gateway::start_by(setup, yaml, clock.clone()).await;
        Self {
            gateway,
            upstream,
            clock,
        }
    }

    fn agent(&self, subject: &str) -> Agent {
        let issuer = &self.gateway.setup.issuer;
        let mut claims = issuer.claims(subject, &["analyst"]);
        claims["scope"] = json!("crm:read");
        claims["iat"] = json!(self.clock.seconds());
        claims["exp"] = json!(self.clock.seconds() + 3600);
        Agent::new(self.gateway.url(), Some(issuer.sign_claims(&claims)))
    }
}

async fn use_tool(agent: &Agent, tool: &str, arguments: Value) -> Answer {
    agent.modern(&modern(tool, &arguments)).await
}

#[tokio::test]
async fn a_limit_of_ten_refuses_the_eleventh_call_until_its_window_ends() {
    let scene = Scene::of("{ tool: get_customer, limit: 10/hour }").await;
    let alice = scene.agent("alice");
    for _ in 0..10 {
        assert_eq!(
            use_tool(&alice, "get_customer", json!({})).await.status,
            200
        );
        scene.clock.forward(Duration::from_secs(60));
    }
    let answer = use_tool(&alice, "get_customer", json!({})).await;
    assert_refused(&answer, 429, 42901);
    assert_eq!(answer.json()["id"], 7);
    assert_eq!(answer.header("retry-after"), Some("3000"));
    assert_eq!(answer.json()["error"]["data"]["retry_after"], 3000);
    assert_eq!(answer.json()["error"]["data"]["reason"], "budget_spent");
    let old = alice.legacy(&call("get_customer", &json!({}))).await;
    assert_eq!((old.status, old.code()), (200, Some(42901)));
    assert_eq!(old.header("retry-after"), Some("3000"));
    assert_eq!(scene.upstream.count(), 10);
    let decisions = scene.gateway.records_of("decision").await;
    assert_on_record(&decisions[10], &answer, "decision", "budget_spent");
    assert_eq!(
        decisions[10]["policy"]["ids"],
        json!(["roles.analyst.crm[0]"])
    );

    assert_eq!(
        alice.modern(&list()).await.status,
        200,
        "a list costs nothing"
    );
    let bob = scene.agent("bob");
    assert_eq!(use_tool(&bob, "get_customer", json!({})).await.status, 200);
    scene.clock.forward(Duration::from_secs(3000));
    let alice = scene.agent("alice");
    assert_eq!(
        use_tool(&alice, "get_customer", json!({})).await.status,
        200
    );
    assert_eq!(scene.upstream.count(), 13);
}

#[tokio::test]
async fn a_sum_over_an_argument_is_taken_whole_or_not_at_all() {
    let scene = Scene::of("{ tool: refund, limit: \"sum(args.amount) <= 500/day\" }").await;
    let alice = scene.agent("alice");
    let refund =
        async |amount: Value| use_tool(&alice, "refund", json!({ "amount": amount })).await;
    assert_eq!(refund(json!(300)).await.status, 200);
    let over = refund(json!(201)).await;
    assert_refused(&over, 429, 42901);
    assert_eq!(over.header("retry-after"), Some("86400"));
    assert_eq!(
        refund(json!(200)).await.status,
        200,
        "the refusal took nothing"
    );
    assert_refused(&refund(json!(1)).await, 429, 42901);
    // More than there will ever be: no waiting helps.
    let never = refund(json!(501)).await;
    assert_refused(&never, 403, 40304);
    assert_eq!(never.header("retry-after"), None);
    for bad in [json!(-1), json!("1"), json!(1.5), Value::Null] {
        assert_eq!(refund(bad).await.status, 403);
    }
    assert_eq!(scene.upstream.count(), 2);
}

#[tokio::test]
async fn what_is_refused_for_another_reason_takes_nothing() {
    let row = "{ tool: refund, when: \"context.args.amount <= 100\", limit: [2/hour, \"sum(args.amount) <= 100/hour\"] }";
    let scene = Scene::of(row).await;
    let alice = scene.agent("alice");
    let refund = async |amount: u64| use_tool(&alice, "refund", json!({ "amount": amount })).await;
    for _ in 0..3 {
        assert_refused(&refund(101).await, 403, 40304);
    }
    assert_eq!(refund(60).await.status, 200);
    assert_refused(&refund(60).await, 429, 42901);
    assert_eq!(
        refund(40).await.status,
        200,
        "calls and sum: both or none were taken"
    );
    assert_refused(&refund(0).await, 429, 42901);
    assert_eq!(scene.upstream.count(), 2);
}

#[tokio::test]
async fn a_limit_counts_a_role_or_a_tool_when_it_says_so() {
    let rows = "{ tool: get_customer, limit: 2/hour per role }\n\
                { tool: \"search_*\", limit: 1/hour per tool }";
    let scene = Scene::of(rows).await;
    let (alice, bob) = (scene.agent("alice"), scene.agent("bob"));
    assert_eq!(
        use_tool(&alice, "get_customer", json!({})).await.status,
        200
    );
    assert_eq!(use_tool(&bob, "get_customer", json!({})).await.status, 200);
    assert_refused(
        &use_tool(&alice, "get_customer", json!({})).await,
        429,
        42901,
    );
    assert_eq!(use_tool(&alice, "search_a", json!({})).await.status, 200);
    assert_refused(&use_tool(&bob, "search_a", json!({})).await, 429, 42901);
    assert_eq!(use_tool(&bob, "search_b", json!({})).await.status, 200);
    assert_eq!(scene.upstream.count(), 4);
}

#[tokio::test]
async fn a_reload_forgets_no_budget() {
    let scene = Scene::of("{ tool: get_customer, limit: 1/hour }").await;
    let alice = scene.agent("alice");
    assert_eq!(
        use_tool(&alice, "get_customer", json!({})).await.status,
        200
    );
    let change = [("- { tool: get_customer", "- { tool:   get_customer")];
    scene.gateway.change(&change).await.unwrap();
    assert_refused(
        &use_tool(&alice, "get_customer", json!({})).await,
        429,
        42901,
    );
    assert_eq!(scene.upstream.count(), 1);
}

#[tokio::test]
async fn a_denial_that_is_always_403_is_still_429_for_a_budget() {
    let setup = Setup {
        roles: "    analyst:\n      crm:\n        - { tool: get_customer, limit: 0/hour }\n".into(),
        extra: "deny_http_status: 403\n".into(),
        ..Setup::default()
    };
    let upstream = Upstream::plain().await;
    let (_gateway, agent) = setup.start_with_agent(&upstream).await;
    let answer = agent.legacy(&call("get_customer", &json!({}))).await;
    assert_refused(&answer, 429, 42901);
    let denied = agent.legacy(&call("other", &json!({}))).await;
    assert_refused(&denied, 403, 40301);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn who_opens_too_many_budgets_is_refused_as_our_fault_and_others_are_not() {
    let scene = Scene::of("{ tool: \"get_*\", limit: 5/hour per tool }").await;
    let alice = scene.agent("alice");
    for number in 0..1024 {
        let answer = use_tool(&alice, &format!("get_{number}"), json!({})).await;
        assert_eq!(answer.status, 200, "{number}: {}", answer.body);
    }
    let answer = use_tool(&alice, "get_more", json!({})).await;
    assert_refused(&answer, 503, 50305);
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(scene.upstream.count(), 1024);
    let bob = scene.agent("bob");
    assert_eq!(use_tool(&bob, "get_more", json!({})).await.status, 200);
}

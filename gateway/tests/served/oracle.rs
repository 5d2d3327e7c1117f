//! Whatever arrives at a server through a real gateway is what the oracle allows, byte for byte.

#[path = "../oracle/heads.rs"]
mod heads;
#[path = "../oracle/json.rs"]
mod json;
#[path = "../oracle/messages.rs"]
mod messages;
#[path = "../oracle/model.rs"]
mod model;
#[path = "../oracle/readers.rs"]
mod readers;
#[path = "../oracle/rules.rs"]
mod rules;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::support::{Setup, Upstream};
use crate::wire::{JSON, Lines, Wire};
use messages::Sent;
use model::{Head, allowed};

/// What `rules` says, as a file says it.
const ROLES: &str = r#"    analyst:
      crm: [search_*, get_customer, run report, { prompt: "draft-*" }, { resource: "crm://customers/*" }]
"#;
const MESSAGES: usize = 1_000;

/// The headers as they are sent: what no header can say is left out.
fn lines(head: &Head) -> Lines {
    let mut lines = Lines::of(&[JSON]);
    for (name, value) in [
        ("mcp-protocol-version", &head.version),
        ("mcp-method", &head.method),
        ("mcp-name", &head.name),
    ] {
        let value = value.as_ref();
        if let Some(value) = value.filter(|value| value.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            lines = lines.plus(name, value);
        }
    }
    lines
}

async fn all_that_arrives_is_allowed(messages: impl Strategy<Value = Sent>) -> usize {
    let setup = Setup {
        roles: ROLES.into(),
        ..Setup::default()
    };
    let wire = Wire::with(setup, Upstream::plain().await).await;
    let mut runner = TestRunner::deterministic();
    let mut arrived = 0;
    for _ in 0..MESSAGES {
        let sent = messages.new_tree(&mut runner).unwrap().current();
        let head = sent.head();
        let answer = wire.post(&lines(&head), sent.body.clone()).await;
        let shown = String::from_utf8_lossy(&sent.body);
        if wire.upstream.count() == arrived {
            assert!(answer.status != 502, "{shown}: {}", answer.body);
            continue;
        }
        arrived += 1;
        assert_eq!(wire.upstream.count(), arrived, "{shown}");
        assert!(wire.upstream.arrived().pop().unwrap().body == sent.body);
        let deed = allowed(&sent.body, &head, rules::may)
            .unwrap_or_else(|| panic!("the oracle does not allow {shown} under {head:?}"));
        readers::every_model_agrees(&deed, &sent.body);
    }
    arrived
}

#[tokio::test]
async fn q19_what_arrives_of_structured_messages_is_allowed() {
    let arrived = all_that_arrives_is_allowed(messages::structured()).await;
    assert!(arrived > 40, "only {arrived} arrive");
}

#[tokio::test]
async fn q19_q20_q22_q23_what_arrives_under_false_headers_is_allowed() {
    let arrived = all_that_arrives_is_allowed(messages::disguised()).await;
    assert!(arrived > 40, "only {arrived} arrive");
}

#[tokio::test]
async fn q02_what_arrives_of_changed_messages_is_allowed() {
    let arrived = all_that_arrives_is_allowed(messages::mutated()).await;
    assert!(arrived > 20, "only {arrived} arrive");
}

#[tokio::test]
async fn q14_of_bytes_at_random_nothing_arrives() {
    assert_eq!(all_that_arrives_is_allowed(messages::raw()).await, 0);
}

//! What is judged: the gateway's own reader and its policy, put together as the gateway does. Never adds a check.

use gatewright::mcp::{Access, Bounds, Message, Mirrored, Target, read};
use gatewright_policies as policies;
use gatewright_policies::{PolicySet, PolicySource, Question, Row};

use super::model::{Deed, Head};

/// What `rules` says, as a policy.
pub(crate) fn table() -> PolicySet {
    let rows = [
        (policies::Access::Tool, "search_*"),
        (policies::Access::Tool, "get_customer"),
        (policies::Access::Tool, "run report"),
        (policies::Access::Prompt, "draft-*"),
        (policies::Access::Resource, "crm://customers/*"),
    ];
    let rows = rows
        .into_iter()
        .map(|(access, pattern)| Row::plain("analyst", "crm", access, pattern));
    let source = PolicySource {
        rows: rows.collect(),
        ..PolicySource::default()
    };
    PolicySet::build(source).expect("the patterns are good")
}

/// What the gateway would send on, if it would.
pub(crate) fn forwarded(body: &[u8], head: &Head, table: &PolicySet) -> Option<Deed> {
    let mirrored = Mirrored {
        protocol_version: head.version.as_deref().map(str::as_bytes),
        method: head.method.as_deref().map(str::as_bytes),
        name: head.name.as_deref().map(str::as_bytes),
    };
    let (method, name, target) = match read(body, mirrored, Bounds::default()).ok()?.message {
        Message::Request(call) => (call.method, call.method_name, call.target),
        Message::Notification {
            method,
            method_name,
            ..
        } => (method, method_name, Target::None),
        // Nothing is done by an answer.
        Message::Response { .. } => return None,
    };
    // Whatever else opens a method is asked elsewhere and only refuses more.
    let names = if method.access() == Access::Open {
        Vec::new()
    } else if method.access() == Access::ByTarget {
        reached(target, table)?
    } else {
        return None;
    };
    Some(Deed {
        method: name.into(),
        names,
    })
}

fn reached(target: Target, table: &PolicySet) -> Option<Vec<String>> {
    let (access, names) = match target {
        Target::Tool(name) => (policies::Access::Tool, vec![name]),
        Target::Prompt(name) => (policies::Access::Prompt, vec![name]),
        Target::Resource(uri) => (policies::Access::Resource, vec![uri]),
        Target::Resources(uris) => (policies::Access::Resource, uris),
        Target::None | Target::Task(_) => return None,
    };
    let is_allowed = |name: &str| {
        let question = Question {
            server: "crm",
            roles: &["analyst"],
            access,
            name,
            scopes: &[] as &[&str],
        };
        table
            .decide(&question, || unreachable!("no row has a condition"))
            .is_allow()
    };
    names
        .iter()
        .all(|name| is_allowed(name))
        .then(|| names.into_iter().map(String::from).collect())
}

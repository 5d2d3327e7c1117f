//! A list shows what its reader may use, whatever way the server sends it, and nothing of the rest.

mod calls;
mod faults;
mod heads;

use serde_json::{Value, json};

use crate::support::{Answer, Arrived, Reply, Setup, Upstream, legacy, stateless};
use crate::wire::Wire;

/// One list method and what its answer has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) method: &'static str,
    member: &'static str,
    key: &'static str,
    /// In the order of the list.
    names: [&'static str; 5],
    allowed: &'static [&'static str],
}

pub(super) const KINDS: [Kind; 4] = [
    Kind {
        method: "tools/list",
        member: "tools",
        key: "name",
        names: [
            "drop_SECRET",
            "search_b",
            "get_customer",
            "SECRETS",
            "search_a",
        ],
        allowed: &["search_b", "get_customer", "search_a"],
    },
    Kind {
        method: "prompts/list",
        member: "prompts",
        key: "name",
        names: [
            "SECRET",
            "summarise",
            "summarise_SECRET",
            "SECRET2",
            "SECRET3",
        ],
        allowed: &["summarise"],
    },
    Kind {
        method: "resources/list",
        member: "resources",
        key: "uri",
        names: [
            "crm://customers/2",
            "SECRET://x",
            "crm://SECRET/1",
            "crm://customers/1",
            "SECRET://y",
        ],
        allowed: &["crm://customers/2", "crm://customers/1"],
    },
    Kind {
        method: "resources/templates/list",
        member: "resourceTemplates",
        key: "uriTemplate",
        names: [
            "SECRET://{x}",
            "crm://customers/{id}",
            "SECRET://{y}",
            "crm://SECRET/{id}",
            "{SECRET}",
        ],
        allowed: &["crm://customers/{id}"],
    },
];

/// Stands in every name that is denied, and nowhere else.
pub(super) const SECRET: &str = "SECRET";

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Era {
    Legacy,
    Modern,
}

pub(super) const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

impl Kind {
    fn items(&self) -> Vec<Value> {
        let item = |name: &&str| json!({ self.key: name, "title": format!("is {name}"), "x": { "ä": [1] } });
        self.names.iter().map(item).collect()
    }

    /// The result with everything that the server could say beside the list.
    fn result(&self) -> Value {
        json!({
            self.member: self.items(), "nextCursor": "page 2", "ttlMs": 5000, "cacheScope": "public",
            "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "crm" } },
            "hint": "there is also SECRET",
        })
    }

    /// The answer to the request with id 7.
    pub(super) fn answer(&self) -> Value {
        json!({ "jsonrpc": "2.0", "id": 7, "result": self.result() })
    }

    #[track_caller]
    fn assert_filtered(&self, era: Era, message: &Value) {
        assert_eq!(message["id"], 7);
        let result = &message["result"];
        let expected: Vec<_> = self
            .items()
            .into_iter()
            .filter(|item| self.allowed.contains(&item[self.key].as_str().unwrap()))
            .collect();
        assert_eq!(result[self.member], json!(expected), "{era:?} {self:?}");
        assert_eq!(result["nextCursor"], "page 2");
        assert_eq!(result["_meta"], self.result()["_meta"]);
        assert_eq!(result["cacheScope"], "private", "what depends on who asks");
        assert_eq!(result.get("hint"), None, "no list has this member");
    }
}

pub(super) async fn ask(wire: &Wire, era: Era, method: &str) -> Answer {
    match era {
        Era::Legacy => wire.agent.legacy(&legacy(method, &json!({}))).await,
        Era::Modern => wire.agent.modern(&stateless(method, &json!({}))).await,
    }
}

/// An upstream that answers everything so.
pub(super) async fn answering(reply: impl Fn(&Arrived) -> Reply + Send + Sync + 'static) -> Wire {
    Wire::with(Setup::default(), Upstream::start(reply).await).await
}

/// The messages of an event stream as the gateway writes it.
pub(super) fn events(body: &str) -> Vec<Value> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn kind_of(arrived: &Arrived) -> Kind {
    let method = arrived.json()["method"].clone();
    *KINDS.iter().find(|kind| method == kind.method).unwrap()
}

/// A stream with all that may stand before and around a list; its answer takes two data lines.
fn stream(kind: &Kind, end: &str) -> String {
    let answer = kind.answer().to_string();
    let (first, second) = answer.split_once(",\"result\"").unwrap();
    [
        "\u{feff}: hello",
        "",
        "event: message",
        "id: 1",
        r#"data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":1}}"#,
        "",
        "retry: 1000",
        "id: 2",
        &format!("data: {first}"),
        &format!("data:,\"result\"{second}"),
        "",
        ":",
        "",
    ]
    .map(|line| format!("{line}{end}"))
    .concat()
}

#[tokio::test]
async fn u01_a_list_in_json_loses_what_is_denied_and_keeps_the_rest_in_order() {
    for era in ERAS {
        let wire = answering(|arrived| Reply::json(&kind_of(arrived).answer())).await;
        for kind in KINDS {
            let answer = ask(&wire, era, kind.method).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert!(!answer.body.contains(SECRET), "{}", answer.body);
            kind.assert_filtered(era, &answer.json());
        }
        assert_eq!(wire.outcomes(KINDS.len()).await, ["ok"; KINDS.len()]);
    }
}

#[tokio::test]
async fn s05_a_list_is_marked_private_only_where_the_revision_knows_the_mark() {
    let bare = json!({ "jsonrpc": "2.0", "id": 7, "result": { "tools": [] } });
    let wire = answering(move |_| Reply::json(&bare)).await;
    let legacy = ask(&wire, Era::Legacy, "tools/list").await.json();
    let modern = ask(&wire, Era::Modern, "tools/list").await.json();
    assert_eq!(legacy["result"], json!({ "tools": [] }));
    assert_eq!(
        modern["result"],
        json!({ "tools": [], "cacheScope": "private" })
    );
}

#[tokio::test]
async fn u02_a_list_as_events_loses_what_is_denied_with_every_line_end_and_byte_by_byte() {
    for end in ["\n", "\r", "\r\n"] {
        let wire = answering(move |arrived| {
            let text = stream(&kind_of(arrived), end);
            let bytes = bytes::Bytes::from(text);
            Reply::events((0..bytes.len()).map(|at| bytes.slice(at..=at)).collect())
        })
        .await;
        for (era, kind) in ERAS.iter().flat_map(|era| KINDS.map(|kind| (*era, kind))) {
            let answer = ask(&wire, era, kind.method).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert!(!answer.body.contains(SECRET), "{end:?}: {}", answer.body);
            let messages = events(&answer.body);
            assert_eq!(messages[0]["method"], "notifications/message");
            assert_eq!(messages.len(), 2, "{}", answer.body);
            kind.assert_filtered(era, &messages[1]);
            assert!(answer.body.contains("id: 2\n"), "{}", answer.body);
            assert!(answer.body.contains("retry: 1000\n"), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn u02_a_list_as_events_is_filtered_wherever_its_bytes_are_split() {
    let kind = KINDS[0];
    let text = bytes::Bytes::from(stream(&kind, "\r\n"));
    let length = text.len();
    let split = std::sync::atomic::AtomicUsize::new(1);
    let wire = answering(move |_| {
        let at = split.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Reply::events(vec![text.slice(..at), text.slice(at..)])
    })
    .await;
    for at in 1..length {
        let answer = ask(&wire, Era::Modern, kind.method).await;
        assert!(!answer.body.contains(SECRET), "{at}: {}", answer.body);
        kind.assert_filtered(Era::Modern, &events(&answer.body)[1]);
    }
    assert_eq!(wire.upstream.count(), length - 1);
}

#[tokio::test]
async fn u01_a_list_in_json_is_filtered_in_pieces_of_one_byte() {
    let wire = answering(|arrived| {
        let text = kind_of(arrived).answer().to_string();
        let mut reply = Reply::json(&Value::Null);
        let pieces = text.bytes().map(|byte| vec![byte].into());
        reply.pieces = pieces
            .map(|piece| (std::time::Duration::ZERO, piece))
            .collect();
        reply
    })
    .await;
    for (era, kind) in ERAS.iter().flat_map(|era| KINDS.map(|kind| (*era, kind))) {
        let answer = ask(&wire, era, kind.method).await;
        assert!(!answer.body.contains(SECRET), "{}", answer.body);
        kind.assert_filtered(era, &answer.json());
    }
}

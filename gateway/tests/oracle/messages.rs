//! Messages to try: such as clients send, such as attackers send, and bytes at random.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::heads;
use super::model::Head;

/// A body, and what its headers say.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) body: Vec<u8>,
    is_modern: bool,
    lie: Option<Lie>,
}

/// What a header says although the body does not.
#[derive(Debug, Clone, Copy)]
enum Lie {
    Version(Option<&'static str>),
    Method(Option<&'static str>),
    Name(Option<&'static str>),
}

impl Sent {
    fn honest(body: Vec<u8>, is_modern: bool) -> Self {
        let lie = None;
        Self {
            body,
            is_modern,
            lie,
        }
    }

    pub(crate) fn head(&self) -> Head {
        let mut head = if self.is_modern {
            heads::mirrored(&self.body)
        } else {
            heads::legacy()
        };
        let own = |said: Option<&str>| said.map(str::to_owned);
        match self.lie {
            None => {}
            Some(Lie::Version(said)) => head.version = own(said),
            Some(Lie::Method(said)) => head.method = own(said),
            Some(Lie::Name(said)) => head.name = own(said),
        }
        head
    }
}

fn lie() -> impl Strategy<Value = Option<Lie>> {
    let version = select(
        &[
            None,
            Some("2025-06-18"),
            Some("2026-07-28"),
            Some("1900-01-01"),
        ][..],
    );
    let method = select(
        &[
            None,
            Some("tools/list"),
            Some("Tools/Call"),
            Some("tools/call"),
        ][..],
    );
    let name = select(
        &[
            None,
            Some("search_customers"),
            Some("delete_customer"),
            Some("=?base64?eA?="),
        ][..],
    );
    prop_oneof![
        3 => Just(None),
        1 => version.prop_map(|said| Some(Lie::Version(said))),
        1 => method.prop_map(|said| Some(Lie::Method(said))),
        1 => name.prop_map(|said| Some(Lie::Name(said))),
    ]
}

/// Such a message with a header that may lie.
pub(crate) fn disguised() -> impl Strategy<Value = Sent> {
    (prop_oneof![good(), structured()], lie()).prop_map(|(mut sent, lie)| {
        sent.lie = lie;
        sent
    })
}

/// A message of members that are mostly right.
pub(crate) fn structured() -> impl Strategy<Value = Sent> {
    let members = (vec(param(), 0..4), method(), id(), oddity());
    (members, any::<bool>(), gap()).prop_map(|((params, method, id, odd), is_modern, gap)| {
        let mut params: Vec<String> = params.into_iter().flatten().collect();
        if is_modern {
            params.insert(0, META.to_owned());
        }
        let params = format!("{{{}}}", params.join(&format!("{gap},{gap}")));
        let mut members = vec![
            "\"jsonrpc\":\"2.0\"".to_owned(),
            format!("\"method\":{gap}{method}"),
            format!("\"params\":{params}{gap}"),
        ];
        members.extend(id.map(|id| format!("\"id\":{id}")));
        members.extend(odd);
        let body = format!("{gap}{{{}}}{gap}", members.join(",")).into_bytes();
        Sent::honest(body, is_modern)
    })
}

/// A good call or such a message, with a few bytes changed.
pub(crate) fn mutated() -> impl Strategy<Value = Sent> {
    let base = prop_oneof![good(), structured()];
    (base, vec(edit(), 1..4)).prop_map(|(mut sent, edits)| {
        for edit in edits {
            edit.apply(&mut sent.body);
        }
        sent
    })
}

fn good() -> impl Strategy<Value = Sent> {
    any::<bool>().prop_map(|is_modern| {
        let meta = if is_modern { META } else { "\"task\":{}" };
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{{meta},"name":"search_customers","arguments":{{"q":"ä b","n":[1,2.5]}}}}}}"#
        );
        Sent::honest(body.into_bytes(), is_modern)
    })
}

/// Any bytes, or pieces of JSON in any order.
pub(crate) fn raw() -> impl Strategy<Value = Sent> {
    let pieces = vec(select(PIECES), 0..24).prop_map(|pieces| pieces.concat().into_bytes());
    let bytes = vec(any::<u8>(), 0..64);
    (prop_oneof![pieces, bytes], any::<bool>())
        .prop_map(|(body, is_modern)| Sent::honest(body, is_modern))
}

fn gap() -> impl Strategy<Value = &'static str> {
    select(&["", "", "", " ", "\n", "\t\r\n"][..])
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just("\"tools/call\"".to_owned()),
        2 => Just("\"t\\u006fols/call\"".to_owned()),
        3 => select(METHODS).prop_map(|method| format!("\"{method}\"")),
        1 => select(&["1", "null", "\"Tools/Call\"", "\"tools/call \"", "\"tools/call\\u0000\""][..])
            .prop_map(str::to_owned),
    ]
}

fn id() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        8 => select(&["0", "7", "-1", "\"a\"", "\"\\u0061\"", "9007199254740993"][..]).prop_map(|id| Some(id.to_owned())),
        1 => select(&["null", "1.5", "{}", "1e2"][..]).prop_map(|id| Some(id.to_owned())),
        1 => Just(None),
    ]
}

/// One or two members of `params`.
fn param() -> impl Strategy<Value = Vec<String>> {
    let value = prop_oneof![4 => select(NAMES).prop_map(quoted), 1 => select(OTHERS).prop_map(str::to_owned)];
    let arguments = select(ARGUMENTS);
    prop_oneof![
        4 => (key("name"), value.clone()).prop_map(|(key, value)| vec![format!("{key}:{value}")]),
        2 => (key("uri"), value.clone()).prop_map(|(key, value)| vec![format!("{key}:{value}")]),
        2 => arguments.prop_map(|arguments| vec![format!("\"arguments\":{arguments}")]),
        1 => (key("ref"), key("name"), value.clone()).prop_map(|(of, name, value)| vec![
            format!("{of}:{{\"type\":\"ref/prompt\",{name}:{value}}}")
        ]),
        1 => (key("resourceSubscriptions"), value).prop_map(|(key, value)| vec![
            format!("\"notifications\":{{{key}:[{value}]}}")
        ]),
        1 => select(&["\"cursor\":\"x\"", "\"task\":{}", "\"taskId\":\"t\"", "\"requestState\":\"s\""][..])
            .prop_map(|member| vec![member.to_owned()]),
    ]
}

/// A key as it is, or as some reader would still take it.
fn key(name: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        12 => Just(format!("\"{name}\"")),
        1 => Just(format!("\"{}\"", name.to_uppercase())),
        1 => Just(format!("\"{name}\\u0000x\"")),
        1 => Just(format!("\"{}\"", name.replacen('s', "\u{17f}", 1))),
        1 => Just(format!("\"\\u00{:02x}{}\"", name.as_bytes()[0], name.get(1..).unwrap_or_default())),
    ]
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// Mostly nothing; else a member that has no business at the top.
fn oddity() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        9 => Just(None),
        1 => select(ODD).prop_map(|odd| Some(odd.to_owned())),
    ]
}

#[derive(Debug, Clone)]
enum Edit {
    Byte(usize, u8),
    Piece(usize, &'static str),
    Cut(usize, usize),
    Copy(usize, usize, usize),
}

impl Edit {
    fn apply(&self, body: &mut Vec<u8>) {
        let place = |at: usize| at % (body.len() + 1);
        match *self {
            Self::Byte(at, byte) => {
                let at = place(at);
                if let Some(old) = body.get_mut(at) {
                    *old = byte;
                }
            }
            Self::Piece(at, piece) => {
                let at = place(at);
                body.splice(at..at, piece.bytes());
            }
            Self::Cut(at, length) => {
                let (from, to) = (place(at), place(at + length % 8));
                if from < to {
                    body.drain(from..to);
                }
            }
            Self::Copy(from, length, at) => {
                let (from, to, at) = (place(from), place(from + length % 40), place(at));
                let copied = body.get(from..to).unwrap_or_default().to_vec();
                body.splice(at..at, copied);
            }
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<usize>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        (at(), select(PIECES)).prop_map(|(at, piece)| Edit::Piece(at, piece)),
        (at(), at()).prop_map(|(at, length)| Edit::Cut(at, length % 100)),
        (at(), at(), at()).prop_map(|(from, length, at)| Edit::Copy(from, length % 100, at)),
    ]
}

pub(crate) const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

const NAMES: &[&str] = &[
    "search_customers",
    "search_customers",
    "get_customer",
    "run report",
    "delete_customer",
    "Search_customers",
    "search_customers ",
    "search_\u{212a}",
    "se\\u0061rch_x",
    "get_customer\\u0000",
    "draft-mail",
    "crm://customers/1",
    "crm://customers/..",
    "crm://customers/1%2f",
    "",
];
const OTHERS: &[&str] = &["1", "null", "[\"search_x\"]", "{}", "true"];
const ARGUMENTS: &[&str] = &[
    "{}",
    "{\"name\":\"delete_customer\"}",
    "{\"a\":1,\"A\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "null",
    "[]",
    "{\"a\":[[{}]],\"n\":1.0e+2}",
];
const METHODS: &[&str] = &[
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "prompts/get",
    "prompts/list",
    "resources/read",
    "resources/subscribe",
    "completion/complete",
    "subscriptions/listen",
    "tasks/get",
    "tasks/list",
    "logging/setLevel",
    "notifications/initialized",
    "notifications/x",
    "x-vendor/run",
];
const ODD: &[&str] = &[
    "\"Method\":\"tools/list\"",
    "\"m\\u0065thod\":\"ping\"",
    "\"method\":\"ping\"",
    "\"param\u{17f}\":{}",
    "\"x\":1",
];
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{2028}",
    "\u{17f}",
    "\u{212a}",
    "null",
    "true",
    "1e999",
    "-0",
    "NaN",
    "//",
    " ",
    "\u{0}",
    "\"name\"",
    "\"name\":\"delete_customer\",",
    "\"Name\":\"delete_customer\",",
    "\"n\\u0061me\":\"delete_customer\",",
    "\"method\":\"tools/call\",",
    "\"params\":{",
    "\"jsonrpc\":\"2.0\",",
    "\"id\":1,",
];

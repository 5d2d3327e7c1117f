//! The oracle: may these bytes, under these headers, do what they ask for one principal? A list of plain questions, each
//! of which can only say no. Never asks the code it is there to judge.

use super::json::{Json, read};

/// The headers that say what the body says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) version: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) name: Option<String>,
}

/// What a principal may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tool,
    Prompt,
    Resource,
}

/// What may be done: a method, and the names it reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    pub(crate) method: String,
    pub(crate) names: Vec<String>,
}

const MODERN: &str = "2026-07-28";

/// The deed, if `may` allows all of it and no two readers could see two deeds.
pub(crate) fn allowed(body: &[u8], head: &Head, may: fn(Kind, &str) -> bool) -> Option<Deed> {
    let message = read(body, 64).filter(|message| !message.has_twins())?;
    let members = message.object()?;
    let known = ["jsonrpc", "id", "method", "params"];
    if members.iter().any(|(key, _)| !known.contains(&&**key)) {
        return None;
    }
    if message.member("jsonrpc")?.text()? != "2.0" {
        return None;
    }
    let method = message.member("method")?.text()?;
    let empty = Json::Object(Vec::new());
    let params = message.member("params").unwrap_or(&empty);
    params.object()?;
    if has_doubles(params, TELLING) {
        return None;
    }
    let is_modern = era(params, head)?;
    if !is_identified(method, message.member("id")) {
        return None;
    }
    let names = names(method, params, is_modern, may)?;
    if is_modern && !agrees(method, names.first().or(task(params).as_ref()), head) {
        return None;
    }
    Some(Deed {
        method: method.to_owned(),
        names,
    })
}

/// Requests have an integer or a short text as their id, notifications have none.
fn is_identified(method: &str, id: Option<&Json>) -> bool {
    if method.starts_with("notifications/") {
        return id.is_none();
    }
    match id {
        Some(Json::Number(number)) => number.parse::<i64>().is_ok(),
        Some(Json::Text(text)) => text.len() <= 256,
        _ => false,
    }
}

/// Is it a message of 2026-07-28? Nothing when header and body do not say the same.
fn era(params: &Json, head: &Head) -> Option<bool> {
    let empty = Json::Object(Vec::new());
    let meta = params.member("_meta").unwrap_or(&empty);
    meta.object()?;
    if has_doubles(meta, &["io.modelcontextprotocol/protocolVersion"]) {
        return None;
    }
    let in_body = meta.member("io.modelcontextprotocol/protocolVersion");
    let in_head = head.version.as_deref().map(str::trim_ascii);
    match (in_head, in_body) {
        (Some(MODERN), Some(version)) => (version.text()? == MODERN).then_some(true),
        // A notification need not repeat it.
        (Some(MODERN), None) => Some(true),
        (None | Some("2025-03-26" | "2025-06-18" | "2025-11-25"), None) => Some(false),
        _ => None,
    }
}

/// The names that a method reaches, if each is allowed; the method itself must be one that clients have.
fn names(
    method: &str,
    params: &Json,
    is_modern: bool,
    may: fn(Kind, &str) -> bool,
) -> Option<Vec<String>> {
    let one = |kind: Kind, value: Option<&Json>| {
        let name = value?.text()?;
        may(kind, name).then(|| vec![name.to_owned()])
    };
    let is_older = !is_modern && OPEN_LEGACY.contains(&method);
    let is_open = is_older || OPEN.contains(&method) || NOTIFICATIONS.contains(&method);
    match method {
        "tools/call" => one(Kind::Tool, params.member("name")),
        "prompts/get" => one(Kind::Prompt, params.member("name")),
        "resources/read" => one(Kind::Resource, params.member("uri")),
        "resources/subscribe" | "resources/unsubscribe" if !is_modern => {
            one(Kind::Resource, params.member("uri"))
        }
        "completion/complete" => {
            let reference = params.member("ref")?;
            if has_doubles(reference, &["type", "name", "uri"]) {
                return None;
            }
            match reference.member("type")?.text()? {
                "ref/prompt" => one(Kind::Prompt, reference.member("name")),
                "ref/resource" => one(Kind::Resource, reference.member("uri")),
                _ => None,
            }
        }
        "subscriptions/listen" => listened(params.member("notifications")?, may),
        _ => is_open.then(Vec::new),
    }
}

fn listened(wanted: &Json, may: fn(Kind, &str) -> bool) -> Option<Vec<String>> {
    wanted.object()?;
    if has_doubles(wanted, &["resourceSubscriptions", "taskIds"]) {
        return None;
    }
    let Some(listed) = wanted.member("resourceSubscriptions") else {
        return Some(Vec::new());
    };
    let Json::List(items) = listed else {
        return None;
    };
    items
        .iter()
        .map(|item| {
            let uri = item.text()?;
            may(Kind::Resource, uri).then(|| uri.to_owned())
        })
        .collect()
}

fn task(params: &Json) -> Option<String> {
    params.member("taskId")?.text().map(str::to_owned)
}

/// Do the headers of 2026-07-28 say what the body says?
fn agrees(method: &str, name: Option<&String>, head: &Head) -> bool {
    let is_notification = method.starts_with("notifications/");
    let says_method = match head.method.as_deref().map(str::trim_ascii) {
        Some(said) => said == method,
        None => is_notification,
    };
    let repeats = [
        "tools/call",
        "prompts/get",
        "resources/read",
        "tasks/get",
        "tasks/update",
        "tasks/cancel",
    ];
    if !repeats.contains(&method) {
        return says_method;
    }
    let (Some(name), Some(said)) = (name, head.name.as_deref().map(str::trim_ascii)) else {
        return false;
    };
    let inside = said
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="));
    let is_said = match inside {
        Some(inside) => inside == base64(name.as_bytes()),
        None => said == name && said.is_ascii(),
    };
    says_method && is_said
}

/// RFC 4648 section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut bits = 0_usize;
        for place in 0..3 {
            bits = bits << 8 | usize::from(three.get(place).copied().unwrap_or(0));
        }
        for place in 0..4 {
            let letter = ALPHABET[bits >> (18 - 6 * place) & 63];
            text.push(if place > three.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    text
}

/// Is there a key that some reader takes for one of `telling` although it is spelled otherwise?
fn has_doubles(object: &Json, telling: &[&str]) -> bool {
    let members = object.object().unwrap_or_default();
    members.iter().any(|(key, _)| {
        telling
            .iter()
            .any(|name| *name != key && folded(key) == folded(name))
    })
}

/// As Go's `strings.EqualFold` takes ASCII names: letters in either case, the long s and the sign of kelvin.
pub(crate) fn folded(key: &str) -> String {
    key.chars()
        .map(|letter| match letter {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            _ => letter.to_ascii_lowercase(),
        })
        .collect()
}

/// The keys of `params` that tell what is reached.
const TELLING: &[&str] = &[
    "name",
    "uri",
    "ref",
    "taskId",
    "arguments",
    "notifications",
    "_meta",
];
const OPEN_LEGACY: &[&str] = &["initialize", "ping", "logging/setLevel", "tasks/result"];
const OPEN: &[&str] = &[
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
];
/// Nothing is done by them but to a request or session of one's own.
const NOTIFICATIONS: &[&str] = &[
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
];

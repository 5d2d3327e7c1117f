//! What a server asks of the person or the model at the other end: elicitation, sampling, roots. Never decides whether
//! it may.

use std::ops::Range;

use serde_json::Value;

use super::document::Document;
use super::listing::ListFault;
use super::method::Method;
use super::spelling::resembles;

/// One thing that a server asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// To fill in a form.
    Form,
    /// To open a page on this host in a browser. Without a host it is no address that every reader reads alike.
    Page(Option<Box<str>>),
    /// To have a model write something.
    Sampling,
    /// To say which folders it works on.
    Roots,
    /// Something else.
    Other,
}

/// What a client says it can do for a server (`clientCapabilities` of 2026-07-28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// `elicitation`, for forms.
    Form,
    /// `elicitation.url`.
    Page,
    /// `sampling`.
    Sampling,
    /// `roots`.
    Roots,
    /// `extensions["io.modelcontextprotocol/tasks"]`.
    Tasks,
}

/// The extension of tasks (SEP-2663).
pub const TASKS: &str = "io.modelcontextprotocol/tasks";

impl Capability {
    /// The capabilities in this text, a value of `clientCapabilities`.
    pub(super) fn all_in(declared: &str) -> Vec<Self> {
        let declared: Value = serde_json::from_str(declared).unwrap_or_default();
        let has = |name: &str| declared.get(name).is_some();
        let modes = declared.get("elicitation");
        let mode = |name: &str| modes.is_some_and(|modes| modes.get(name).is_some());
        // An empty one means forms (2025-11-25, client/elicitation).
        let is_empty = modes.is_some_and(|modes| modes == &serde_json::json!({}));
        let extensions = declared.get("extensions");
        let knows_tasks = extensions.is_some_and(|extensions| extensions.get(TASKS).is_some());
        let all = [
            (Self::Sampling, has("sampling")),
            (Self::Roots, has("roots")),
            (Self::Form, is_empty || mode("form")),
            (Self::Page, mode("url")),
            (Self::Tasks, knows_tasks),
        ];
        let declared = all.into_iter().filter(|(_, is_declared)| *is_declared);
        declared.map(|(capability, _)| capability).collect()
    }
}

impl Ask {
    /// What a client must have said it can do; nothing fits what is unknown.
    pub fn needs(&self) -> Option<Capability> {
        match self {
            Self::Form => Some(Capability::Form),
            Self::Page(_) => Some(Capability::Page),
            Self::Sampling => Some(Capability::Sampling),
            Self::Roots => Some(Capability::Roots),
            Self::Other => None,
        }
    }

    fn of(method: &str, params: &Value) -> Self {
        match method {
            "sampling/createMessage" => Self::Sampling,
            "roots/list" => Self::Roots,
            "elicitation/create" => Self::elicitation(params),
            _ => Self::Other,
        }
    }

    fn elicitation(params: &Value) -> Self {
        let has_url = params.get("url").is_some();
        match params.get("mode").map(Value::as_str) {
            None | Some(Some("form")) if !has_url => Self::Form,
            None | Some(Some("url" | "form")) => {
                let url = params.get("url").and_then(Value::as_str);
                Self::Page(url.and_then(host))
            }
            Some(_) => Self::Other,
        }
    }
}

/// What a request of a server asks for; nothing, when it is none of these.
pub(super) fn in_request(
    document: &Document<'_>,
    method: &str,
    params: Option<&Range<usize>>,
) -> Option<Ask> {
    if method != "elicitation/create" {
        return None;
    }
    let params = params.map_or(Value::Null, |params| value(document, params));
    Some(Ask::of(method, &params))
}

/// What a result of 2026-07-28 to `method` asks for (basic/patterns/mrtr). Only three methods may be answered so; a task
/// may tell of what it waits for.
pub(super) fn in_result(
    document: &Document<'_>,
    result: &Range<usize>,
    method: Method,
) -> Result<Vec<Ask>, ListFault> {
    let mut asks = Vec::new();
    for member in document.members(result) {
        let key = member.key.as_ref();
        let kind = document.string(&member.value);
        if key == TYPE && kind.as_deref() == Some(INPUT_REQUIRED) && !may_ask(method) {
            return Err(ListFault::Asks);
        }
        if key == REQUESTS {
            if !may_ask(method) && !is_of_tasks(method) {
                return Err(ListFault::Asks);
            }
            asks.append(&mut in_requests(&value(document, &member.value)));
        } else if resembles(key, &[TYPE, REQUESTS]) {
            return Err(ListFault::LookAlike { key: REQUESTS });
        }
    }
    Ok(asks)
}

/// What a notification of 2026-07-28 tells that a task waits for.
pub(super) fn in_notification(document: &Document<'_>, params: Option<&Range<usize>>) -> Vec<Ask> {
    let Some(params) = params else {
        return Vec::new();
    };
    let task = document.member(params, "task").map(|task| &task.value);
    let requests = [Some(params), task].into_iter().flatten();
    let requests = requests.filter_map(|object| document.member(object, REQUESTS));
    requests
        .flat_map(|requests| in_requests(&value(document, &requests.value)))
        .collect()
}

/// The pages that an error sends a person to first (-32042 of 2025-11-25, client/elicitation).
pub(super) fn in_error(document: &Document<'_>, error: &Range<usize>) -> Vec<Ask> {
    let error = value(document, error);
    if error.get("code").and_then(Value::as_f64) != Some(PAGE_FIRST) {
        return Vec::new();
    }
    let pages = error.pointer("/data/elicitations");
    let pages = pages.and_then(Value::as_array).into_iter().flatten();
    pages
        .map(|page| Ask::Page(page.get("url").and_then(Value::as_str).and_then(host)))
        .collect()
}

/// May a result of this method be `input_required`?
pub(super) const fn may_ask(method: Method) -> bool {
    matches!(
        method,
        Method::ToolsCall | Method::PromptsGet | Method::ResourcesRead
    )
}

const fn is_of_tasks(method: Method) -> bool {
    matches!(
        method,
        Method::TasksGet | Method::TasksUpdate | Method::TasksResult | Method::TasksCancel
    )
}

fn in_requests(requests: &Value) -> Vec<Ask> {
    let Some(requests) = requests.as_object() else {
        return vec![Ask::Other];
    };
    let ask = |request: &Value| {
        let method = request.get("method").and_then(Value::as_str);
        let params = request.get("params").unwrap_or(&Value::Null);
        method.map_or(Ask::Other, |method| Ask::of(method, params))
    };
    requests.values().map(ask).collect()
}

fn value(document: &Document<'_>, range: &Range<usize>) -> Value {
    serde_json::from_str(document.text(range)).unwrap_or_default()
}

/// The host of an address that every reader takes for the same one: https, printable ASCII, no user, no escape, no
/// backslash before its path ends.
fn host(url: &str) -> Option<Box<str>> {
    let is_plain = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let rest = url.strip_prefix("https://").filter(|_| is_plain)?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_name = host
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(is_of_label));
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_name && is_port).then(|| host.to_ascii_lowercase().into())
}

const fn is_of_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

pub(super) const TYPE: &str = "resultType";
pub(super) const REQUESTS: &str = "inputRequests";
pub(super) const INPUT_REQUIRED: &str = "input_required";
const PAGE_FIRST: f64 = -32042.0;

#[cfg(test)]
mod tests;

//! Questions for the client: how they are written, who may be asked, and what counts as an answer.
//! Never asks for something the client did not declare, and never takes a malformed answer for one.

use rmcp::model::{
    ClientCapabilities, InputRequest, InputRequests, InputRequiredResult, InputResponses,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value, json};

use super::content::modelled;

/// What the caller of one request declared it can do.
pub(super) struct Caller {
    capabilities: ClientCapabilities,
}

impl Caller {
    /// Reads the declaration from the request, or from the handshake in older revisions.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Self {
        Self {
            capabilities: context.client_capabilities().unwrap_or_default(),
        }
    }

    #[cfg(test)]
    pub(super) fn declaring(capabilities: Value) -> Self {
        let capabilities = serde_json::from_value(capabilities).unwrap();
        Self { capabilities }
    }

    /// Whether the caller can be handed a task.
    pub(super) fn knows_tasks(&self) -> bool {
        self.capabilities.supports_tasks()
    }

    /// Whether the caller answers this kind of question.
    pub(super) fn answers(&self, kind: Kind) -> bool {
        match kind {
            Kind::Elicitation => self.capabilities.elicitation.is_some(),
            Kind::Sampling => self.capabilities.sampling.is_some(),
            Kind::Roots => self.capabilities.roots.is_some(),
        }
    }

    /// Refuses with the missing capability named when the caller does not answer this kind.
    pub(super) fn must_answer(&self, kind: Kind) -> Result<(), ErrorData> {
        if self.answers(kind) {
            return Ok(());
        }
        let required = modelled(json!({kind.capability(): {}}))?;
        Err(ErrorData::missing_required_client_capability(required))
    }
}

/// The three things a server may ask its client for.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A form for the user.
    Elicitation,
    /// A completion by the client's model.
    Sampling,
    /// The directories the client works in.
    Roots,
}

impl Kind {
    fn capability(self) -> &'static str {
        match self {
            Self::Elicitation => "elicitation",
            Self::Sampling => "sampling",
            Self::Roots => "roots",
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Elicitation => "elicitation/create",
            Self::Sampling => "sampling/createMessage",
            Self::Roots => "roots/list",
        }
    }
}

/// One question with its parameters.
pub(super) struct Question {
    kind: Kind,
    params: Value,
}

impl Question {
    /// The question as the library models it.
    pub(super) fn into_request(self) -> Result<InputRequest, ErrorData> {
        modelled(json!({"method": self.kind.method(), "params": self.params}))
    }
}

/// A form with one required field.
pub(super) fn form(message: &str, field: &str, field_type: &str) -> Question {
    let properties = Map::from_iter([(field.to_owned(), json!({"type": field_type}))]);
    let schema = json!({"type": "object", "properties": properties, "required": [field]});
    Question {
        kind: Kind::Elicitation,
        params: json!({"message": message, "requestedSchema": schema}),
    }
}

/// A question to the client's model.
pub(super) fn sampling(prompt: &str, max_tokens: u32) -> Question {
    Question {
        kind: Kind::Sampling,
        params: sampling_params(prompt, max_tokens),
    }
}

/// The parameters of `sampling/createMessage`.
pub(super) fn sampling_params(prompt: &str, max_tokens: u32) -> Value {
    json!({
        "messages": [{"role": "user", "content": {"type": "text", "text": prompt}}],
        "maxTokens": max_tokens,
    })
}

/// The question for the client's roots.
pub(super) fn roots() -> Question {
    Question {
        kind: Kind::Roots,
        params: json!({}),
    }
}

/// An input-required result that asks `questions`, with `state` for the client to send back.
pub(super) fn ask<'a>(
    caller: &Caller,
    questions: impl IntoIterator<Item = (&'a str, Question)>,
    state: Option<String>,
) -> Result<InputRequiredResult, ErrorData> {
    let mut requests = InputRequests::new();
    for (key, question) in questions {
        caller.must_answer(question.kind)?;
        requests.insert(key.to_owned(), question.into_request()?);
    }
    Ok(InputRequiredResult::new(Some(requests), state))
}

/// The value of `field` in an accepted form, as text.
pub(super) fn accepted(
    responses: Option<&InputResponses>,
    key: &str,
    field: &str,
) -> Option<String> {
    form_value(responses?.get(key)?, field)
}

/// The value of `field` in one answer to a form, if the user accepted it.
pub(super) fn form_value(response: &Value, field: &str) -> Option<String> {
    if response.get("action")?.as_str()? != "accept" {
        return None;
    }
    match response.get("content")?.get(field)? {
        Value::String(text) => Some(text.clone()),
        other @ (Value::Bool(_) | Value::Number(_)) => Some(other.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text a client's model gave.
pub(super) fn sampled<'a>(responses: Option<&'a InputResponses>, key: &str) -> Option<&'a str> {
    responses?.get(key)?.get("content")?.get("text")?.as_str()
}

/// The URIs of the roots a client named.
pub(super) fn rooted(responses: Option<&InputResponses>, key: &str) -> Option<Vec<String>> {
    let roots = responses?.get(key)?.get("roots")?.as_array()?;
    roots
        .iter()
        .map(|root| root.get("uri")?.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use rmcp::model::{ErrorCode, InputResponses};
    use serde_json::{Value, json};

    use super::{Caller, accepted, ask, form};

    fn responses(answer: Value) -> InputResponses {
        InputResponses::from([("user_name".to_owned(), answer)])
    }

    #[test]
    fn client_that_declared_elicitation_is_asked() {
        let question = form("Name?", "name", "string");
        let asked = ask(
            &Caller::declaring(json!({"elicitation": {}})),
            [("user_name", question)],
            None,
        );
        assert!(
            asked
                .unwrap()
                .input_requests
                .unwrap()
                .contains_key("user_name")
        );
    }

    #[test]
    fn client_that_declared_something_else_is_not_asked() {
        let question = form("Name?", "name", "string");
        let refused = ask(
            &Caller::declaring(json!({"sampling": {}})),
            [("user_name", question)],
            None,
        );
        let error = refused.unwrap_err();
        assert_eq!(error.code, ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY);
        assert_eq!(
            error.data.unwrap()["requiredCapabilities"],
            json!({"elicitation": {}})
        );
    }

    #[test]
    fn accepted_form_is_an_answer() {
        let given = responses(json!({"action": "accept", "content": {"name": "Alice"}}));
        assert_eq!(
            accepted(Some(&given), "user_name", "name").as_deref(),
            Some("Alice")
        );
    }

    #[test]
    fn declined_or_malformed_form_is_no_answer() {
        for answer in [
            json!(12345),
            json!({"action": "decline", "content": {"name": "Alice"}}),
            json!({"action": "accept", "content": {"other": "Alice"}}),
            json!({"action": "accept", "content": {"name": ["Alice"]}}),
        ] {
            let given = responses(answer);
            assert_eq!(accepted(Some(&given), "user_name", "name"), None);
        }
    }
}

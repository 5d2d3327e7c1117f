//! Tools that answer only after the client has answered them, round by round (MRTR, 2026-07-28).
//! Keeps nothing between rounds: what it must remember travels sealed in `requestState`, and a state
//! that does not open is refused, never guessed.

use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, CallToolResponse, RequestStateCodec, SealOptions};

use super::content::text;
use super::input::{Caller, Kind, accepted, ask, form, rooted, roots, sampled, sampling};

/// One round of one call.
pub(super) struct Round<'a> {
    pub(super) params: &'a CallToolRequestParams,
    pub(super) caller: Caller,
    pub(super) seal: &'a RequestStateCodec,
}

impl Round<'_> {
    /// Says hello once the user's name is known.
    pub(super) fn user_name(&self) -> Result<CallToolResponse, ErrorData> {
        match accepted(self.params.input_responses.as_ref(), "user_name", "name") {
            Some(name) => Ok(text(format!("Hello, {name}!")).into()),
            None => self.ask_name(),
        }
    }

    /// Asks for the user's name.
    pub(super) fn ask_name(&self) -> Result<CallToolResponse, ErrorData> {
        let question = form("What is your name?", "name", "string");
        Ok(ask(&self.caller, [("user_name", question)], None)?.into())
    }

    /// Repeats what the client's model said.
    pub(super) fn capital(&self) -> Result<CallToolResponse, ErrorData> {
        if let Some(said) = sampled(self.params.input_responses.as_ref(), "capital_question") {
            return Ok(text(format!("The model said: {said}")).into());
        }
        let question = sampling("What is the capital of France?", 100);
        Ok(ask(&self.caller, [("capital_question", question)], None)?.into())
    }

    /// Repeats the client's roots.
    pub(super) fn client_roots(&self) -> Result<CallToolResponse, ErrorData> {
        match rooted(self.params.input_responses.as_ref(), "client_roots") {
            Some(uris) => Ok(text(format!("Roots: {}", uris.join(", "))).into()),
            None => Ok(ask(&self.caller, [("client_roots", roots())], None)?.into()),
        }
    }

    /// Wants a confirmation and its own state back.
    pub(super) fn confirmation(&self) -> Result<CallToolResponse, ErrorData> {
        let answered = accepted(self.params.input_responses.as_ref(), "confirm", "ok");
        if self.opened()?.is_some() && answered.is_some() {
            return Ok(text("state-ok").into());
        }
        let question = form("Please confirm", "ok", "boolean");
        let state = self.sealed("confirm");
        Ok(ask(&self.caller, [("confirm", question)], Some(state))?.into())
    }

    /// Wants a form, a sampled text and roots at once.
    pub(super) fn three_inputs(&self) -> Result<CallToolResponse, ErrorData> {
        let responses = self.params.input_responses.as_ref();
        let answers = (
            self.opened()?,
            accepted(responses, "user_name", "name"),
            sampled(responses, "greeting"),
            rooted(responses, "client_roots"),
        );
        if let (Some(_), Some(name), Some(greeting), Some(uris)) = answers {
            let line = format!("{greeting} {name}, you work in {}", uris.join(", "));
            return Ok(text(line).into());
        }
        let questions = [
            ("user_name", form("What is your name?", "name", "string")),
            ("greeting", sampling("Generate a greeting", 50)),
            ("client_roots", roots()),
        ];
        Ok(ask(&self.caller, questions, Some(self.sealed("three")))?.into())
    }

    /// Wants a name, then a color; the name travels in the state of the second round.
    pub(super) fn two_steps(&self) -> Result<CallToolResponse, ErrorData> {
        let responses = self.params.input_responses.as_ref();
        let known = match self.opened()? {
            Some(state) if state == FIRST_STEP => accepted(responses, "step1", "name"),
            Some(state) => state.strip_prefix(SECOND_STEP).map(str::to_owned),
            None => None,
        };
        let Some(name) = known else {
            let question = form("Step 1: What is your name?", "name", "string");
            let state = self.sealed(FIRST_STEP);
            return Ok(ask(&self.caller, [("step1", question)], Some(state))?.into());
        };
        if let Some(color) = accepted(responses, "step2", "color") {
            return Ok(text(format!("{name} likes {color}")).into());
        }
        let question = form("Step 2: What is your favorite color?", "color", "string");
        let state = self.sealed(&format!("{SECOND_STEP}{name}"));
        Ok(ask(&self.caller, [("step2", question)], Some(state))?.into())
    }

    /// Asks whatever the client declared it answers, and nothing else.
    pub(super) fn declared(&self) -> Result<CallToolResponse, ErrorData> {
        let mut questions = Vec::new();
        if self.caller.answers(Kind::Elicitation) {
            questions.push(("user_name", form("What is your name?", "name", "string")));
        }
        if self.caller.answers(Kind::Sampling) {
            questions.push(("greeting", sampling("Generate a greeting", 50)));
        }
        if self.caller.answers(Kind::Roots) {
            questions.push(("client_roots", roots()));
        }
        let answered = self.params.input_responses.as_ref();
        if answered
            .is_some_and(|answers| questions.iter().all(|(key, _)| answers.contains_key(*key)))
        {
            return Ok(text(format!("{} answers received", questions.len())).into());
        }
        if questions.is_empty() {
            return Ok(text("this client answers no questions").into());
        }
        Ok(ask(&self.caller, questions, None)?.into())
    }

    // The tool's name is bound into the seal, so that one tool's state is worth nothing to another.
    fn sealed(&self, state: &str) -> String {
        let binding = SealOptions::new().associated_data(self.params.name.as_bytes());
        self.seal.seal_with(state.as_bytes(), &binding)
    }

    fn opened(&self) -> Result<Option<String>, ErrorData> {
        let Some(sealed) = &self.params.request_state else {
            return Ok(None);
        };
        self.seal
            .open_with(sealed, self.params.name.as_bytes())
            .ok()
            .and_then(|state| String::from_utf8(state).ok())
            .map(Some)
            .ok_or_else(|| {
                ErrorData::invalid_params("requestState failed its integrity check", None)
            })
    }
}

const FIRST_STEP: &str = "first";
const SECOND_STEP: &str = "second:";

#[cfg(test)]
mod tests {
    use rmcp::model::{CallToolRequestParams, CallToolResponse, InputResponses, RequestStateCodec};
    use serde_json::json;

    use super::{Caller, Round};

    const KEY: [u8; 32] = [7; 32];

    fn confirm(tool: &str, state: Option<String>) -> Result<CallToolResponse, rmcp::ErrorData> {
        let yes = json!({"action": "accept", "content": {"ok": true}});
        let responses = InputResponses::from([("confirm".to_owned(), yes)]);
        let mut params =
            CallToolRequestParams::new(tool.to_owned()).with_input_responses(responses);
        params.request_state = state;
        let caller = Caller::declaring(json!({"elicitation": {}}));
        let seal = RequestStateCodec::try_new(KEY).unwrap();
        Round {
            params: &params,
            caller,
            seal: &seal,
        }
        .confirmation()
    }

    fn state_of(response: CallToolResponse) -> String {
        let CallToolResponse::InputRequired(result) = response else {
            panic!("the first round should ask");
        };
        result.request_state.unwrap()
    }

    #[test]
    fn own_state_and_an_answer_complete_the_call() {
        let state = state_of(confirm("a", None).unwrap());
        let done = confirm("a", Some(state)).unwrap();
        assert!(matches!(done, CallToolResponse::Complete(_)));
    }

    #[test]
    fn altered_state_is_refused() {
        let state = state_of(confirm("a", None).unwrap()) + "x";
        assert!(confirm("a", Some(state)).is_err());
    }

    #[test]
    fn state_of_another_tool_is_refused() {
        let state = state_of(confirm("a", None).unwrap());
        assert!(confirm("b", Some(state)).is_err());
    }
}

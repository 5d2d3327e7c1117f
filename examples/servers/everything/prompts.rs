//! The five prompts. Never asks a client for input except through an input-required result.

use rmcp::ErrorData;
use rmcp::model::{GetPromptRequestParams, GetPromptResponse, GetPromptResult};
use serde_json::{Value, json};

use super::content::{RED_PIXEL_PNG, argument, embedded, modelled};
use super::input::{Caller, accepted, ask, form};

/// Answers `prompts/get`.
pub(super) fn prompt(
    params: &GetPromptRequestParams,
    caller: &Caller,
) -> Result<GetPromptResponse, ErrorData> {
    let arguments = params.arguments.as_ref();
    let messages = match params.name.as_str() {
        "test_simple_prompt" => json!([said("This is a simple prompt for testing.")]),
        "test_prompt_with_arguments" => {
            let first = argument(arguments, "arg1")?;
            let second = argument(arguments, "arg2")?;
            json!([said(&format!(
                "Prompt with arguments: arg1='{first}', arg2='{second}'"
            ))])
        }
        "test_prompt_with_embedded_resource" => json!([
            {"role": "user", "content": embedded(
                argument(arguments, "resourceUri")?,
                "text/plain",
                "Embedded resource content for testing."
            )},
            said("Please process the embedded resource above."),
        ]),
        "test_prompt_with_image" => json!([
            {"role": "user", "content": {"type": "image", "data": RED_PIXEL_PNG, "mimeType": "image/png"}},
            said("Please analyze the image above."),
        ]),
        "test_input_required_result_prompt" => return with_context(params, caller),
        other => return Err(unknown(other)),
    };
    finished(messages)
}

fn with_context(
    params: &GetPromptRequestParams,
    caller: &Caller,
) -> Result<GetPromptResponse, ErrorData> {
    if let Some(context) = accepted(params.input_responses.as_ref(), "user_context", "context") {
        return finished(json!([said(&format!("Use this context: {context}"))]));
    }
    let question = form("What context should the prompt use?", "context", "string");
    Ok(ask(caller, [("user_context", question)], None)?.into())
}

fn finished(messages: Value) -> Result<GetPromptResponse, ErrorData> {
    modelled(messages).map(|messages| GetPromptResult::new(messages).into())
}

fn said(text: &str) -> Value {
    json!({"role": "user", "content": {"type": "text", "text": text}})
}

fn unknown(name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("unknown prompt `{name}`"), None)
}

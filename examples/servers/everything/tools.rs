//! Finds the code behind a tool's name. Never runs a tool that is not in the catalogue.

use std::time::Duration;

use rmcp::model::{CallToolRequestParams, CallToolResponse};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use super::changes::Change;
use super::content::{argument, failure, fixed, text};
use super::input::{Caller, Kind, accepted};
use super::rounds::Round;
use super::server::Everything;
use super::{narrate, session, tasks};

/// Answers `tools/call`.
pub(super) async fn call(
    server: &Everything,
    params: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let name = params.name.as_ref();
    let arguments = params.arguments.as_ref();
    match name {
        "test_simple_text"
        | "test_image_content"
        | "test_audio_content"
        | "test_embedded_resource"
        | "test_multiple_content_types"
        | "json_schema_2020_12_tool" => fixed(name),
        "test_error_handling" => {
            Ok(failure("This tool intentionally returns an error for testing").into())
        }
        "greet" => Ok(text(format!("Hello, {}!", argument(arguments, "name")?)).into()),
        "test_param_header" => Ok(text(argument(arguments, "region")?).into()),
        "test_tool_with_logging" | "test_logging_tool" => {
            narrate::log(&server.session, context).await
        }
        "test_tool_with_progress" => narrate::progress(context).await,
        "test_reconnection" => Ok(reconnection().await),
        "test_sampling"
        | "test_elicitation"
        | "test_elicitation_sep1034_defaults"
        | "test_elicitation_sep1330_enums"
        | "test_missing_capability" => in_session(params, context).await,
        "test_trigger_tool_change" => Ok(changed(server, Change::Tools).await),
        "test_trigger_prompt_change" => Ok(changed(server, Change::Prompts).await),
        "test_trigger_resource_update" => Ok(changed(server, Change::WatchedResource).await),
        "test_streaming_elicitation" => asking(server, params, context),
        _ if name.starts_with("test_input_required_") => asking(server, params, context),
        _ => task(server, params, context).await,
    }
}

async fn in_session(
    params: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let arguments = params.arguments.as_ref();
    match params.name.as_ref() {
        "test_sampling" => session::sample(argument(arguments, "prompt")?, context).await,
        "test_elicitation" => session::elicit(argument(arguments, "message")?, context).await,
        "test_elicitation_sep1034_defaults" => session::elicit_defaults(context).await,
        "test_elicitation_sep1330_enums" => session::elicit_choices(context).await,
        "test_missing_capability" => {
            Caller::of(context).must_answer(Kind::Sampling)?;
            Ok(text("the client declared sampling").into())
        }
        other => Err(unknown(other)),
    }
}

fn asking(
    server: &Everything,
    params: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let round = Round {
        params,
        caller: Caller::of(context),
        seal: &server.world.seal,
    };
    match params.name.as_ref() {
        "test_streaming_elicitation" | "test_input_required_result_elicitation" => {
            round.user_name()
        }
        "test_input_required_result_sampling" => round.capital(),
        "test_input_required_result_list_roots" => round.client_roots(),
        "test_input_required_result_request_state"
        | "test_input_required_result_tampered_state" => round.confirmation(),
        "test_input_required_result_multiple_inputs" => round.three_inputs(),
        "test_input_required_result_multi_round" => round.two_steps(),
        "test_input_required_result_capabilities" => round.declared(),
        other => Err(unknown(other)),
    }
}

async fn task(
    server: &Everything,
    params: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let caller = Caller::of(context);
    let manager = &server.world.tasks;
    let arguments = params.arguments.as_ref();
    let name = params.name.as_ref();
    if name == "slow_compute" {
        return tasks::slow_compute(manager, &caller, arguments).await;
    }
    if server.world.catalogue.tool(name).is_none() {
        return Err(unknown(name));
    }
    tasks::must_know_tasks(&caller)?;
    match name {
        "failing_job" => Ok(tasks::failing_job(manager)),
        "protocol_error_job" => Ok(tasks::protocol_error_job(manager)),
        "confirm_delete" => tasks::confirm_delete(manager, arguments),
        "multi_input" => Ok(tasks::multi_input(manager)),
        "test_tool_with_task" => named_task(server, params, caller),
        other => Err(unknown(other)),
    }
}

fn named_task(
    server: &Everything,
    params: &CallToolRequestParams,
    caller: Caller,
) -> Result<CallToolResponse, ErrorData> {
    if let Some(user) = accepted(params.input_responses.as_ref(), "user_name", "name") {
        return Ok(tasks::greeting(&server.world.tasks, user));
    }
    let seal = &server.world.seal;
    let round = Round {
        params,
        caller,
        seal,
    };
    round.ask_name()
}

async fn reconnection() -> CallToolResponse {
    // Long enough for the client to see its stream end before the answer exists.
    tokio::time::sleep(RECONNECTION_PAUSE).await;
    text("Answered on a resumed stream").into()
}

async fn changed(server: &Everything, change: Change) -> CallToolResponse {
    server.world.changes.announce(change).await;
    text("Change announced").into()
}

fn unknown(name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("unknown tool `{name}`"), None)
}

const RECONNECTION_PAUSE: Duration = Duration::from_millis(200);

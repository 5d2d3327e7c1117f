//! Tools that become tasks (SEP-2663): the caller gets a handle and asks for the result later. Never
//! hands a task to a caller that did not declare the extension.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{
    CallToolResponse, CallToolResult, ClientCapabilities, CreateTaskResult, JsonObject,
};
use rmcp::task_manager::{TaskContext, TaskExit, TaskManager, TaskOptions};
use serde_json::Value;

use super::content::{argument, failure, text};
use super::input::{Caller, form, form_value};

type Outcome = Result<CallToolResult, TaskExit>;

/// Sleeps and answers, as a task if the caller knows tasks.
pub(super) async fn slow_compute(
    tasks: &TaskManager,
    caller: &Caller,
    arguments: Option<&JsonObject>,
) -> Result<CallToolResponse, ErrorData> {
    let length = sleep_length(arguments)?;
    let label = argument(arguments, "label").unwrap_or("unnamed").to_owned();
    let answer = format!("Computed `{label}`");
    if !caller.knows_tasks() {
        tokio::time::sleep(length).await;
        return Ok(text(answer).into());
    }
    Ok(started(tasks, move |task| async move {
        tokio::select! {
            () = task.cancelled() => Err(TaskExit::Cancelled),
            () = tokio::time::sleep(length) => Ok(text(answer)),
        }
    }))
}

/// A task whose tool fails.
pub(super) fn failing_job(tasks: &TaskManager) -> CallToolResponse {
    started(tasks, |_| async {
        tokio::time::sleep(JOB_LENGTH).await;
        Ok(failure("This job always fails"))
    })
}

/// A task that breaks the protocol of its server.
pub(super) fn protocol_error_job(tasks: &TaskManager) -> CallToolResponse {
    started(tasks, |_| async {
        Err(TaskExit::Error(ErrorData::internal_error(
            "this job always breaks",
            None,
        )))
    })
}

/// A task that waits for the user's word.
pub(super) fn confirm_delete(
    tasks: &TaskManager,
    arguments: Option<&JsonObject>,
) -> Result<CallToolResponse, ErrorData> {
    let filename = argument(arguments, "filename")?.to_owned();
    Ok(started(tasks, move |task| async move {
        let question = format!("Delete {filename}?");
        let confirmed = answer(&task, "confirm", &question, "boolean").await?;
        Ok(text(match confirmed.as_deref() {
            Some("true") => format!("Deleted {filename}"),
            _ => format!("Kept {filename}"),
        }))
    }))
}

/// A task that waits for two answers at once.
pub(super) fn multi_input(tasks: &TaskManager) -> CallToolResponse {
    started(tasks, |task| async move {
        let (name, confirmed) = tokio::try_join!(
            answer(&task, "name", "What is your name?", "string"),
            answer(&task, "confirm", "Shall we go on?", "boolean"),
        )?;
        let heard = [name, confirmed].into_iter().flatten();
        Ok(text(format!(
            "Heard: {}",
            heard.collect::<Vec<_>>().join(", ")
        )))
    })
}

/// The task that a call becomes once `name` is known.
pub(super) fn greeting(tasks: &TaskManager, name: String) -> CallToolResponse {
    started(tasks, move |_| async move {
        Ok(text(format!("Hello, {name}!")))
    })
}

/// Refuses callers that could not follow a task.
pub(super) fn must_know_tasks(caller: &Caller) -> Result<(), ErrorData> {
    if caller.knows_tasks() {
        return Ok(());
    }
    let required = ClientCapabilities::builder().enable_tasks().build();
    Err(ErrorData::missing_required_client_capability(required))
}

fn started<F, R>(tasks: &TaskManager, work: F) -> CallToolResponse
where
    F: FnOnce(TaskContext) -> R,
    R: Future<Output = Outcome> + Send + 'static,
{
    let options = TaskOptions::new().with_poll_interval_ms(POLL_INTERVAL_MS);
    let task = tasks.spawn(options, |context| Box::pin(work(context)));
    CreateTaskResult::new(task).into()
}

async fn answer(
    task: &TaskContext,
    field: &str,
    question: &str,
    field_type: &str,
) -> Result<Option<String>, TaskExit> {
    let request = form(question, field, field_type).into_request()?;
    let response = task.request_input(field, request).await?;
    Ok(form_value(&response, field))
}

fn sleep_length(arguments: Option<&JsonObject>) -> Result<Duration, ErrorData> {
    arguments
        .and_then(|arguments| arguments.get("seconds"))
        .and_then(Value::as_f64)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|length| *length <= LONGEST_SLEEP)
        .ok_or_else(|| ErrorData::invalid_params("`seconds` must be 0 to 3600", None))
}

const JOB_LENGTH: Duration = Duration::from_secs(1);
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);
const POLL_INTERVAL_MS: u64 = 100;

//! Legacy sessions in which the stream of one tool, `test_reconnection`, closes before its answer, so
//! that clients must come back with `Last-Event-ID` (SEP-1699). Every other call is untouched.

use futures_util::{Stream, StreamExt, future::Either};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::session::{
    ServerSseMessage, SessionId, SessionManager,
};

/// In-memory sessions with one polling tool.
#[derive(Default)]
pub(super) struct PollingSessions {
    local: LocalSessionManager,
}

impl SessionManager for PollingSessions {
    type Error = <LocalSessionManager as SessionManager>::Error;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let must_poll = calls(&message, POLLING_TOOL);
        let stream = self.local.create_stream(id, message).await?;
        if must_poll {
            return Ok(Either::Left(stream.take(PRIMING_EVENTS)));
        }
        Ok(Either::Right(stream))
    }

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        self.local.create_session().await
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.local.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.local.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.local.close_session(id).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.local.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.local.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.local.resume(id, last_event_id).await
    }
}

fn calls(message: &ClientJsonRpcMessage, tool: &str) -> bool {
    let ClientJsonRpcMessage::Request(message) = message else {
        return false;
    };
    matches!(&message.request, ClientRequest::CallToolRequest(call) if call.params.name == tool)
}

const POLLING_TOOL: &str = "test_reconnection";
// The event that carries the id to come back with.
const PRIMING_EVENTS: usize = 1;

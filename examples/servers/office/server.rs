//! The protocol surface and its door: lists the tools of one desk and hands calls to it. Never runs a tool that it does not list.

use std::convert::Infallible;
use std::io::Result;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    JsonObject, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use tokio::net::TcpListener;

use super::crm::Crm;
use super::warehouse::Warehouse;

/// What a server is about.
pub(crate) enum Desk {
    /// Orders.
    Warehouse(Warehouse),
    /// Customers.
    Crm(Crm),
}

impl Desk {
    /// The desk of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "warehouse" => Some(Self::Warehouse(Warehouse::default())),
            "crm" => Some(Self::Crm(Crm::new())),
            _ => None,
        }
    }

    fn tools(&self) -> std::result::Result<Vec<Tool>, ErrorData> {
        let text = match self {
            Self::Warehouse(_) => include_str!("warehouse.json"),
            Self::Crm(_) => include_str!("crm.json"),
        };
        serde_json::from_str(text)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }

    /// What the tool answers; an `Err` is the tool's, not the protocol's.
    fn call(&mut self, tool: &str, arguments: &JsonObject) -> std::result::Result<String, String> {
        match self {
            Self::Warehouse(warehouse) => warehouse.call(tool, arguments),
            Self::Crm(crm) => crm.call(tool, arguments),
        }
    }
}

/// A text among the arguments.
pub(super) fn text<'a>(
    arguments: &'a JsonObject,
    name: &str,
) -> std::result::Result<&'a str, String> {
    let found = arguments.get(name).and_then(Value::as_str);
    found.ok_or_else(|| format!("`{name}` must be a string"))
}

/// A whole number among the arguments.
pub(super) fn number(arguments: &JsonObject, name: &str) -> std::result::Result<i64, String> {
    let found = arguments.get(name).and_then(Value::as_i64);
    found.ok_or_else(|| format!("`{name}` must be a whole number"))
}

#[derive(Clone)]
struct Office(Arc<Mutex<Desk>>);

impl ServerHandler for Office {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("office", env!("CARGO_PKG_VERSION")))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> std::result::Result<ListToolsResult, ErrorData> {
        let desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        desk.tools().map(ListToolsResult::with_all_items)
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> std::result::Result<CallToolResponse, ErrorData> {
        let mut desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !desk.tools()?.iter().any(|tool| tool.name == params.name) {
            let message = format!("unknown tool `{}`", params.name);
            return Err(ErrorData::invalid_params(message, None));
        }
        let arguments = params.arguments.unwrap_or_default();
        let block = |line: String| vec![ContentBlock::text(line)];
        Ok(match desk.call(&params.name, &arguments) {
            Ok(line) => CallToolResult::success(block(line)).into(),
            Err(line) => CallToolResult::error(block(line)).into(),
        })
    }
}

/// Answers every connection of `listener` until the process ends.
pub(crate) async fn serve(listener: TcpListener, desk: Desk) -> Result<()> {
    let office = Office(Arc::new(Mutex::new(desk)));
    let mcp = StreamableHttpService::new(
        move || Ok(office.clone()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let mcp = mcp.clone();
        let service = service_fn(move |request: http::Request<Incoming>| {
            let mcp = mcp.clone();
            async move { Ok::<_, Infallible>(mcp.handle(request).await) }
        });
        tokio::spawn(async move {
            // The error says only that the peer went away in the middle of a message.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

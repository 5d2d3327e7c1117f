//! An MCP server over a notebook in memory, of every revision from 2025-03-26 to 2026-07-28.
//! Never asks who is calling: that is the gateway's work, and it listens on loopback only.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{
    ErrorData, Implementation, ListResourceTemplatesResult, ListResourcesResult,
    PaginatedRequestParams, PromptMessage, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, Resource, ResourceContents, ResourceTemplate, Role, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{
    RoleServer, ServerHandler, prompt, prompt_handler, prompt_router, tool, tool_handler,
    tool_router,
};

use super::DevError;
use super::listening::{Answered, Listening};
use super::notes::{Note, Notebook};

#[cfg(test)]
mod tests;

/// A running MCP server. Dropping it closes its port and its streams.
#[derive(Debug)]
pub struct DevServer {
    listening: Listening,
}

impl DevServer {
    /// Listens on a free port of 127.0.0.1. Needs a Tokio runtime.
    pub async fn start() -> Result<Self, DevError> {
        let notebook = Notebook::with_samples();
        let service = StreamableHttpService::new(
            move || {
                Ok(NotesServer {
                    notebook: notebook.clone(),
                })
            },
            Arc::new(LocalSessionManager::default()),
            // No browser has business here: the gateway drops `Origin` after checking it.
            StreamableHttpServerConfig::default().enforce_origin_validation(),
        );
        let listening = Listening::serve(Listening::bind().await?, move |request| {
            let service = service.clone();
            async move { answer(&service, request).await }
        })?;
        Ok(Self { listening })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// The URL of the MCP endpoint.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address())
    }
}

type Service = StreamableHttpService<NotesServer, LocalSessionManager>;

async fn answer(service: &Service, request: Request<Incoming>) -> Answered {
    if request.uri().path() == PATH {
        return service.handle(request).await;
    }
    let mut answered = Response::new(Full::new(Bytes::new()).boxed());
    *answered.status_mut() = StatusCode::NOT_FOUND;
    answered
}

#[derive(Debug, Clone)]
struct NotesServer {
    notebook: Notebook,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct Search {
    /// Words to look for in titles and texts.
    query: String,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct ById {
    /// The number of the note.
    id: u64,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct NewNote {
    /// The title, one line.
    title: String,
    /// The text.
    text: String,
}

/// Arguments of prompts are text.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct Summarise {
    /// The number of the note.
    id: String,
}

#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
struct Found {
    /// The notes that match.
    notes: Vec<Note>,
}

#[tool_router]
impl NotesServer {
    #[tool(
        description = "Find notes by words in their title or text",
        annotations(read_only_hint = true, open_world_hint = false)
    )]
    fn search_notes(&self, Parameters(search): Parameters<Search>) -> Json<Found> {
        Json(Found {
            notes: self.notebook.search(&search.query),
        })
    }

    #[tool(
        description = "Read one note",
        annotations(read_only_hint = true, open_world_hint = false)
    )]
    fn get_note(&self, Parameters(note): Parameters<ById>) -> Result<Json<Note>, String> {
        self.notebook
            .read(note.id)
            .map(Json)
            .map_err(|fault| fault.to_string())
    }

    #[tool(
        description = "Write a new note",
        annotations(destructive_hint = false, open_world_hint = false)
    )]
    fn add_note(&self, Parameters(note): Parameters<NewNote>) -> Result<Json<Note>, String> {
        self.notebook
            .add(note.title, note.text)
            .map(Json)
            .map_err(|fault| fault.to_string())
    }

    #[tool(
        description = "Delete one note for good",
        annotations(destructive_hint = true, open_world_hint = false)
    )]
    fn delete_note(&self, Parameters(note): Parameters<ById>) -> Result<Json<Note>, String> {
        self.notebook
            .delete(note.id)
            .map(Json)
            .map_err(|fault| fault.to_string())
    }
}

#[prompt_router]
impl NotesServer {
    #[prompt(description = "Ask for a summary of one note")]
    async fn summarise_note(
        &self,
        Parameters(note): Parameters<Summarise>,
    ) -> Result<Vec<PromptMessage>, ErrorData> {
        let id = note
            .id
            .parse()
            .map_err(|_| ErrorData::invalid_params("`id` is the number of a note", None))?;
        let note = self
            .notebook
            .read(id)
            .map_err(|fault| ErrorData::invalid_params(fault.to_string(), None))?;
        let text = format!(
            "Summarise this note in one sentence.\n\n# {}\n\n{}",
            note.title, note.text
        );
        Ok(vec![PromptMessage::new_text(Role::User, text)])
    }
}

#[tool_handler]
#[prompt_handler]
impl ServerHandler for NotesServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(
                "gatewright-dev-notes",
                env!("CARGO_PKG_VERSION"),
            ))
            .with_instructions("A notebook in memory. It forgets everything when it stops.")
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = self.notebook.all().into_iter();
        let resources = resources
            .map(|note| Resource::new(uri(note.id), note.title).with_mime_type(MEDIA_TYPE));
        Ok(ListResourcesResult::with_all_items(resources.collect()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new("note://{id}", "note").with_mime_type(MEDIA_TYPE);
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let id = request
            .uri
            .strip_prefix(SCHEME)
            .and_then(|id| id.parse().ok());
        let Some(note) = id.and_then(|id| self.notebook.read(id).ok()) else {
            return Err(ErrorData::resource_not_found("there is no such note", None));
        };
        let contents = ResourceContents::text(note.text, request.uri).with_mime_type(MEDIA_TYPE);
        Ok(ReadResourceResult::new(vec![contents]).into())
    }
}

fn uri(id: u64) -> String {
    format!("{SCHEME}{id}")
}

/// The one path that is served.
const PATH: &str = "/mcp";
const SCHEME: &str = "note://";
const MEDIA_TYPE: &str = "text/plain";

//! The protocol surface: one method per MCP request, each handing over to the part that knows.
//! Never speaks HTTP and never keeps per-client state outside its session.
#![expect(
    deprecated,
    reason = "logging and resource subscriptions are deprecated since 2026-07-28 and still spoken by older clients"
)]

use std::fs::File;
use std::io::{Error, Read};
use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams,
    CompleteResult, CompletionInfo, GetPromptRequestParams, GetPromptResponse, GetTaskParams,
    GetTaskResult, Implementation, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, RequestStateCodec, ServerCapabilities, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
    UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::task_manager::TaskManager;
use rmcp::{ErrorData, RoleServer, ServerHandler};

use super::catalogue::Catalogue;
use super::changes::Changes;
use super::input::Caller;
use super::session::Session;
use super::{prompts, resources, tools};

/// What all sessions and requests share.
pub(super) struct World {
    pub(super) catalogue: Catalogue,
    pub(super) changes: Changes,
    pub(super) tasks: TaskManager,
    pub(super) seal: RequestStateCodec,
}

impl World {
    /// A world with nobody in it and a fresh key for its seals.
    ///
    /// # Errors
    ///
    /// When the catalogue cannot be read or the system has no random bytes.
    pub(super) fn new() -> Result<Self, Error> {
        let mut key = [0; RequestStateCodec::MIN_KEY_LENGTH];
        File::open("/dev/urandom")?.read_exact(&mut key)?;
        Ok(Self {
            catalogue: Catalogue::read()?,
            changes: Changes::new(),
            tasks: TaskManager::new(),
            seal: RequestStateCodec::try_new(key).map_err(Error::other)?,
        })
    }
}

/// The server as one session, or one request without a session, sees it.
pub(super) struct Everything {
    pub(super) world: Arc<World>,
    pub(super) session: Arc<Session>,
}

impl Everything {
    /// A new session in `world`.
    pub(super) fn new(world: Arc<World>) -> Self {
        Self {
            world,
            session: Arc::new(Session::default()),
        }
    }
}

type Answer<T> = Result<T, ErrorData>;
type Context = RequestContext<RoleServer>;

impl ServerHandler for Everything {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_logging()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_tasks()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("everything", env!("CARGO_PKG_VERSION")))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.world.catalogue.tool(name)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Answer<ListToolsResult> {
        let tools = self.world.catalogue.tools.clone();
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: Context,
    ) -> Answer<CallToolResponse> {
        tools::call(self, &params, &context).await
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Answer<ListPromptsResult> {
        let prompts = self.world.catalogue.prompts.clone();
        Ok(ListPromptsResult::with_all_items(prompts))
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        context: Context,
    ) -> Answer<GetPromptResponse> {
        prompts::prompt(&params, &Caller::of(&context))
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Answer<ListResourcesResult> {
        let resources = self.world.catalogue.resources.clone();
        Ok(ListResourcesResult::with_all_items(resources))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Answer<ListResourceTemplatesResult> {
        let templates = self.world.catalogue.resource_templates.clone();
        Ok(ListResourceTemplatesResult::with_all_items(templates))
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        _: Context,
    ) -> Answer<ReadResourceResponse> {
        resources::read(&params.uri)
    }

    async fn complete(&self, params: CompleteRequestParams, _: Context) -> Answer<CompleteResult> {
        let mut values: Vec<String> = COMPLETIONS.into_iter().map(str::to_owned).collect();
        values.retain(|value| value.starts_with(&params.argument.value));
        CompletionInfo::with_all_values(values)
            .map(CompleteResult::new)
            .map_err(|error| ErrorData::internal_error(error, None))
    }

    async fn set_level(&self, params: SetLevelRequestParams, _: Context) -> Answer<()> {
        self.session.set_level(params.level);
        Ok(())
    }

    async fn subscribe(&self, params: SubscribeRequestParams, _: Context) -> Answer<()> {
        resources::read(&params.uri)?;
        self.session.watch(params.uri);
        Ok(())
    }

    async fn unsubscribe(&self, params: UnsubscribeRequestParams, _: Context) -> Answer<()> {
        self.session.unwatch(&params.uri);
        Ok(())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let session = Arc::clone(&self.session);
        self.world.changes.enroll(context.peer, session);
    }

    // The library cuts the answer down to the capabilities above.
    fn accepted_subscription_filter(
        &self,
        asked: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(asked.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Answer<()> {
        self.world.changes.follow(subscription).await;
        Ok(())
    }

    async fn get_task(&self, params: GetTaskParams, _: Context) -> Answer<GetTaskResult> {
        let task = self.world.tasks.get_task(&params.task_id)?;
        Ok(GetTaskResult::new(task))
    }

    async fn update_task(&self, params: UpdateTaskParams, _: Context) -> Answer<()> {
        let UpdateTaskParams {
            task_id,
            input_responses,
            ..
        } = params;
        self.world.tasks.update_task(&task_id, input_responses)
    }

    async fn cancel_task(&self, params: CancelTaskParams, _: Context) -> Answer<()> {
        self.world.tasks.cancel_task(&params.task_id)
    }
}

const COMPLETIONS: [&str; 4] = ["paris", "park", "party", "test"];

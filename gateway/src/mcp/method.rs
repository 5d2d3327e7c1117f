//! The methods of MCP, one row each. Never allows a method that has no row.

use super::listing::Listing;
use super::version::Revision;

/// A method or notification that a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Any other.
    Unknown,
    /// `initialize`.
    Initialize,
    /// `server/discover`.
    ServerDiscover,
    /// `ping`.
    Ping,
    /// `logging/setLevel`.
    LoggingSetLevel,
    /// `tools/list`.
    ToolsList,
    /// `tools/call`.
    ToolsCall,
    /// `prompts/list`.
    PromptsList,
    /// `prompts/get`.
    PromptsGet,
    /// `resources/list`.
    ResourcesList,
    /// `resources/templates/list`.
    ResourcesTemplatesList,
    /// `resources/read`.
    ResourcesRead,
    /// `resources/subscribe`.
    ResourcesSubscribe,
    /// `resources/unsubscribe`.
    ResourcesUnsubscribe,
    /// `subscriptions/listen`.
    SubscriptionsListen,
    /// `completion/complete`.
    CompletionComplete,
    /// `tasks/get`.
    TasksGet,
    /// `tasks/result`.
    TasksResult,
    /// `tasks/update`.
    TasksUpdate,
    /// `tasks/cancel`.
    TasksCancel,
    /// `tasks/list`.
    TasksList,
    /// `notifications/initialized`.
    Initialized,
    /// `notifications/cancelled`.
    Cancelled,
    /// `notifications/progress`.
    Progress,
    /// `notifications/roots/list_changed`.
    RootsListChanged,
    /// `notifications/tasks/status`.
    TasksStatus,
}

/// Who may use a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Every principal.
    Open,
    /// Whoever may reach its target.
    ByTarget,
    /// Who made its task, as long as they may call the tool that made it.
    Maker,
    /// Who made its task, whatever they may call by now.
    FormerMaker,
    /// Nobody.
    Denied,
}

/// Where a method names what it wants to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aim {
    /// Nowhere.
    Nothing,
    /// A tool in `params.name`.
    Tool,
    /// A prompt in `params.name`.
    Prompt,
    /// A resource in `params.uri`.
    Resource,
    /// A prompt or a resource template in `params.ref`.
    Reference,
    /// Resources in `params.notifications.resourceSubscriptions`.
    Subscriptions,
    /// A task in `params.taskId`.
    Task,
}

/// Does `Mcp-Name` repeat the target of a 2026-07-28 request?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameHeader {
    /// It must.
    Required,
    /// It says nothing.
    Ignored,
}

/// What is known of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The method.
    pub method: Method,
    /// The name on the wire, also for metrics.
    pub name: &'static str,
    /// The revisions that have it; for 2026-07-28 the tasks extension counts.
    pub revisions: &'static [Revision],
    /// Who may use it.
    pub access: Access,
    /// Where its target stands.
    pub aim: Aim,
    /// Whether `Mcp-Name` repeats the target.
    pub name_header: NameHeader,
    /// What its answer lists.
    pub listing: Option<Listing>,
}

impl Method {
    /// The method with exactly this name, or `Unknown`.
    pub fn from_name(name: &str) -> Self {
        ROWS.iter()
            .skip(1)
            .find(|row| row.name == name)
            .map_or(Self::Unknown, |row| row.method)
    }

    /// What is known of it.
    pub fn row(self) -> &'static Row {
        ROWS.iter()
            .find(|row| row.method == self)
            .unwrap_or(&UNKNOWN)
    }

    /// The name on the wire; `_OTHER` for an unknown method.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Who may use it.
    pub fn access(self) -> Access {
        self.row().access
    }

    /// What its answer lists.
    pub fn listing(self) -> Option<Listing> {
        self.row().listing
    }

    /// Does `revision` have it?
    pub fn is_in(self, revision: Revision) -> bool {
        self.row().revisions.contains(&revision)
    }

    /// Is this the name of a notification, known or not?
    pub fn is_notification(name: &str) -> bool {
        name.starts_with("notifications/")
    }
}

const UNKNOWN: Row = row(Method::Unknown, "_OTHER", &[]);

const LEGACY: &[Revision] = &[
    Revision::V2025_03_26,
    Revision::V2025_06_18,
    Revision::V2025_11_25,
];
const MODERN: &[Revision] = &[Revision::V2026_07_28];
const TASKS_CORE: &[Revision] = &[Revision::V2025_11_25];
const TASKS: &[Revision] = &[Revision::V2025_11_25, Revision::V2026_07_28];
const EVERY: &[Revision] = &Revision::ALL;

/// Every method, in the order of the enum. A task belongs to who made it, whoever knows its id; its maker may end it even
/// when they may no longer see what it did. A list of tasks would show those of others.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    UNKNOWN,
    row(Method::Initialize, "initialize", LEGACY).open(),
    row(Method::ServerDiscover, "server/discover", MODERN).open(),
    row(Method::Ping, "ping", LEGACY).open(),
    row(Method::LoggingSetLevel, "logging/setLevel", LEGACY).open(),
    row(Method::ToolsList, "tools/list", EVERY).open().lists(Listing::Tools),
    row(Method::ToolsCall, "tools/call", EVERY).by(Aim::Tool).named(),
    row(Method::PromptsList, "prompts/list", EVERY).open().lists(Listing::Prompts),
    row(Method::PromptsGet, "prompts/get", EVERY).by(Aim::Prompt).named(),
    row(Method::ResourcesList, "resources/list", EVERY).open().lists(Listing::Resources),
    row(Method::ResourcesTemplatesList, "resources/templates/list", EVERY).open().lists(Listing::Templates),
    row(Method::ResourcesRead, "resources/read", EVERY).by(Aim::Resource).named(),
    row(Method::ResourcesSubscribe, "resources/subscribe", LEGACY).by(Aim::Resource),
    row(Method::ResourcesUnsubscribe, "resources/unsubscribe", LEGACY).by(Aim::Resource),
    row(Method::SubscriptionsListen, "subscriptions/listen", MODERN).by(Aim::Subscriptions),
    row(Method::CompletionComplete, "completion/complete", EVERY).by(Aim::Reference),
    row(Method::TasksGet, "tasks/get", TASKS).by(Aim::Task).named().made(Access::Maker),
    row(Method::TasksResult, "tasks/result", TASKS_CORE).by(Aim::Task).made(Access::Maker),
    row(Method::TasksUpdate, "tasks/update", MODERN).by(Aim::Task).named().made(Access::Maker),
    row(Method::TasksCancel, "tasks/cancel", TASKS).by(Aim::Task).named().made(Access::FormerMaker),
    row(Method::TasksList, "tasks/list", TASKS_CORE),
    row(Method::Initialized, "notifications/initialized", LEGACY).open(),
    row(Method::Cancelled, "notifications/cancelled", LEGACY).open(),
    row(Method::Progress, "notifications/progress", LEGACY).open(),
    row(Method::RootsListChanged, "notifications/roots/list_changed", LEGACY).open(),
    row(Method::TasksStatus, "notifications/tasks/status", TASKS_CORE),
];

/// A row that denies: the rest is said by the calls behind it.
const fn row(method: Method, name: &'static str, revisions: &'static [Revision]) -> Row {
    Row {
        method,
        name,
        revisions,
        access: Access::Denied,
        aim: Aim::Nothing,
        name_header: NameHeader::Ignored,
        listing: None,
    }
}

impl Row {
    const fn open(mut self) -> Self {
        self.access = Access::Open;
        self
    }

    const fn by(mut self, aim: Aim) -> Self {
        self.access = Access::ByTarget;
        self.aim = aim;
        self
    }

    const fn made(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    const fn named(mut self) -> Self {
        self.name_header = NameHeader::Required;
        self
    }

    const fn lists(mut self, listing: Listing) -> Self {
        self.listing = Some(listing);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Method, ROWS};
    use crate::mcp::version::Revision;

    #[test]
    fn every_method_has_one_row_under_its_own_name() {
        for (index, row) in ROWS.iter().enumerate() {
            assert_eq!(row.method as usize, index, "{}", row.name);
            assert_eq!(row.method.name(), row.name);
        }
        for row in ROWS.iter().skip(1) {
            assert_eq!(Method::from_name(row.name), row.method);
            assert!(!row.revisions.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn q09_a_method_that_is_spelled_otherwise_is_unknown_and_denied() {
        for name in [
            "Tools/Call",
            "tools/call ",
            "tools//call",
            "tools/call\0",
            "",
            "_OTHER",
            "rpc.discover",
        ] {
            assert_eq!(Method::from_name(name), Method::Unknown, "{name:?}");
        }
        assert_eq!(Method::Unknown.access(), Access::Denied);
        assert_eq!(Method::Unknown.name(), "_OTHER");
    }

    #[test]
    fn the_revisions_of_a_method_are_those_of_the_specification() {
        assert!(Method::ToolsCall.is_in(Revision::V2025_03_26));
        assert!(Method::ServerDiscover.is_in(Revision::V2026_07_28));
        assert!(!Method::ServerDiscover.is_in(Revision::V2025_11_25));
        assert!(!Method::Ping.is_in(Revision::V2026_07_28));
        assert!(!Method::TasksUpdate.is_in(Revision::V2025_11_25));
    }

    #[test]
    fn x14_tasks_are_for_their_maker_and_their_list_is_for_nobody() {
        for method in [Method::TasksGet, Method::TasksResult, Method::TasksUpdate] {
            assert_eq!(method.access(), Access::Maker);
        }
        assert_eq!(Method::TasksCancel.access(), Access::FormerMaker);
        assert_eq!(Method::TasksList.access(), Access::Denied);
        assert_eq!(Method::ToolsCall.access(), Access::ByTarget);
    }
}

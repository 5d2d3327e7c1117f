//! The one table of what conditions may look at. The schema that policies are checked against is written from it.

use std::fmt::Write as _;

/// The type of a value in conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits.
    Long,
    /// Text.
    String,
    /// A set of texts.
    Strings,
    /// A set of whole numbers.
    Longs,
    /// A set of `true` and `false`.
    Bools,
    /// An IP address or a range of them.
    Ip,
    /// A number with four digits after the point.
    Decimal,
    /// A point in time.
    Datetime,
    /// A length of time.
    Duration,
}

impl Type {
    /// The name in a Cedar schema.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "Bool",
            Self::Long => "Long",
            Self::String => "String",
            Self::Strings => "Set<String>",
            Self::Longs => "Set<Long>",
            Self::Bools => "Set<Bool>",
            Self::Ip => "ipaddr",
            Self::Decimal => "decimal",
            Self::Datetime => "datetime",
            Self::Duration => "duration",
        }
    }
}

/// Whose attribute it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// `principal`.
    Principal,
    /// `resource`, of every kind.
    Resource,
    /// `resource`, when it is a tool.
    Tool,
    /// `context`.
    Context,
}

impl Owner {
    /// The word in conditions.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Resource | Self::Tool => "resource",
            Self::Context => "context",
        }
    }
}

/// Whether an attribute is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Always.
    Always,
    /// Ask with `has` first.
    Sometimes,
}

/// Something that conditions may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Whose.
    pub owner: Owner,
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// Whether it is always there.
    pub presence: Presence,
    /// What it says.
    pub about: &'static str,
}

/// A method that a decision is about, and the kinds of things it is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// The MCP method.
    pub name: &'static str,
    /// The entity types, as the schema writes them.
    pub resources: &'static [&'static str],
}

/// The type of the attribute `name` of `word`, if it is in the table.
pub(crate) fn kind_of(word: &str, name: &str) -> Option<Type> {
    ATTRIBUTES
        .iter()
        .find(|attribute| attribute.owner.word() == word && attribute.name == name)
        .map(|attribute| attribute.kind)
}

/// The schema, with `more` attributes of the context.
pub(crate) fn schema(more: impl Iterator<Item = (String, Type)>) -> String {
    let mut text = String::from("entity Role;\nentity Server;\n");
    let principal = fields(&[Owner::Principal]);
    let tool = fields(&[Owner::Resource, Owner::Tool]);
    let thing = fields(&[Owner::Resource]);
    let mut context = fields(&[Owner::Context]);
    for (name, kind) in more {
        let _ = writeln!(context, "  {name}: {},", kind.name());
    }
    let _ = write!(
        text,
        "entity Principal in [Role] = {{\n{principal}}};\n\
         entity Tool in [Server] = {{\n{tool}}};\n\
         entity Prompt in [Server] = {{\n{thing}}};\n\
         entity Resource in [Server] = {{\n{thing}}};\n\
         type Circumstances = {{\n{context}}};\n\
         action \"{USE}\";\n"
    );
    for action in ACTIONS {
        let _ = writeln!(
            text,
            "action \"{}\" in [\"{USE}\"] appliesTo {{ principal: [Principal], resource: [{}], context: Circumstances }};",
            action.name,
            action.resources.join(", ")
        );
    }
    text
}

/// The schema for people and their editors: `policies/schema.cedarschema`.
pub fn published_schema() -> String {
    format!("{HEADER}{}", schema(std::iter::empty()))
}

fn fields(owners: &[Owner]) -> String {
    let mut text = String::new();
    for attribute in ATTRIBUTES.iter().filter(|row| owners.contains(&row.owner)) {
        let mark = match attribute.presence {
            Presence::Always => "",
            Presence::Sometimes => "?",
        };
        let _ = writeln!(
            text,
            "  // {}\n  {}{mark}: {},",
            attribute.about,
            attribute.name,
            attribute.kind.name()
        );
    }
    text
}

/// The group of all actions.
pub(crate) const USE: &str = "use";

/// Every action: `action == Action::"tools/call"`, or `action in Action::"use"` for all.
pub const ACTIONS: &[Action] = &[
    action("tools/call", &["Tool"]),
    action("prompts/get", &["Prompt"]),
    action("resources/read", &["Resource"]),
    action("resources/subscribe", &["Resource"]),
    action("resources/unsubscribe", &["Resource"]),
    action("subscriptions/listen", &["Resource"]),
    action("completion/complete", &["Prompt", "Resource"]),
];

/// Every attribute but the open ones: `context.args.*`, `context.details.*` and `principal.claims.*`.
pub const ATTRIBUTES: &[Attribute] = &[
    principal("issuer", Type::String, "who issued the token (`iss`)"),
    principal("subject", Type::String, "who it is about (`sub`)"),
    principal("kind", Type::String, "`user`, `agent` or `service`"),
    maybe(Owner::Principal, "client", Type::String, "the OAuth client"),
    maybe(
        Owner::Principal,
        "actor",
        Type::String,
        "who acts for the subject now (`act.sub`)",
    ),
    principal("actors", Type::Strings, "everybody in the chain of actors"),
    principal("roles", Type::Strings, "the names of the roles"),
    maybe(
        Owner::Principal,
        "model",
        Type::String,
        "the model of the agent",
    ),
    maybe(
        Owner::Principal,
        "model_source",
        Type::String,
        "who says so: `claim`, `meta` or `header`; only `claim` is proven",
    ),
    resource("name", Type::String, "the name, or the URI of a resource"),
    resource(
        "server",
        Type::String,
        "the server, as the configuration names it",
    ),
    tool("read_only", "changes nothing (`readOnlyHint`)"),
    tool("destructive", "may destroy something (`destructiveHint`)"),
    tool("idempotent", "twice is once (`idempotentHint`)"),
    tool("open_world", "talks to the world outside (`openWorldHint`)"),
    context("now", Type::Datetime, "the time"),
    context(
        "weekday",
        Type::Long,
        "1 for Monday to 7 for Sunday, in `policy.time_zone`",
    ),
    context(
        "minute",
        Type::Long,
        "minutes since midnight, in `policy.time_zone`",
    ),
    maybe(
        Owner::Context,
        "source",
        Type::Ip,
        "where the connection comes from",
    ),
    maybe(
        Owner::Context,
        "auth_age",
        Type::Long,
        "seconds since the login (`auth_time`)",
    ),
    maybe(
        Owner::Context,
        "token_age",
        Type::Long,
        "seconds since the token was issued (`iat`)",
    ),
    maybe(
        Owner::Context,
        "acr",
        Type::String,
        "how the user logged in (`acr`)",
    ),
    context("scopes", Type::Strings, "the scopes of the token"),
    context("argument_bytes", Type::Long, "the size of all arguments"),
    context(
        "approved",
        Type::Bool,
        "whether a human agreed to this very call",
    ),
];

const fn action(name: &'static str, resources: &'static [&'static str]) -> Action {
    Action { name, resources }
}

const fn principal(name: &'static str, kind: Type, about: &'static str) -> Attribute {
    always(Owner::Principal, name, kind, about)
}

const fn resource(name: &'static str, kind: Type, about: &'static str) -> Attribute {
    always(Owner::Resource, name, kind, about)
}

const fn tool(name: &'static str, about: &'static str) -> Attribute {
    always(Owner::Tool, name, Type::Bool, about)
}

const fn context(name: &'static str, kind: Type, about: &'static str) -> Attribute {
    always(Owner::Context, name, kind, about)
}

const fn always(owner: Owner, name: &'static str, kind: Type, about: &'static str) -> Attribute {
    Attribute {
        owner,
        name,
        kind,
        presence: Presence::Always,
        about,
    }
}

const fn maybe(owner: Owner, name: &'static str, kind: Type, about: &'static str) -> Attribute {
    Attribute {
        owner,
        name,
        kind,
        presence: Presence::Sometimes,
        about,
    }
}

const HEADER: &str = "\
// What Cedar policies may look at. Written from the table in policies/src/attribute.rs.
// Open besides, each typed by how a policy uses it: context.args.*, context.details.*, principal.claims.*
";

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::str::FromStr as _;

    use cedar_policy::Schema;

    use super::{Type, published_schema, schema};

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a file that is written from the code is written by its test"
    )]
    fn the_published_schema_is_the_one_of_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.cedarschema");
        if std::env::var_os("GATEWRIGHT_WRITE").is_some() {
            std::fs::write(&path, published_schema()).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == published_schema(),
            "write it with GATEWRIGHT_WRITE=1"
        );
    }

    #[test]
    fn cedar_reads_the_schema() {
        let more = [("extra".to_owned(), Type::Longs)];
        let read = Schema::from_str(&schema(more.into_iter()));
        assert!(read.is_ok(), "{read:?}");
    }
}

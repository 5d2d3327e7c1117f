//! What a policy is asked. Holds facts that were proven elsewhere; proves nothing itself.

/// What kind of thing is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// A tool, by its name.
    Tool,
    /// A prompt, by its name.
    Prompt,
    /// A resource, by its URI; a resource template, by its text.
    Resource,
}

impl Access {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Tool, Self::Prompt, Self::Resource];

    /// The entity type in policies.
    pub const fn entity(self) -> &'static str {
        match self {
            Self::Tool => "Tool",
            Self::Prompt => "Prompt",
            Self::Resource => "Resource",
        }
    }

    /// The method that uses the thing itself.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Tool => "tools/call",
            Self::Prompt => "prompts/get",
            Self::Resource => "resources/read",
        }
    }
}

/// May somebody who has `roles` and `scopes` use this thing of this server?
///
/// `R` and `S` are whatever the caller keeps role names and scopes in, as long as it lends a `str`.
#[derive(Debug)]
pub struct Question<'a, R = &'a str, S = &'a str> {
    /// The server, as the configuration names it.
    pub server: &'a str,
    /// Every role of the principal. Their order is irrelevant.
    pub roles: &'a [R],
    /// The kind of thing.
    pub access: Access,
    /// Its name or URI, byte for byte as the server will see it.
    pub name: &'a str,
    /// Every scope of the token.
    pub scopes: &'a [S],
}

//! What a record says of something unusual: which kind it is, and the numbers behind it. Never decides anything.

use serde::Serialize;

use super::text::Text;

/// Something unusual.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Anomaly<'a> {
    /// What it is.
    pub kind: AnomalyKind,
    /// The tool or the scope that was never seen before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Text<'a>>,
    /// How often it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Within how many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_s: Option<u64>,
    /// How often it usually happens within that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<f64>,
}

impl Anomaly<'_> {
    /// One of which there is nothing more to say.
    pub const fn new(kind: AnomalyKind) -> Self {
        Self {
            kind,
            first: None,
            count: None,
            within_s: None,
            usual: None,
        }
    }
}

/// What is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// A tool is not what was pinned.
    ToolDrift,
    /// A principal calls a tool that it never called before.
    NewTool,
    /// A principal has a token with a scope that it never had before.
    NewScope,
    /// A principal calls outside the hours of work.
    AfterHours,
    /// A principal is refused again and again.
    DenialBurst,
    /// A token that was good goes on being used after its end: its client does not get a new one.
    RenewalFailures,
    /// A token is used far more often than before.
    TokenRate,
}

impl AnomalyKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::ToolDrift,
        Self::NewTool,
        Self::NewScope,
        Self::AfterHours,
        Self::DenialBurst,
        Self::RenewalFailures,
        Self::TokenRate,
    ];

    /// The name in records and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ToolDrift => "tool_drift",
            Self::NewTool => "new_tool",
            Self::NewScope => "new_scope",
            Self::AfterHours => "after_hours",
            Self::DenialBurst => "denial_burst",
            Self::RenewalFailures => "renewal_failures",
            Self::TokenRate => "token_rate",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AnomalyKind;

    #[test]
    fn a_kind_has_one_name_in_records_and_labels() {
        for kind in AnomalyKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}

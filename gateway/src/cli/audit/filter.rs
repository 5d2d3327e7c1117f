//! Which records are asked for. Every condition that is named must hold.

use super::{Record, When};
use crate::audit::read::timestamp;
use crate::model::UnixTime;

#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// Who is responsible.
    #[arg(long, value_name = "SUBJECT")]
    sub: Option<String>,
    /// The client that the token was issued to.
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// Who acted, at any place of the chain.
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// The language model, whoever named it.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The tool that was called; `*` stands for anything.
    #[arg(long, value_name = "PATTERN")]
    tool: Option<String>,
    /// The server.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// `allow` or `deny`.
    #[arg(long, value_name = "DECISION")]
    decision: Option<String>,
    /// The reason of a refusal.
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// What the record is about, like `decision`, `outcome` or `anomaly`; may be given several times. Without it
    /// everything but outcomes and what the gateway says of itself.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Since then: `24h`, `7d` or a time.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Before then.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    until: Option<When>,
}

/// What was asked for, seen from a moment.
#[derive(Debug)]
pub(super) struct Filter {
    asked: Asked,
    pub(super) since: Option<UnixTime>,
    from: Option<String>,
    to: Option<String>,
    kinds: Kinds,
}

/// What is meant when no kind is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinds {
    /// Every one.
    All,
    /// What was asked for and what came of it.
    Decided,
}

impl Filter {
    pub(super) fn new(asked: Asked, now: UnixTime, kinds: Kinds) -> Self {
        let since = asked.since.map(|since| since.from(now));
        Self {
            since,
            from: since.map(|since| since.to_string()),
            to: asked.until.map(|until| until.from(now).to_string()),
            asked,
            kinds,
        }
    }

    /// Whether the record in `line` may be asked for, by its time alone.
    pub(super) fn is_in_time(&self, line: &[u8]) -> bool {
        // The times are all of one form and length, so their order is that of their texts.
        let Some(time) = timestamp(line) else {
            return true;
        };
        self.from.as_deref().is_none_or(|from| from <= time)
            && self.to.as_deref().is_none_or(|to| time < to)
    }

    pub(super) fn accepts(&self, record: &Record<'_>) -> bool {
        let asked = &self.asked;
        let server = record.mcp.as_ref().map(|mcp| mcp.server.as_str());
        let model = record.model.as_ref().map(|model| model.name.as_str());
        let reason = record.reason.as_ref().map(|reason| reason.code.as_str());
        self.is_of_kind(&record.kind)
            && is(asked.sub.as_deref(), record.sub.as_deref())
            && is(asked.client.as_deref(), record.client())
            && is(asked.model.as_deref(), model)
            && is(asked.server.as_deref(), server)
            && is(asked.decision.as_deref(), record.decision.as_deref())
            && is(asked.reason.as_deref(), reason)
            && asked
                .agent
                .as_deref()
                .is_none_or(|agent| acts(agent, record))
            && asked
                .tool
                .as_deref()
                .is_none_or(|pattern| record.tool().is_some_and(|tool| matches(pattern, tool)))
    }

    fn is_of_kind(&self, kind: &str) -> bool {
        if !self.asked.kind.is_empty() {
            return self.asked.kind.iter().any(|asked| asked == kind);
        }
        match self.kinds {
            Kinds::All => true,
            Kinds::Decided => !matches!(kind, "outcome" | "lifecycle" | "checkpoint"),
        }
    }
}

fn is(asked: Option<&str>, found: Option<&str>) -> bool {
    asked.is_none() || asked == found
}

fn acts(agent: &str, record: &Record<'_>) -> bool {
    let chain = record.actor.iter().flat_map(|actor| &actor.chain);
    record.act.as_deref() == Some(agent) || chain.into_iter().any(|link| link.sub == agent)
}

/// Whether `text` is `pattern`, where each `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text) in [
            ("a", "a"),
            ("*", ""),
            ("delete_*", "delete_customer"),
            ("*_customer", "delete_customer"),
            ("d*_*r", "delete_customer"),
            ("a**b", "ab"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", "ab"),
            ("delete_*", "get_customer"),
            ("ab*ba", "aba"),
            ("a*b*c", "ac"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}

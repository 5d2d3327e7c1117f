//! A set of names that a demand is made of. Where a rule that allows must not match in doubt, a demand must.

use crate::error::{FaultKind, RowFault};
use crate::pattern::{Pattern, is_plain};
use crate::question::Access;

/// Tools by name or pattern, of which something is demanded.
///
/// ```
/// use gatewright_policies::ToolSet;
///
/// let tools = ToolSet::build(&["refund", "delete_*"]).expect("good patterns");
/// assert!(tools.holds("refund") && tools.holds("delete_customer"));
/// assert!(!tools.holds("get_customer"));
/// // A name that no pattern is about could be read as any other: what is demanded of some is demanded of it.
/// assert!(tools.holds("get customer"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolSet {
    names: Vec<(String, Pattern)>,
}

impl ToolSet {
    /// The set of these patterns, or what is wrong with each that is none.
    pub fn build(texts: &[impl AsRef<str>]) -> Result<Self, Vec<RowFault>> {
        let (mut names, mut faults) = (Vec::new(), Vec::new());
        for (index, text) in texts.iter().enumerate() {
            match parse(text.as_ref()) {
                Ok(pattern) => names.push((text.as_ref().to_owned(), pattern)),
                Err(kind) => faults.push(RowFault { index, kind }),
            }
        }
        if faults.is_empty() {
            Ok(Self { names })
        } else {
            Err(faults)
        }
    }

    /// Whether `tool` is in the set. A name that is not plain is in every set with a pattern.
    pub fn holds(&self, tool: &str) -> bool {
        let is_plain = is_plain(Access::Tool, tool);
        self.names.iter().any(|(text, pattern)| match pattern {
            Pattern::Exact => text == tool,
            Pattern::Glob(glob) => {
                !is_plain
                    || tool
                        .strip_prefix(glob.prefix())
                        .is_some_and(|tail| glob.matches_after_prefix(tail))
            }
        })
    }
}

fn parse(text: &str) -> Result<Pattern, FaultKind> {
    Pattern::parse(Access::Tool, text)
}

#[cfg(test)]
mod tests {
    use super::ToolSet;

    #[test]
    fn an_empty_set_holds_nothing() {
        assert!(!ToolSet::default().holds("refund"));
        assert!(!ToolSet::default().holds("re fund"));
    }

    #[test]
    fn every_bad_pattern_is_named_by_its_place() {
        let faults = ToolSet::build(&["ok", "", "a[b]"]).unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| fault.index).collect();
        assert_eq!(places, [1, 2]);
    }

    #[test]
    fn an_exact_name_is_compared_as_it_stands() {
        let tools = ToolSet::build(&["re fund"]).unwrap();
        assert!(tools.holds("re fund"));
        assert!(!tools.holds("refund"));
    }
}

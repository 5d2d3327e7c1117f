//! What the principal of these tests may reach. Never a pattern: plain questions about a name.

use super::model::Kind;

/// May it?
pub(crate) fn may(kind: Kind, name: &str) -> bool {
    let is_text = !name.is_empty() && name.len() <= 4096 && !name.chars().any(char::is_control);
    match kind {
        Kind::Tool => {
            let is_plain = name.len() <= 128
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
            name == "get_customer"
                || name == "run report"
                || (is_plain && name.starts_with("search_"))
        }
        Kind::Prompt => is_text && name.starts_with("draft-"),
        Kind::Resource => {
            is_text
                && name.strip_prefix("crm://customers/").is_some_and(|rest| {
                    !rest.contains(['/', '%', '\\'])
                        && !rest
                            .split(['?', '#'])
                            .any(|part| part == "." || part == "..")
                })
        }
    }
}

//! Scopes that a server or a rule demands. Never a list of what may be granted.

use super::review::Review;
use super::section::Section;
use super::tree::Text;

/// `scopes` of a section; nothing when one of them is faulty.
pub(crate) fn scopes(section: &Section<'_>, review: &mut Review<'_>) -> Option<Vec<String>> {
    let written = section.texts("scopes")?;
    let count = written.len();
    let scopes: Vec<String> = written
        .into_iter()
        .filter_map(|text| scope(text, review))
        .collect();
    if scopes.len() == count {
        Some(scopes)
    } else {
        None
    }
}

/// One scope-token (RFC 6749 section 3.3).
fn scope(written: Text, review: &mut Review<'_>) -> Option<String> {
    let scope = written.value.as_str();
    let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if scope.is_empty() || !scope.bytes().all(allowed) {
        let message = format!("`{scope}` is not one scope");
        review.report(
            written.at,
            "bad-scope",
            message,
            "write each scope on its own, without spaces or quotes",
        );
        return None;
    }
    if scope == "offline_access" {
        let message = "`offline_access` asks for a refresh token and protects nothing";
        review.report(
            written.at,
            "forbidden-scope",
            message,
            "remove it: clients ask the issuer for it themselves",
        );
        return None;
    }
    Some(written.value)
}

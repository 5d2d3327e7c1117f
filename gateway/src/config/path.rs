//! The path of a fronted server: one spelling only, so that no other parser can read it as another server's.

use super::review::Review;
use super::tree::Text;

/// A path like `/crm/mcp`. Plain characters only: nothing that a URL parser would decode, fold or cut off.
pub(crate) fn server_path(written: &Text, review: &mut Review<'_>) -> Option<String> {
    let path = written.value.as_str();
    if path == WELL_KNOWN
        || path
            .strip_prefix(WELL_KNOWN)
            .is_some_and(|rest| rest.starts_with('/'))
    {
        let help = "choose a path outside `/.well-known`, like `/crm/mcp`";
        review.report(
            written.at,
            "reserved-path",
            format!("`{path}` is the place of metadata"),
            help,
        );
        return None;
    }
    if let Some((cause, help)) = fault(path) {
        review.report(
            written.at,
            "bad-path",
            format!("the path `{path}` {cause}"),
            help,
        );
        return None;
    }
    Some(written.value.clone())
}

/// What is wrong with the path, and what to do.
fn fault(path: &str) -> Option<(&'static str, &'static str)> {
    let Some(inner) = path.strip_prefix('/') else {
        return Some((
            "does not start with a slash",
            "write it from the root, like `/crm/mcp`",
        ));
    };
    if path.contains('?') {
        return Some(("has a query", "drop everything from `?` on"));
    }
    if path.contains('%') {
        return Some(("is percent-encoded", "choose a path of plain letters"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
    if !path.bytes().all(plain) {
        return Some((
            "has a character that a path cannot hold",
            "choose a path of plain letters",
        ));
    }
    if path.ends_with('/') {
        return Some((
            "ends with a slash",
            "drop the slash: both spellings will work",
        ));
    }
    if inner.split('/').any(str::is_empty) {
        return Some(("has an empty segment", "write one slash between segments"));
    }
    if inner
        .split('/')
        .any(|segment| segment == "." || segment == "..")
    {
        return Some(("has a segment `.` or `..`", "write the path that is meant"));
    }
    None
}

const WELL_KNOWN: &str = "/.well-known";

//! Strings and the keys that other parsers would take for one another. Never normalises what is kept.

use std::borrow::Cow;

/// The text of a JSON string token that was scanned, quotes included; `None` for any other token.
pub(super) fn unquote(token: &str) -> Option<Cow<'_, str>> {
    let inside = token.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str(token).ok().map(Cow::Owned)
}

/// Is `key` one of `known` for a parser that ignores case, folds like Go's `EqualFold`, or stops at
/// NUL, and yet not spelled exactly so? (CVE-2026-27896 and its kin.)
pub(super) fn resembles(key: &str, known: &[&str]) -> bool {
    !known.contains(&key) && known.iter().any(|name| folds_to(key, name))
}

/// Does `key` begin with `prefix`, in any spelling that some parser takes for it?
pub(super) fn begins_like(key: &str, prefix: &str) -> bool {
    let mut folded = key.chars().filter(|c| *c != '\0').map(fold);
    prefix.chars().all(|c| folded.next() == Some(fold(c)))
}

fn folds_to(key: &str, name: &str) -> bool {
    let folded = key.chars().filter(|c| *c != '\0').map(fold);
    folded.eq(name.chars().map(fold)) || key.split('\0').next().is_some_and(|head| head == name)
}

fn fold(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        '\u{130}' | '\u{131}' => 'i',
        _ => c.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::{begins_like, resembles, unquote};

    #[test]
    fn q05_spellings_that_others_fold_resemble_the_key() {
        for key in ["Name", "NAME", "name\0", "na\0me", "name\0x", "\0name"] {
            assert!(resembles(key, &["name"]), "{key:?}");
        }
        assert!(resembles("ta\u{17f}kId", &["taskId"]));
        assert!(resembles("tas\u{212a}Id", &["taskId"]));
        assert!(resembles("task\u{131}d", &["taskId"]));
    }

    #[test]
    fn q05_the_exact_key_and_other_keys_do_not_resemble_it() {
        for key in ["name", "names", "nam", "", "title"] {
            assert!(!resembles(key, &["name"]), "{key:?}");
        }
    }

    #[test]
    fn q26_a_prefix_is_found_in_every_spelling() {
        for key in ["own/", "own/x", "OWN/x", "o\0wn/x", "Own/"] {
            assert!(begins_like(key, "own/"), "{key:?}");
        }
        for key in ["own", "", "an.own/x", "owner/x", " own/x"] {
            assert!(!begins_like(key, "own/"), "{key:?}");
        }
    }

    #[test]
    fn q04_a_string_is_unescaped_once() {
        assert_eq!(unquote(r#""a\u0062\\n""#).as_deref(), Some("ab\\n"));
        assert_eq!(unquote("\"plain\"").as_deref(), Some("plain"));
        assert_eq!(unquote("1"), None);
    }
}

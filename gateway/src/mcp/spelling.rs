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
    use super::{resembles, unquote};

    #[test]
    fn spellings_that_others_fold_resemble_the_key() {
        for key in ["Name", "NAME", "name\0", "na\0me", "name\0x", "\0name"] {
            assert!(resembles(key, &["name"]), "{key:?}");
        }
        assert!(resembles("ta\u{17f}kId", &["taskId"]));
        assert!(resembles("tas\u{212a}Id", &["taskId"]));
        assert!(resembles("task\u{131}d", &["taskId"]));
    }

    #[test]
    fn the_exact_key_and_other_keys_do_not_resemble_it() {
        for key in ["name", "names", "nam", "", "title"] {
            assert!(!resembles(key, &["name"]), "{key:?}");
        }
    }

    #[test]
    fn a_string_is_unescaped_once() {
        assert_eq!(unquote(r#""a\u0062\\n""#).as_deref(), Some("ab\\n"));
        assert_eq!(unquote("\"plain\"").as_deref(), Some("plain"));
        assert_eq!(unquote("1"), None);
    }
}

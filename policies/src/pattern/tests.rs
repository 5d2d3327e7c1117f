//! Patterns against an obvious model and against globset.

use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

use super::{Pattern, is_plain};
use crate::error::FaultKind;
use crate::question::Access;

fn matches(access: Access, pattern: &str, name: &str) -> bool {
    match Pattern::parse(access, pattern).unwrap() {
        Pattern::Exact => pattern == name,
        Pattern::Glob(glob) => name
            .strip_prefix(glob.prefix())
            .is_some_and(|tail| glob.matches_after_prefix(tail)),
    }
}

#[test]
fn a_tool_pattern_is_anchored_at_both_ends() {
    assert!(matches(Access::Tool, "get_*", "get_note"));
    assert!(matches(Access::Tool, "get_*", "get_"));
    assert!(!matches(Access::Tool, "get_*", "forget_note"));
    assert!(matches(Access::Tool, "*_note", "get_note"));
    assert!(!matches(Access::Tool, "*_note", "get_notes"));
}

#[test]
fn case_is_not_folded() {
    assert!(!matches(Access::Tool, "get_*", "Get_note"));
    assert!(!matches(Access::Resource, "note://*", "NOTE://1"));
}

#[test]
fn a_question_mark_is_one_character() {
    assert!(matches(Access::Tool, "v?", "v1"));
    assert!(!matches(Access::Tool, "v?", "v"));
    assert!(!matches(Access::Tool, "v?", "v12"));
    assert!(matches(Access::Prompt, "caf?", "café"));
}

#[test]
fn one_star_of_a_resource_stays_within_its_segment() {
    assert!(matches(
        Access::Resource,
        "crm://customers/*",
        "crm://customers/7"
    ));
    assert!(!matches(
        Access::Resource,
        "crm://customers/*",
        "crm://customers/7/notes"
    ));
    assert!(!matches(
        Access::Resource,
        "crm://customers/?",
        "crm://customers//"
    ));
    assert!(matches(Access::Resource, "crm://*/7", "crm://customers/7"));
    assert!(!matches(Access::Resource, "crm:*", "crm://customers/7"));
}

#[test]
fn a_star_alone_is_every_name_of_its_kind() {
    assert!(matches(Access::Resource, "*", "crm://customers/7"));
    assert!(matches(Access::Tool, "*", "refund"));
}

#[test]
fn two_stars_of_a_resource_cross_segments_wherever_they_stand() {
    assert!(matches(
        Access::Resource,
        "crm://customers/**",
        "crm://customers/7/notes/1"
    ));
    assert!(matches(Access::Resource, "crm:**", "crm://customers/7"));
    assert!(matches(
        Access::Resource,
        "**/notes/*",
        "crm://customers/7/notes/1"
    ));
    assert!(!matches(
        Access::Resource,
        "**/notes/*",
        "crm://customers/7/notes/1/2"
    ));
    assert!(matches(Access::Resource, "a**b*c", "a/x/b/y/bzc"));
}

#[test]
fn a_template_is_matched_as_plain_text() {
    assert!(matches(Access::Resource, "note://*", "note://{id}"));
    assert!(is_plain(Access::Resource, "note://{id}"));
}

#[test]
fn an_empty_pattern_is_refused() {
    assert_eq!(
        Pattern::parse(Access::Tool, ""),
        Err(FaultKind::EmptyPattern)
    );
}

#[test]
fn what_is_special_elsewhere_is_refused_and_named() {
    for pattern in ["get_[ab]", "get_]", "{a,b}", "a}", "a\\*", "a\nb"] {
        let Err(FaultKind::BadGlob { message }) = Pattern::parse(Access::Tool, pattern) else {
            panic!("`{pattern}` should be refused");
        };
        assert!(message.contains("only wildcards"), "{message}");
    }
}

#[test]
fn a_glob_of_any_length_up_to_the_limit_works_and_beyond_is_refused() {
    let longest = format!("*{}", "a".repeat(126));
    assert!(matches(Access::Tool, &longest, &"a".repeat(128)));
    assert!(!matches(Access::Tool, &longest, &"a".repeat(125)));
    let too_long = format!("*{}", "a".repeat(127));
    assert!(matches!(
        Pattern::parse(Access::Tool, &too_long),
        Err(FaultKind::BadGlob { .. })
    ));
}

#[test]
fn q06_tool_names_outside_the_alphabet_are_not_plain() {
    assert!(is_plain(Access::Tool, "admin.tools-list_2"));
    assert!(is_plain(Access::Tool, &"a".repeat(128)));
    for name in [
        "",
        "a b",
        "a/b",
        "a\u{0}",
        "gеt",
        "a\u{200b}",
        &"a".repeat(129),
    ] {
        assert!(!is_plain(Access::Tool, name), "{name:?}");
    }
}

#[test]
fn uris_that_servers_resolve_on_their_own_are_not_plain() {
    assert!(is_plain(Access::Resource, "file:///srv/a..b/.c/...?q=a#.x"));
    for uri in [
        "",
        "file:///srv/..",
        "https://user@srv/a",
        "https://srv@evil/a?b",
        "file:///srv/../etc",
        "file:///srv/./a",
        "file:///srv/..?a",
        "file:///srv/..#a",
        "file:///srv/%2e%2e/etc",
        "file:///srv\\..\\etc",
        "file:///srv/a\r\n",
        "file:///srv/a\u{0}",
        &"a".repeat(4097),
    ] {
        assert!(!is_plain(Access::Resource, uri), "{uri:?}");
    }
}

/// What a pattern means, said as plainly as possible.
fn obvious(by_segment: bool, pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', '*', rest @ ..], _) => {
            (0..=name.len()).any(|skip| obvious_after_stars(by_segment, rest, &name[skip..]))
        }
        (['*', rest @ ..], _) => (0..=name.len())
            .take_while(|skip| !by_segment || !name[..*skip].contains(&'/'))
            .any(|skip| obvious(by_segment, rest, &name[skip..])),
        (['?', rest @ ..], [found, tail @ ..]) => {
            (!by_segment || *found != '/') && obvious(by_segment, rest, tail)
        }
        ([wanted, rest @ ..], [found, tail @ ..]) => {
            wanted == found && obvious(by_segment, rest, tail)
        }
        _ => false,
    }
}

/// More than two stars are two.
fn obvious_after_stars(by_segment: bool, pattern: &[char], name: &[char]) -> bool {
    match pattern {
        ['*', rest @ ..] => obvious_after_stars(by_segment, rest, name),
        _ => obvious(by_segment, pattern, name),
    }
}

fn text(alphabet: &'static str) -> impl Strategy<Value = String> {
    proptest::collection::vec(
        proptest::sample::select(alphabet.chars().collect::<Vec<_>>()),
        1..10,
    )
    .prop_map(|characters| characters.into_iter().collect())
}

fn by_globset(by_segment: bool, pattern: &str, name: &str) -> bool {
    let glob = globset::GlobBuilder::new(pattern)
        .literal_separator(by_segment)
        .backslash_escape(false)
        .build()
        .unwrap();
    glob.compile_matcher().is_match(name)
}

proptest! {
    #[test]
    fn a_match_is_what_the_obvious_model_says(
        access in prop_oneof![Just(Access::Tool), Just(Access::Prompt), Just(Access::Resource)],
        pattern in text("ab/*?"),
        name in text("ab/"),
    ) {
        let (pattern_chars, name_chars): (Vec<_>, Vec<_>) = (pattern.chars().collect(), name.chars().collect());
        let expected = obvious(access == Access::Resource && pattern != "*", &pattern_chars, &name_chars);
        assert_eq!(matches(access, &pattern, &name), expected, "{pattern} on {name}");
    }

    #[test]
    fn single_stars_mean_what_they_mean_to_globset(pattern in "[ab/?]{0,3}([*][ab/?]{1,3}){0,3}", name in text("ab/")) {
        proptest::prop_assume!(!pattern.is_empty());
        assert_eq!(matches(Access::Resource, &pattern, &name), by_globset(true, &pattern, &name), "{pattern} on {name}");
        assert_eq!(matches(Access::Tool, &pattern, &name), by_globset(false, &pattern, &name), "{pattern} on {name}");
    }
}

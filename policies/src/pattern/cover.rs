//! Whether one pattern matches all that another matches. In doubt it does not.

use super::{EVERYTHING, Element, SEPARATOR, WILDCARDS, elements, is_plain};
use crate::question::Access;

/// Whether everything that `inner` matches is matched by `outer` too. Both are patterns for names of this kind.
pub(crate) fn covers(access: Access, outer: &str, inner: &str) -> bool {
    if !inner.contains(WILDCARDS) {
        // Globs match plain names only.
        let is_literal = !outer.contains(WILDCARDS);
        if is_literal || !is_plain(access, inner) {
            return outer == inner;
        }
    }
    let (outer, inner) = (parts(access, outer), parts(access, inner));
    // `reached` holds, for the elements of `outer` seen so far, the ends in `inner` that they can come to.
    let mut reached = vec![false; inner.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for element in outer {
        reached = match element {
            Element::Run | Element::RunInSegment => spread(element, &inner, &reached),
            Element::Literal(_) | Element::One | Element::OneInSegment => {
                step(element, &inner, &reached)
            }
        };
    }
    reached.last().copied().unwrap_or_default()
}

fn parts(access: Access, text: &str) -> Vec<Element> {
    if text == EVERYTHING {
        vec![Element::Run]
    } else {
        elements(access, text)
    }
}

/// After an element for exactly one character.
fn step(element: Element, inner: &[Element], reached: &[bool]) -> Vec<bool> {
    let stepped = reached
        .iter()
        .zip(inner)
        .map(|(is_reached, taken)| *is_reached && takes(element, *taken));
    std::iter::once(false).chain(stepped).collect()
}

/// After an element for any number of characters.
fn spread(element: Element, inner: &[Element], reached: &[bool]) -> Vec<bool> {
    let mut spread = Vec::with_capacity(reached.len());
    let mut goes_on = false;
    let taken = std::iter::once(None).chain(inner.iter().map(|taken| Some(*taken)));
    for (is_reached, taken) in reached.iter().zip(taken) {
        goes_on = goes_on && taken.is_some_and(|taken| takes(element, taken));
        goes_on = goes_on || *is_reached;
        spread.push(goes_on);
    }
    spread
}

/// Whether all that `taken` stands for can be taken by `element`, once or again and again.
fn takes(element: Element, taken: Element) -> bool {
    match element {
        Element::Run => true,
        Element::RunInSegment => stays_in_segment(taken),
        Element::One => !taken.is_run(),
        Element::OneInSegment => !taken.is_run() && stays_in_segment(taken),
        Element::Literal(_) => taken == element,
    }
}

fn stays_in_segment(element: Element) -> bool {
    match element {
        Element::Literal(character) => character != SEPARATOR,
        Element::OneInSegment | Element::RunInSegment => true,
        Element::One | Element::Run => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, proptest};

    use super::covers;
    use crate::pattern::Pattern;
    use crate::question::Access;

    fn tool(outer: &str, inner: &str) -> bool {
        covers(Access::Tool, outer, inner)
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one_and_not_the_other_way() {
        for (outer, inner) in [
            ("*", "get_*"),
            ("get_*", "get_customer"),
            ("get_*", "get_*_by_id"),
            ("*_*", "get_?x"),
            ("a*c", "abc"),
            ("get_?", "get_a"),
        ] {
            assert!(tool(outer, inner), "{outer} {inner}");
            assert!(!tool(inner, outer), "{inner} {outer}");
        }
        assert!(tool("get_*", "get_*") && tool("x", "x"));
        assert!(!tool("get_*", "put_*") && !tool("?", "*") && !tool("*a", "a*"));
    }

    #[test]
    fn a_star_in_a_uri_covers_no_slash() {
        let uri = |outer, inner| covers(Access::Resource, outer, inner);
        assert!(uri("crm://**", "crm://customers/*"));
        assert!(uri("crm://customers/*", "crm://customers/7"));
        assert!(!uri("crm://*", "crm://customers/*"));
        assert!(!uri("crm://customers/*", "crm://customers/**"));
    }

    fn pattern() -> impl Strategy<Value = String> {
        "[ab/*?]{1,6}"
    }

    fn matches(access: Access, text: &str, name: &str) -> bool {
        match Pattern::parse(access, text) {
            Ok(Pattern::Exact) => text == name,
            Ok(Pattern::Glob(glob)) => name
                .strip_prefix(glob.prefix())
                .is_some_and(|tail| glob.matches_after_prefix(tail)),
            Err(_) => false,
        }
    }

    proptest! {
        #[test]
        fn what_is_covered_is_matched(outer in pattern(), inner in pattern(), name in "[ab/]{1,6}") {
            let access = Access::Resource;
            if covers(access, &outer, &inner) && matches(access, &inner, &name) {
                assert!(matches(access, &outer, &name), "{outer} {inner} {name}");
            }
        }
    }
}

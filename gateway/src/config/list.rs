//! What holds for lists: not empty, no twins. Knows no key by name.

use super::review::Review;
use super::section::Section;
use super::tree::Text;

/// The strings in the list `key` or its default, unless the file makes it empty.
pub(crate) fn filled_texts(
    section: &Section<'_>,
    key: &str,
    review: &mut Review<'_>,
) -> Option<Vec<Text>> {
    let texts = section.texts(key)?;
    let help = format!("name at least one, or remove `{key}` to have the default");
    refuse_empty(section, key, &help, review).then_some(texts)
}

/// Reports the list `key` when it has no item; answers whether it was left in peace.
pub(crate) fn refuse_empty(
    section: &Section<'_>,
    key: &str,
    help: &str,
    review: &mut Review<'_>,
) -> bool {
    let Some(node) = section.node(key).filter(|node| node.is_empty_list()) else {
        return true;
    };
    review.report(node.at, "empty-list", format!("`{key}` is empty"), help);
    false
}

/// Reports every section whose `key` is the same as an earlier one's, as `same` spells it.
pub(crate) fn refuse_twins(
    sections: &[Section<'_>],
    (key, code): (&str, &'static str),
    same: fn(&str) -> &str,
    review: &mut Review<'_>,
) {
    let texts: Vec<Text> = sections
        .iter()
        .filter_map(|section| section.text(key))
        .collect();
    for (index, text) in texts.iter().enumerate() {
        let mut earlier = texts.iter().take(index);
        let Some(first) = earlier.find(|other| same(&other.value) == same(&text.value)) else {
            continue;
        };
        let message = format!("the {key} `{}` is taken", text.value);
        let help = format!("line {} has it: give each its own", first.at.line);
        review.report(text.at, code, message, help);
    }
}

//! "Did you mean": the nearest of the names that would have been right. Never guesses far.

/// The candidate that is nearest to `written`, when it is near enough to be a slip of the hand.
pub(crate) fn nearest<'n>(
    written: &str,
    candidates: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let lowered = written.to_lowercase();
    let allowed = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lowered, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A line of help: the nearest candidate, or else all of them after `otherwise`.
pub(crate) fn help(written: &str, candidates: &[&str], otherwise: &str) -> String {
    match nearest(written, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if candidates.is_empty() => otherwise.to_owned(),
        None => {
            let listed: Vec<String> = candidates.iter().map(|name| format!("`{name}`")).collect();
            format!("{otherwise}: {}", listed.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{help, nearest};

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        assert_eq!(nearest("isuers", ["servers", "issuers"]), Some("issuers"));
        assert_eq!(nearest("es256", ["RS256", "ES256"]), Some("ES256"));
        assert_eq!(nearest("upstreams", ["path", "upstream"]), Some("upstream"));
        assert_eq!(nearest("banana", ["servers", "issuers"]), None);
        assert_eq!(nearest("x", ["name", "url"]), None);
    }

    #[test]
    fn without_a_near_one_help_lists_what_would_do() {
        assert_eq!(
            help("banana", &["name", "url"], "known here"),
            "known here: `name`, `url`"
        );
        assert_eq!(
            help("nme", &["name", "url"], "known here"),
            "did you mean `name`?"
        );
        assert_eq!(help("nme", &[], "name one first"), "name one first");
    }
}

//! A file of Rust as the architecture test sees it: paths and names, never comments or literals.

#![expect(
    clippy::string_slice,
    reason = "every index is one that the text itself gave"
)]

/// One file.
pub(crate) struct Source<'t> {
    /// Below `src`, with slashes.
    pub(crate) path: &'t str,
    /// As it is on disk.
    pub(crate) text: &'t str,
    /// Without comments and the content of literals.
    pub(crate) code: String,
    /// The code that is not for tests only.
    pub(crate) product: String,
}

impl<'t> Source<'t> {
    pub(crate) fn new(path: &'t str, text: &'t str) -> Self {
        let code = code(text);
        let product = without_tests(&code);
        Self {
            path,
            text,
            code,
            product,
        }
    }

    /// The top-level module that the file is of.
    pub(crate) fn module(&self) -> &'t str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Whether all of the file is for tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The files that are declared here for tests only.
    pub(crate) fn modules_for_tests(&self) -> Vec<String> {
        let stem = self.path.strip_suffix(".rs").unwrap_or(self.path);
        let folder = stem.strip_suffix("/mod").unwrap_or(stem);
        let declared = self.code.split("#[cfg(test)]").skip(1);
        declared
            .filter_map(|after| after.trim_start().strip_prefix("mod ")?.split_once(';'))
            .map(|(name, _)| format!("{folder}/{name}.rs"))
            .collect()
    }

    /// The top-level modules that are named by a path from the crate's root.
    pub(crate) fn used_modules(&self) -> Vec<String> {
        let packed: String = self.code.split_whitespace().collect::<Vec<_>>().join(" ");
        let packed = packed.replace(" ::", "::").replace(":: ", "::");
        let mut used = Vec::new();
        for (at, _) in packed.match_indices("crate::") {
            if packed[..at].ends_with(is_word) {
                continue;
            }
            let rest = &packed[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(group) => used.extend(grouped(group)),
                None => used.push(word(rest)),
            }
        }
        used.sort();
        used.dedup();
        used
    }

    /// Whether a struct called `name` is put together here.
    pub(crate) fn makes(&self, name: &str) -> bool {
        let words: Vec<_> = self.product.split_whitespace().collect();
        let code = words.join(" ").replace('(', " ( ");
        let starts = format!("{name} {{");
        let tuple = format!("{name} (");
        let is_made = |at: usize| {
            let before = &code[..at];
            let before_path = before.trim_end_matches(|char| is_word(char) || char == ':');
            let last = before_path.split_whitespace().next_back();
            let declares = ["struct", "impl", "for", "->", "enum", "fn"];
            !before.ends_with(is_word) && !last.is_some_and(|word| declares.contains(&word))
        };
        code.match_indices(&starts)
            .chain(code.match_indices(&tuple))
            .any(|(at, _)| is_made(at))
    }
}

/// The first names in `a::b, c::{d, e}, f}`.
fn grouped(text: &str) -> Vec<String> {
    let (mut depth, mut names, mut fresh) = (0, Vec::new(), true);
    for (at, char) in text.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && is_word(char) => {
                names.push(word(&text[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|char| is_word(*char)).collect()
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Cuts out what follows each `#[cfg(test)]`: up to its semicolon, or to the end of its block.
fn without_tests(code: &str) -> String {
    let (mut kept, mut rest) = (String::new(), code);
    while let Some((before, after)) = rest.split_once("#[cfg(test)]") {
        kept.push_str(before);
        rest = &after[item_length(after)..];
    }
    kept + rest
}

fn item_length(text: &str) -> usize {
    let mut depth = 0;
    for (at, char) in text.char_indices() {
        match char {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The text without comments, and with nothing between the quotes of literals.
pub(crate) fn code(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(char) = rest.chars().next() {
        let previous = out.chars().next_back();
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if char == '"' {
            out.push_str("\"\"");
            string(rest)
        } else if let Some(length) = raw_string(rest).filter(|_| !ends_name(previous)) {
            out.push_str("r\"\"");
            length
        } else if let Some(length) = character(rest) {
            out.push_str("''");
            length
        } else {
            out.push(char);
            char.len_utf8()
        };
        rest = &rest[length..];
    }
    out
}

/// Whether an `r` after this is part of a name; `br` starts a raw string too.
fn ends_name(previous: Option<char>) -> bool {
    previous.is_some_and(|char| is_word(char) && char != 'b')
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix('r')?;
    let content = after.trim_start_matches('#');
    let hashes = &after[..after.len() - content.len()];
    let opening = 1 + hashes.len() + 1;
    let content = content.strip_prefix('"')?;
    let closing = format!("\"{hashes}");
    Some(opening + content.find(&closing)? + closing.len())
}

/// A character literal; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let content = text.strip_prefix('\'')?;
    if let Some(escape) = content.strip_prefix('\\') {
        let first = escape.chars().next()?.len_utf8();
        return Some(2 + first + escape[first..].find('\'')? + 1);
    }
    let char = content.chars().next()?;
    content[char.len_utf8()..]
        .starts_with('\'')
        .then_some(2 + char.len_utf8())
}

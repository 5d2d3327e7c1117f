//! One pass over one file: collects mistakes with their lines, and answers what lies outside the file. Never stops early.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use crate::model::Secret;

use super::error::Mistake;
use super::span;
use super::tree::{At, Node, Text, Value};
use super::value::{VariableFault, interpolate};

/// The file under review and the mistakes found so far.
pub(crate) struct Review<'f> {
    path: &'f Path,
    lines: Vec<&'f str>,
    environment: &'f dyn Fn(&str) -> Option<String>,
    found: Vec<Mistake>,
    /// What stands in place of which variable: values of the environment are not shown.
    hidden: Vec<(String, String)>,
}

impl<'f> Review<'f> {
    /// Starts on `text`, which is what the file at `path` says.
    pub(crate) fn new(
        path: &'f Path,
        text: &'f str,
        environment: &'f dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            path,
            lines: text.lines().collect(),
            environment,
            found: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// Notes a mistake.
    pub(crate) fn report(
        &mut self,
        at: At,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let source = self.line(at);
        let left = source
            .chars()
            .count()
            .saturating_sub(at.column.saturating_sub(1));
        let width = if at.width == 0 {
            word_width(source, at.column)
        } else {
            at.width
        };
        self.found.push(Mistake {
            path: self.path.to_owned(),
            line: at.line,
            column: at.column,
            width: width.min(left).max(1),
            source: source.to_owned(),
            message: self.without_values(message.into()),
            help: help.into(),
            code,
        });
    }

    fn without_values(&self, message: String) -> String {
        let hide = |text: String, (value, token): &(String, String)| text.replace(value, token);
        self.hidden.iter().fold(message, hide)
    }

    /// Notes what was found in a file that this one names.
    pub(crate) fn absorb(&mut self, found: Vec<Mistake>) {
        self.found.extend(found);
    }

    /// Everything found.
    pub(crate) fn into_found(self) -> Vec<Mistake> {
        self.found
    }

    /// The line of this place, as it is written.
    pub(crate) fn source(&self, at: At) -> String {
        self.line(at).to_owned()
    }

    /// The character at `at`.
    pub(crate) fn character(&self, at: At) -> Option<char> {
        self.line(at).chars().nth(at.column.saturating_sub(1))
    }

    /// A path of the file, relative to the file's folder.
    pub(crate) fn resolve(&self, written: &str) -> PathBuf {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let joined = folder.join(written);
        let inner = joined
            .components()
            .filter(|component| *component != Component::CurDir);
        inner.collect()
    }

    /// The file.
    pub(crate) fn path(&self) -> &'f Path {
        self.path
    }

    /// Who answers `${NAME}`.
    pub(crate) fn environment(&self) -> &'f dyn Fn(&str) -> Option<String> {
        self.environment
    }

    /// The name of a file for people: from the folder of this file on.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        path.strip_prefix(folder)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    /// The path of a file that must be there and readable.
    pub(crate) fn existing_file(&mut self, written: &Text) -> Option<PathBuf> {
        let path = self.resolve(&written.value);
        // The kind comes first: opening a pipe would wait for its writer.
        let cause = match std::fs::metadata(&path) {
            Ok(metadata) if !metadata.is_file() => "it is not a file".to_owned(),
            Ok(_) => match std::fs::File::open(&path) {
                Ok(_) => return Some(path),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        self.report(
            written.at,
            "missing-file",
            format!("cannot read `{}`: {cause}", path.display()),
            "relative paths start at the folder of this file",
        );
        None
    }

    /// The secret in a file: its text without the line end behind it.
    pub(crate) fn secret_file(&mut self, written: &Text) -> Option<Secret<String>> {
        let path = self.existing_file(written)?;
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let secret = text.trim_end_matches(['\r', '\n']);
        if (1..=LONGEST_SECRET).contains(&secret.len()) {
            return Some(Secret::new(secret.to_owned()));
        }
        self.report(
            written.at,
            "bad-secret",
            format!("`{}` holds no secret", path.display()),
            "write one line of text into the file",
        );
        None
    }

    /// Replaces the variables in every string under `node`; a string with a fault becomes [`Value::Faulty`].
    pub(crate) fn expand_variables(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::Text(text) => match self.interpolate(text) {
                Ok(expanded) => *text = expanded,
                Err(faults) => {
                    for fault in faults {
                        self.report_variable(node.at, fault);
                    }
                    node.value = Value::Faulty;
                }
            },
            Value::List(items) => items
                .iter_mut()
                .for_each(|item| self.expand_variables(item)),
            Value::Map(entries) => entries
                .iter_mut()
                .for_each(|(_, value)| self.expand_variables(value)),
            Value::Null | Value::Flag(_) | Value::Integer(_) | Value::Float(_) | Value::Faulty => {}
        }
    }

    fn interpolate(&mut self, text: &str) -> Result<String, Vec<VariableFault>> {
        let used = RefCell::new(Vec::new());
        let environment = |name: &str| {
            let value = (self.environment)(name)?;
            if !value.is_empty() {
                used.borrow_mut()
                    .push((value.clone(), format!("${{{name}}}")));
            }
            Some(value)
        };
        let expanded = interpolate(text, &environment);
        self.hidden.append(&mut used.into_inner());
        expanded
    }

    fn report_variable(&mut self, at: At, fault: VariableFault) {
        match fault {
            VariableFault::Unset { token, name } => self.report(
                self.narrow(at, &token),
                "unset-variable",
                format!("the environment has no variable `{name}`"),
                format!("set `{name}`, or write `${token}` for the text itself"),
            ),
            VariableFault::Malformed { token } => self.report(
                self.narrow(at, &token),
                "bad-variable",
                format!("`{token}` does not name a variable"),
                "write `${NAME}`, or `$${` for the text itself",
            ),
        }
    }

    /// The place of `token` within the value at `at`, if it stands on the same line.
    fn narrow(&self, at: At, token: &str) -> At {
        let skipped = at.column.saturating_sub(1);
        let rest: String = self.line(at).chars().skip(skipped).collect();
        let Some((before, _)) = rest.split_once(token) else {
            return at;
        };
        At {
            column: at.column.saturating_add(before.chars().count()),
            width: token.chars().count(),
            ..at
        }
    }

    /// Where these bytes of the string stand, if the file has them as they are.
    pub(crate) fn within(&self, text: &Text, range: &Range<usize>) -> Option<At> {
        span::within(&self.lines, text, range)
    }

    fn line(&self, at: At) -> &'f str {
        self.lines
            .get(at.line.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }
}

const LONGEST_SECRET: usize = 4096;

/// How wide the word at `column` is: up to a space, a colon or a bracket; a bracket is a word.
fn word_width(line: &str, column: usize) -> usize {
    let ends = |character: &char| !(character.is_whitespace() || ":{}[],".contains(*character));
    line.chars()
        .skip(column.saturating_sub(1))
        .take_while(ends)
        .count()
}

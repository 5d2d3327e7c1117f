//! A mistake in the configuration and how it is shown. Never stops at the first one.

use std::fmt;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

/// Whether the reader of a text can see colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Off,
    /// ANSI escapes.
    On,
}

/// One mistake: where it is, what is wrong and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; 0 when the mistake is about the file as a whole.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant, at least 1.
    pub width: usize,
    /// The line as it is written.
    pub source: String,
    /// What is wrong: lower case, no period.
    pub message: String,
    /// What to do about it, in one line.
    pub help: String,
    /// The stable name of this kind of mistake, e.g. `unknown-key`.
    pub code: &'static str,
}

impl Mistake {
    /// A mistake about the file as a whole.
    pub(crate) fn of_file(path: &Path, code: &'static str, message: String, help: &str) -> Self {
        let (line, column, width) = (0, 0, 0);
        let (path, help) = (path.to_owned(), help.to_owned());
        Self {
            path,
            line,
            column,
            width,
            source: String::new(),
            message,
            help,
            code,
        }
    }

    /// The mistake as a compiler would show it, without a line break at the end.
    pub fn render(&self, colour: Colour) -> String {
        let paint = Paint(colour);
        let gutter = if self.line == 0 {
            1
        } else {
            self.line.to_string().len()
        };
        let blank = format!("{:gutter$} ", "");
        let bar = paint.blue("|");
        let mut text = format!(
            "{}: {}\n{:gutter$}{} {}",
            paint.red(&format!("error[{}]", self.code)),
            paint.bold(&printable(&self.message)),
            "",
            paint.blue("-->"),
            self.place(),
        );
        if self.line > 0 {
            let number = paint.blue(&format!("{:>gutter$}", self.line));
            let indent = self.column.saturating_sub(1);
            let caret = paint.red(&"^".repeat(self.width.max(1)));
            let source = printable(&self.source);
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n{blank}{bar}\n{number} {bar} {source}\n{blank}{bar} {:indent$}{caret}",
                ""
            );
        }
        let _ = write!(
            text,
            "\n{blank}{} {}",
            paint.blue("= help:"),
            printable(&self.help)
        );
        text
    }

    /// The mistake for a program to read.
    pub fn to_json(&self) -> serde_json::Value {
        json!({
            "code": self.code,
            "path": self.path.display().to_string(),
            "line": self.line,
            "column": self.column,
            "width": self.width,
            "message": self.message,
            "help": self.help,
        })
    }

    /// `file:line:column`, or the file alone.
    fn place(&self) -> String {
        let path = printable(&self.path.display().to_string());
        if self.line == 0 {
            path
        } else {
            format!("{path}:{}:{}", self.line, self.column)
        }
    }
}

/// Every mistake of one pass over a file, in the order of the file, then of the files that it names. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// One mistake alone.
    pub fn one(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }

    /// All of `found`, sorted by place, without repetitions; nothing when nothing was found.
    pub(crate) fn from_found(mut found: Vec<Mistake>) -> Option<Self> {
        found.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        found.dedup();
        if found.is_empty() {
            None
        } else {
            Some(Self(found))
        }
    }

    /// The mistakes.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }

    /// Whether nothing is wrong but tests of the policy that fail.
    pub fn are_failed_tests(&self) -> bool {
        self.iter().all(|mistake| mistake.code == FAILED_CASE)
    }

    /// How many there are, at least 1.
    #[expect(
        clippy::len_without_is_empty,
        reason = "there is always a mistake in it"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All mistakes as a compiler would show them, an empty line between two.
    pub fn render(&self, colour: Colour) -> String {
        let texts: Vec<String> = self.iter().map(|mistake| mistake.render(colour)).collect();
        texts.join("\n\n")
    }

    /// All mistakes as a JSON array.
    pub fn to_json(&self) -> serde_json::Value {
        self.iter().map(Mistake::to_json).collect()
    }
}

impl<'a> IntoIterator for &'a Mistakes {
    type Item = &'a Mistake;
    type IntoIter = std::slice::Iter<'a, Mistake>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Colour::Off))
    }
}

impl std::error::Error for Mistakes {}

/// The code of a test of the policy that failed.
pub(crate) const FAILED_CASE: &str = "failed-case";

/// Puts ANSI escapes around words, or leaves them as they are.
struct Paint(Colour);

impl Paint {
    fn red(&self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    fn blue(&self, text: &str) -> String {
        self.wrap("1;34", text)
    }

    fn bold(&self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn wrap(&self, style: &str, text: &str) -> String {
        match self.0 {
            Colour::Off => text.to_owned(),
            Colour::On => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
        }
    }
}

/// The text with every control character made visible, so that a file cannot steer a terminal; a tab
/// takes one column, as the caret counts it.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => ' ',
            other if other.is_control() => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Colour, Mistake, Mistakes};

    fn mistake() -> Mistake {
        Mistake {
            path: "gatewright.yaml".into(),
            line: 3,
            column: 1,
            width: 6,
            source: "isuers:".to_owned(),
            message: "unknown key `isuers`".to_owned(),
            help: "did you mean `issuers`?".to_owned(),
            code: "unknown-key",
        }
    }

    #[test]
    fn a_mistake_is_shown_with_place_line_caret_and_help() {
        assert_eq!(
            mistake().render(Colour::Off),
            "error[unknown-key]: unknown key `isuers`\n \
             --> gatewright.yaml:3:1\n  |\n3 | isuers:\n  | ^^^^^^\n  = help: did you mean `issuers`?"
        );
    }

    #[test]
    fn the_gutter_grows_with_the_line_number_and_the_caret_stands_under_the_token() {
        let far = Mistake {
            line: 120,
            column: 3,
            source: "  isuers:".to_owned(),
            ..mistake()
        };
        assert_eq!(
            far.render(Colour::Off),
            "error[unknown-key]: unknown key `isuers`\n   \
             --> gatewright.yaml:120:3\n    |\n120 |   isuers:\n    |   ^^^^^^\n    = help: did you mean `issuers`?"
        );
    }

    #[test]
    fn a_mistake_about_the_whole_file_shows_no_line() {
        let whole = Mistake {
            line: 0,
            ..mistake()
        };
        assert_eq!(
            whole.render(Colour::Off),
            "error[unknown-key]: unknown key `isuers`\n --> gatewright.yaml\n  = help: did you mean `issuers`?"
        );
    }

    #[test]
    fn colour_comes_only_when_asked_for() {
        assert!(!mistake().render(Colour::Off).contains('\u{1b}'));
        assert!(
            mistake()
                .render(Colour::On)
                .starts_with("\u{1b}[1;31merror[unknown-key]\u{1b}[0m: ")
        );
    }

    #[test]
    fn control_characters_of_the_file_do_not_reach_the_terminal() {
        let hostile = Mistake {
            message: "unknown key `\u{1b}[2J`".to_owned(),
            ..mistake()
        };
        assert!(!hostile.render(Colour::Off).contains('\u{1b}'));
    }

    #[test]
    fn mistakes_come_in_the_order_of_the_file_and_once() {
        let early = Mistake {
            line: 1,
            ..mistake()
        };
        let all = Mistakes::from_found(vec![mistake(), early.clone(), mistake()]).unwrap();
        assert_eq!(all.iter().collect::<Vec<_>>(), [&early, &mistake()]);
        assert!(Mistakes::from_found(Vec::new()).is_none());
    }

    #[test]
    fn json_names_code_and_place() {
        let json = Mistakes::one(mistake()).to_json();
        assert_eq!(json[0]["code"], "unknown-key");
        assert_eq!(json[0]["line"], 3);
        assert_eq!(json[0]["path"], "gatewright.yaml");
    }
}

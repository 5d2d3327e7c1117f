//! Finds where a policy looks at open values (`context.args.a`, `principal.claims has b`). Gives them no type.

use std::ops::Range;

use super::Blame;
use super::lexer::{Kind, Lexed};
use crate::attribute::Type;
use crate::slot::{RESERVED, Reading, Root};

/// One place that looks at an open value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) root: Root,
    pub(crate) path: Vec<String>,
    /// How it is read; `None` when only inference can tell.
    pub(crate) reading: Option<Reading>,
    /// The bytes that stand for it, a wrapper included.
    pub(crate) bytes: Range<usize>,
}

/// What a text looks at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses {
    /// In the order of the text.
    pub(crate) all: Vec<Use>,
    /// Where the time is looked at.
    pub(crate) hours: Vec<usize>,
    /// Where the size of the arguments is looked at, or the whole context.
    pub(crate) bulk: Vec<usize>,
    /// Whether the context stands somewhere without a name after it.
    pub(crate) has_whole_context: bool,
}

/// Finds them all.
pub(crate) fn find(lexed: &Lexed<'_>) -> Result<Uses, Blame> {
    let mut uses = Uses::default();
    let mut index = 0;
    while index < lexed.tokens.len() {
        refuse_reserved(lexed, index)?;
        index = match variable(lexed, index) {
            Some(variable) => look(lexed, index, variable, &mut uses)?,
            None => index + 1,
        };
    }
    if let Some(wrapper) =
        (0..lexed.tokens.len()).find(|index| is_stray_wrapper(lexed, *index, &uses))
    {
        return Err(Blame::new(
            lexed.bytes(wrapper..wrapper + 1),
            format!("`{}` takes one argument of the call", lexed.word(wrapper)),
            format!("write {}(context.args.NAME)", lexed.word(wrapper)),
        ));
    }
    Ok(uses)
}

/// Cedar itself does not know these two: what is left of them was not read by us.
fn is_stray_wrapper(lexed: &Lexed<'_>, index: usize, uses: &Uses) -> bool {
    ["path", "size"].contains(&lexed.word(index))
        && lexed.word(index + 1) == "("
        && !follows(lexed, index, &[".", "::", "@"])
        && !uses.all.iter().any(|known| {
            let start = lexed.bytes(index..index + 1).start;
            known.bytes.contains(&start)
        })
}

fn refuse_reserved(lexed: &Lexed<'_>, index: usize) -> Result<(), Blame> {
    let is_word = lexed.kind(index) == Some(Kind::Word);
    if is_word && lexed.word(index).starts_with(RESERVED) {
        return Err(Blame::new(
            lexed.bytes(index..index + 1),
            format!("names that start with `{RESERVED}` are taken"),
            "choose another name",
        ));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Variable {
    Context,
    Principal,
}

fn variable(lexed: &Lexed<'_>, index: usize) -> Option<Variable> {
    if lexed.kind(index) != Some(Kind::Word) || follows(lexed, index, &[".", "::", "has", "@"]) {
        return None;
    }
    match lexed.word(index) {
        "context" => Some(Variable::Context),
        "principal" => Some(Variable::Principal),
        _ => None,
    }
}

fn follows(lexed: &Lexed<'_>, index: usize, before: &[&str]) -> bool {
    index
        .checked_sub(1)
        .is_some_and(|previous| before.contains(&lexed.word(previous)))
}

/// Reads what stands after a variable; returns where to go on.
fn look(
    lexed: &Lexed<'_>,
    start: usize,
    variable: Variable,
    uses: &mut Uses,
) -> Result<usize, Blame> {
    let (mut keys, mut end) = accessors(lexed, start + 1)?;
    let asks = lexed.word(end) == "has";
    let resume = end;
    if asks {
        let (asked, after) = asked(lexed, end + 1)?;
        keys.extend(asked);
        end = after;
    }
    let Some(root) = root_of(variable, keys.first()) else {
        let at = lexed.bytes(start..start + 1).start;
        note(variable, keys.first().map(String::as_str), at, uses);
        return Ok(resume);
    };
    let path = keys.split_off(1);
    if path.is_empty() && !(asks && root != Root::Claims) {
        return Err(Blame::new(
            lexed.bytes(start..end),
            format!("`{}` as a whole cannot be looked at", root.text()),
            format!("name one: {}.NAME", root.text()),
        ));
    }
    let plain = Use {
        root,
        path,
        reading: asks.then_some(Reading::Present),
        bytes: lexed.bytes(start..end),
    };
    let (found, end) = wrapped(lexed, plain, start, end);
    uses.all.push(found);
    Ok(end)
}

fn root_of(variable: Variable, key: Option<&String>) -> Option<Root> {
    match (variable, key?.as_str()) {
        (Variable::Context, "args") => Some(Root::Arguments),
        (Variable::Context, "details") => Some(Root::Details),
        (Variable::Principal, "claims") => Some(Root::Claims),
        (Variable::Context | Variable::Principal, _) => None,
    }
}

fn note(variable: Variable, key: Option<&str>, at: usize, uses: &mut Uses) {
    match (variable, key) {
        (Variable::Context, Some("now" | "weekday" | "minute")) => uses.hours.push(at),
        (Variable::Context, Some("argument_bytes")) => uses.bulk.push(at),
        (Variable::Context, None) => {
            uses.bulk.push(at);
            uses.has_whole_context = true;
        }
        (Variable::Context, Some(_)) | (Variable::Principal, _) => {}
    }
}

/// `.a`, `["b"]`, and so on; a method (`.contains(`) is not among them.
fn accessors(lexed: &Lexed<'_>, mut index: usize) -> Result<(Vec<String>, usize), Blame> {
    let mut keys = Vec::new();
    loop {
        let is_field = lexed.word(index) == "."
            && lexed.kind(index + 1) == Some(Kind::Word)
            && lexed.word(index + 2) != "(";
        let is_index = lexed.word(index) == "["
            && lexed.kind(index + 1) == Some(Kind::Text)
            && lexed.word(index + 2) == "]";
        if is_field {
            keys.push(lexed.word(index + 1).to_owned());
            index += 2;
        } else if is_index {
            keys.push(unquoted(lexed, index + 1)?);
            index += 3;
        } else {
            return Ok((keys, index));
        }
    }
}

/// What stands after `has`: `a.b` or `"c"`.
fn asked(lexed: &Lexed<'_>, index: usize) -> Result<(Vec<String>, usize), Blame> {
    match lexed.kind(index) {
        Some(Kind::Text) => Ok((vec![unquoted(lexed, index)?], index + 1)),
        Some(Kind::Word) => {
            let (mut keys, end) = accessors(lexed, index + 1)?;
            keys.insert(0, lexed.word(index).to_owned());
            Ok((keys, end))
        }
        Some(Kind::Number | Kind::Symbol) | None => Ok((Vec::new(), index)),
    }
}

fn unquoted(lexed: &Lexed<'_>, index: usize) -> Result<String, Blame> {
    let inner = lexed
        .word(index)
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains(['\\', '"']) => Ok(inner.to_owned()),
        _ => Err(Blame::new(
            lexed.bytes(index..index + 1),
            "a name with a quote or a backslash in it cannot be looked at".to_owned(),
            "write the name as it is, without escapes",
        )),
    }
}

/// Takes in a wrapper around it: `ip(context.args.host)`.
fn wrapped(lexed: &Lexed<'_>, plain: Use, start: usize, end: usize) -> (Use, usize) {
    let wrapper = start
        .checked_sub(2)
        .filter(|wrapper| !follows(lexed, *wrapper, &[".", "::", "@"]))
        .filter(|wrapper| lexed.word(*wrapper + 1) == "(" && lexed.word(end) == ")")
        .and_then(|wrapper| Some((wrapper, reading(lexed.word(wrapper))?)));
    match wrapper {
        Some((wrapper, reading)) if plain.reading.is_none() => (
            Use {
                reading: Some(reading),
                bytes: lexed.bytes(wrapper..end + 1),
                ..plain
            },
            end + 1,
        ),
        _ => (plain, end),
    }
}

fn reading(wrapper: &str) -> Option<Reading> {
    match wrapper {
        "ip" => Some(Reading::As(Type::Ip)),
        "decimal" => Some(Reading::As(Type::Decimal)),
        "datetime" => Some(Reading::As(Type::Datetime)),
        "duration" => Some(Reading::As(Type::Duration)),
        "path" => Some(Reading::Path),
        "size" => Some(Reading::Size),
        _ => None,
    }
}

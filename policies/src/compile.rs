//! From the text of a condition or a policy to a program. Loads nothing that does not type-check.

use std::ops::Range;
use std::str::FromStr as _;

use cedar_policy::{Expression, Policy, pst};

use crate::attribute::Type;
use crate::program::{Clause, Program, Shape};
use crate::slot::{self, Reading, Root, Slot, Slots};
use crate::wants::Wants;

mod blame;
pub(crate) mod bounds;
mod check;
mod clause;
mod infer;
pub(crate) mod lexer;
mod rewrite;
pub(crate) mod statement;
mod uses;

pub(crate) use blame::Blame;
pub(crate) use check::Checker;

use infer::Inference;
use lexer::Lexed;
use rewrite::Rewritten;
use uses::{Use, Uses};

/// A text whose open values have types and numbers, not yet checked.
#[derive(Debug)]
pub(crate) struct Draft<'t> {
    pub(crate) lexed: Lexed<'t>,
    uses: Uses,
    /// The slot of each use.
    numbers: Vec<usize>,
    frame: Frame,
}

/// What stands around a text to make it a policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) head: String,
    pub(crate) tail: &'static str,
}

/// Whether `context.details` means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Details {
    /// One entry of a named type.
    Named,
    /// Nothing.
    Unnamed,
}

impl<'t> Draft<'t> {
    /// Reads `text`, finds what it looks at and of which types that is.
    pub(crate) fn new(
        lexed: Lexed<'t>,
        frame: Frame,
        details: Details,
        slots: &mut Slots,
    ) -> Result<Self, Vec<Blame>> {
        let uses = uses::find(&lexed).map_err(|blame| vec![blame])?;
        refuse_details(&uses, details).map_err(|blame| vec![blame])?;
        let mut draft = Self {
            lexed,
            uses,
            numbers: Vec::new(),
            frame,
        };
        let policy = draft.parsed(&draft.rewritten(slot::attribute))?;
        let readings = draft.readings(&policy)?;
        let uses = draft.uses.all.iter().zip(readings);
        draft.numbers = uses
            .map(|(found, reading)| {
                slots.number(Slot {
                    root: found.root,
                    path: found.path.clone(),
                    reading,
                })
            })
            .collect();
        Ok(draft)
    }

    /// The policy as it stands, its open values under our names.
    pub(crate) fn policy(&self) -> Result<Policy, Vec<Blame>> {
        self.parsed(&self.rewritten(slot::attribute))
    }

    /// The condition in the pieces of each pair. The first `scope` of them are the scope of a policy.
    pub(crate) fn program(
        &self,
        parts: &[(Polarity, Range<usize>)],
        scope: usize,
    ) -> Result<Program, Blame> {
        let clauses: Vec<Clause> = parts
            .iter()
            .map(|(polarity, tokens)| {
                let clause = self.clause(tokens.clone());
                match polarity {
                    Polarity::When => clause,
                    Polarity::Unless => negated(clause),
                }
            })
            .collect();
        let reads = clause::union(&clauses);
        let mut slots = self.numbers.clone();
        slots.sort_unstable();
        slots.dedup();
        Ok(Program {
            whole: self.whole(parts)?,
            clause: Clause {
                shape: Shape::All(clauses),
                bytes: 0..self.lexed.text.len(),
                reads,
            },
            slots,
            wants: Wants::of(&self.lexed, self.uses.has_whole_context),
            scope,
        })
    }

    /// A new line after each part: it may end in a comment.
    fn whole(&self, parts: &[(Polarity, Range<usize>)]) -> Result<Expression, Blame> {
        let texts: Vec<_> = parts
            .iter()
            .map(|(polarity, tokens)| {
                let bytes = self.lexed.bytes(tokens.clone());
                let text = Rewritten::new(self.lexed.text, bytes, &self.uses.all, |number| {
                    self.name(number)
                });
                format!("{}(\n{}\n)", polarity.sign(), text.text)
            })
            .collect();
        let text = if texts.is_empty() {
            "true".to_owned()
        } else {
            texts.join(" && ")
        };
        Expression::from_str(&text).map_err(|_| {
            Blame::new(
                0..self.lexed.text.len(),
                "not a condition".to_owned(),
                "write one expression that is true or false",
            )
        })
    }

    /// What stands for a use: the attribute of its slot.
    fn name(&self, number: usize) -> String {
        let slot = self.numbers.get(number).copied().unwrap_or(usize::MAX);
        self.standing_for(number, &slot::attribute(slot))
    }

    /// As a comparison, so that it binds as `has` does.
    fn standing_for(&self, number: usize, attribute: &str) -> String {
        let asks = self
            .uses
            .all
            .get(number)
            .is_some_and(|found| found.reading == Some(Reading::Present));
        if asks {
            format!("context.{attribute} == true")
        } else {
            format!("context.{attribute}")
        }
    }

    /// What a message of Cedar says, with what the author wrote for our names.
    fn in_words(&self, message: &str) -> String {
        let mut words = message.to_owned();
        for (number, found) in self.uses.all.iter().enumerate().rev() {
            let ours = format!("context.{}", slot::attribute(number));
            let theirs = self.lexed.text.get(found.bytes.clone());
            words = words.replace(&ours, theirs.unwrap_or_default());
        }
        words
    }

    fn rewritten(&self, attribute: impl Fn(usize) -> String) -> Rewritten {
        let part = 0..self.lexed.text.len();
        Rewritten::new(self.lexed.text, part, &self.uses.all, |number| {
            self.standing_for(number, &attribute(number))
        })
        .within(&self.frame.head, self.frame.tail)
    }

    fn parsed(&self, rewritten: &Rewritten) -> Result<Policy, Vec<Blame>> {
        Policy::parse(None, &rewritten.text)
            .map_err(|errors| blame::of_parse(&errors, rewritten, self))
    }

    /// How each use is read.
    fn readings(&self, policy: &Policy) -> Result<Vec<Reading>, Vec<Blame>> {
        let paths = self.paths();
        let path_of = |number: usize| {
            let found = self.uses.all.get(number)?;
            paths.iter().position(|path| is_of(path, found))
        };
        let known = paths.iter().map(|path| path.reading.map(Reading::kind));
        let mut inference = Inference::new(known);
        let number = |attribute: &str| {
            let digits = attribute.strip_prefix(slot::RESERVED)?;
            path_of(digits.parse().ok()?)
        };
        for condition in conditions(policy) {
            inference.learn(&condition, &number);
        }
        let kinds = inference.finish();
        let mut readings = Vec::new();
        let mut blames = Vec::new();
        for (index, found) in self.uses.all.iter().enumerate() {
            let kind = path_of(index).and_then(|path| kinds.get(path).copied().flatten());
            match found.reading.or_else(|| open_reading(kind?)) {
                Some(reading) => readings.push(reading),
                None => blames.push(untyped(found, kind)),
            }
        }
        if blames.is_empty() {
            Ok(readings)
        } else {
            Err(blames)
        }
    }

    /// The uses without those that look at the same thing in the same way.
    fn paths(&self) -> Vec<&Use> {
        let mut paths: Vec<&Use> = Vec::new();
        for found in &self.uses.all {
            if !paths.iter().any(|path| is_of(path, found)) {
                paths.push(found);
            }
        }
        paths
    }
}

/// Whether what is in the braces must hold or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polarity {
    /// `when`, and the scope of a policy.
    When,
    /// `unless`.
    Unless,
}

impl Polarity {
    const fn sign(self) -> &'static str {
        match self {
            Self::When => "",
            Self::Unless => "!",
        }
    }
}

fn negated(clause: Clause) -> Clause {
    Clause {
        bytes: clause.bytes.clone(),
        reads: clause.reads,
        shape: Shape::Not(Box::new(clause)),
    }
}

fn is_of(path: &Use, found: &Use) -> bool {
    path.root == found.root && path.path == found.path && path.reading == found.reading
}

/// What an open value may be as it stands.
fn open_reading(kind: Type) -> Option<Reading> {
    match kind {
        Type::Bool | Type::Long | Type::String | Type::Strings | Type::Longs | Type::Bools => {
            Some(Reading::As(kind))
        }
        Type::Ip | Type::Decimal | Type::Datetime | Type::Duration => None,
    }
}

fn untyped(found: &Use, kind: Option<Type>) -> Blame {
    let mut path = String::new();
    // Writing to a string does not fail.
    let _ = slot::write_path(&mut path, found.root, &found.path);
    let wrapper = match kind {
        Some(Type::Ip) => Some("ip"),
        Some(Type::Decimal) => Some("decimal"),
        Some(Type::Datetime) => Some("datetime"),
        Some(Type::Duration) => Some("duration"),
        Some(_) | None => None,
    };
    let help = wrapper.map_or_else(
        || {
            format!(
                "compare it with a literal, or say what it is: ip({path}), decimal({path}), datetime({path}), duration({path}), path({path}) or size({path})"
            )
        },
        |wrapper| format!("write {wrapper}({path})"),
    );
    Blame::new(
        found.bytes.clone(),
        format!("nothing says of which type `{path}` is"),
        help,
    )
}

fn refuse_details(uses: &Uses, details: Details) -> Result<(), Blame> {
    let first = uses.all.iter().find(|found| found.root == Root::Details);
    match first {
        Some(found) if details == Details::Unnamed => Err(Blame::new(
            found.bytes.clone(),
            "`context.details` of which type is meant is not said".to_owned(),
            "name the type: `details: TYPE` in a row, `@details(\"TYPE\")` above a policy",
        )),
        Some(_) | None => Ok(()),
    }
}

fn conditions(policy: &Policy) -> Vec<std::sync::Arc<pst::Expr>> {
    let Ok(pst::Policy::Static(policy)) = policy.to_pst() else {
        return Vec::new();
    };
    let clauses = policy.body().clauses().iter();
    clauses
        .map(|clause| match clause {
            pst::Clause::When(inner) | pst::Clause::Unless(inner) => inner.clone(),
        })
        .collect()
}

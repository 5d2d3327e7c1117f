//! From the text of a condition or a policy to a program. Loads nothing that does not type-check.

use std::ops::Range;

use cedar_policy::{Policy, pst};

use crate::attribute::Type;
use crate::program::{Clause, Leaf, Program, Shape};
use crate::slot::{self, Reading, Root, Slots};
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
    /// As it was parsed before types were known, if they changed nothing.
    policy: Option<Policy>,
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
        let numbers = reserved(&uses, slots);
        let mut draft = Self {
            lexed,
            uses,
            numbers,
            frame,
            policy: None,
        };
        let policy = draft.parsed(&draft.rewritten())?;
        let readings = draft.readings(&policy)?;
        let settled: Vec<_> = draft.numbers.iter().zip(readings).collect();
        let settled = settled
            .into_iter()
            .map(|(number, reading)| slots.settle(*number, reading))
            .collect();
        if draft.numbers == settled {
            draft.policy = Some(policy);
        } else {
            draft.numbers = settled;
        }
        Ok(draft)
    }

    /// The policy with slots in place of its open values.
    pub(crate) fn policy(&self) -> Result<Policy, Vec<Blame>> {
        match &self.policy {
            Some(policy) => Ok(policy.clone()),
            None => self.parsed(&self.rewritten()),
        }
    }

    /// The condition in the pieces of each pair. The first `scope` of them are the scope of a policy.
    pub(crate) fn program(&self, parts: &[(Polarity, Range<usize>)], scope: usize) -> Program {
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
        Program {
            whole: self.whole(parts),
            clause: Clause {
                shape: Shape::All(clauses),
                bytes: 0..self.lexed.text.len(),
                reads,
            },
            slots,
            wants: Wants::of(&self.lexed, self.uses.has_whole_context),
            scope,
        }
    }

    /// A new line after each part: it may end in a comment.
    fn whole(&self, parts: &[(Polarity, Range<usize>)]) -> Leaf {
        let texts: Vec<_> = parts
            .iter()
            .map(|(polarity, tokens)| {
                let text = self.part(self.lexed.bytes(tokens.clone()));
                format!("{}(\n{}\n)", polarity.sign(), text.text)
            })
            .collect();
        Leaf::new(if texts.is_empty() {
            "true".to_owned()
        } else {
            texts.join(" && ")
        })
    }

    /// These bytes of the text, with slots in place of open values.
    fn part(&self, bytes: Range<usize>) -> Rewritten {
        Rewritten::new(self.lexed.text, bytes, &self.uses.all, |number| {
            self.standing_for(number)
        })
    }

    /// What stands for a use: the attribute of its slot. Presence is compared, so that it binds as `has` does.
    fn standing_for(&self, number: usize) -> String {
        let slot = self.numbers.get(number).copied().unwrap_or(usize::MAX);
        let attribute = slot::attribute(slot);
        let found = self.uses.all.get(number);
        if found.is_some_and(|found| found.reading == Some(Reading::Present)) {
            format!("context.{attribute} == true")
        } else {
            format!("context.{attribute}")
        }
    }

    /// What a message of Cedar says, with what the author wrote for our names.
    fn in_words(&self, message: &str) -> String {
        let mut named: Vec<_> = self.numbers.iter().zip(&self.uses.all).collect();
        // A long number first: a short one may be its beginning.
        named.sort_by_key(|(number, _)| std::cmp::Reverse(**number));
        let mut words = message.to_owned();
        for (number, found) in named {
            let ours = format!("context.{}", slot::attribute(*number));
            let theirs = self.lexed.text.get(found.bytes.clone());
            words = words.replace(&ours, theirs.unwrap_or_default());
        }
        words
    }

    fn rewritten(&self) -> Rewritten {
        self.part(0..self.lexed.text.len())
            .within(&self.frame.head, self.frame.tail)
    }

    fn parsed(&self, rewritten: &Rewritten) -> Result<Policy, Vec<Blame>> {
        Policy::parse(None, &rewritten.text)
            .map_err(|errors| blame::of_parse(&errors, rewritten, self))
    }

    /// How each use is read.
    fn readings(&self, policy: &Policy) -> Result<Vec<Reading>, Vec<Blame>> {
        let distinct = self.distinct();
        let place = |slot: usize| distinct.iter().position(|(number, _)| *number == slot);
        let known = distinct
            .iter()
            .map(|(_, found)| found.reading.map(Reading::kind));
        let mut inference = Inference::new(known);
        let number = |attribute: &str| {
            let digits = attribute.strip_prefix(slot::RESERVED)?;
            place(digits.parse().ok()?)
        };
        for condition in conditions(policy) {
            inference.learn(&condition, &number);
        }
        let kinds = inference.finish();
        let mut readings = Vec::new();
        let mut blames = Vec::new();
        for (slot, found) in self.numbers.iter().zip(&self.uses.all) {
            let kind = place(*slot).and_then(|place| kinds.get(place).copied().flatten());
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

    /// The first use of each slot.
    fn distinct(&self) -> Vec<(usize, &Use)> {
        let mut distinct: Vec<(usize, &Use)> = Vec::new();
        for (number, found) in self.numbers.iter().zip(&self.uses.all) {
            if !distinct.iter().any(|(known, _)| known == number) {
                distinct.push((*number, found));
            }
        }
        distinct
    }
}

fn reserved(uses: &Uses, slots: &mut Slots) -> Vec<usize> {
    let uses = uses.all.iter();
    uses.map(|found| slots.reserve(found.root, &found.path, found.reading))
        .collect()
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

//! A condition, ready to be asked: whole, and clause by clause. Decides nothing about what follows from it.

use std::ops::Range;
use std::str::FromStr as _;
use std::sync::OnceLock;

use cedar_policy::{EvalResult, Expression, Request, eval_expression};

use crate::answer::Cause;
use crate::roomy::on_a_large_stack;
use crate::scene::Scene;
use crate::slot;
use crate::wants::Wants;

/// The condition of one rule.
#[derive(Debug)]
pub(crate) struct Program {
    /// Everything at once: the quick way.
    pub(crate) whole: Leaf,
    /// The same, part by part: to say which part decided, and what holds whatever the arguments are.
    pub(crate) clause: Clause,
    /// The slots that it reads, each once, in order.
    pub(crate) slots: Vec<usize>,
    /// What it could look at besides.
    pub(crate) wants: Wants,
    /// How many parts of the clause are the scope of a Cedar policy.
    pub(crate) scope: usize,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holding {
    /// It does.
    Holds,
    /// It does not.
    Fails,
    /// It cannot be told: something is missing, or of another type.
    Errs,
    /// It depends on arguments that are not known yet.
    Open,
}

/// What a part of a condition is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) arguments: bool,
    pub(crate) hours: bool,
}

impl Reads {
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            arguments: self.arguments || other.arguments,
            hours: self.hours || other.hours,
        }
    }

    pub(crate) const fn cause(self) -> Cause {
        match (self.arguments, self.hours) {
            (true, _) => Cause::Arguments,
            (false, true) => Cause::Hours,
            (false, false) => Cause::Other,
        }
    }
}

/// A part of a condition.
#[derive(Debug)]
pub(crate) struct Clause {
    pub(crate) shape: Shape,
    /// Where its author wrote it.
    pub(crate) bytes: Range<usize>,
    pub(crate) reads: Reads,
}

/// How a part is put together.
#[derive(Debug)]
pub(crate) enum Shape {
    Leaf(Leaf),
    All(Vec<Clause>),
    Any(Vec<Clause>),
    Not(Box<Clause>),
}

/// A part without parts.
#[derive(Debug)]
pub(crate) struct Leaf {
    text: String,
    /// Parsed when it is first asked: most never are.
    expression: OnceLock<Option<Expression>>,
}

impl Leaf {
    pub(crate) const fn new(text: String) -> Self {
        Self {
            text,
            expression: OnceLock::new(),
        }
    }

    /// The slots that it reads, told by their names in its text.
    pub(crate) fn slots(&self) -> Vec<usize> {
        let after = self.text.split(slot::RESERVED).skip(1);
        after
            .filter_map(|rest| {
                let end = rest.find(|c: char| !c.is_ascii_digit());
                rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
            })
            .collect()
    }

    fn holding(&self, request: &Request, scene: &Scene<'_>) -> Holding {
        let parsed = self
            .expression
            .get_or_init(|| on_a_large_stack(|| Expression::from_str(&self.text).ok()).flatten());
        parsed
            .as_ref()
            .map_or(Holding::Errs, |expression| ask(expression, request, scene))
    }
}

impl Program {
    /// The parts that its author wrote as conditions.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Clause> {
        let parts = match &self.clause.shape {
            Shape::All(parts) => parts.as_slice(),
            Shape::Leaf(_) | Shape::Any(_) | Shape::Not(_) => &[],
        };
        parts.iter().skip(self.scope)
    }

    /// Whether the condition holds.
    pub(crate) fn holding(&self, request: &Request, scene: &Scene<'_>) -> Holding {
        if scene.is_open() && self.clause.reads.arguments {
            self.clause.holding(request, scene)
        } else {
            self.whole.holding(request, scene)
        }
    }
}

impl Clause {
    /// The same, by its parts.
    pub(crate) fn holding(&self, request: &Request, scene: &Scene<'_>) -> Holding {
        match &self.shape {
            Shape::Leaf(_) if scene.is_open() && self.reads.arguments => Holding::Open,
            Shape::Leaf(leaf) => leaf.holding(request, scene),
            Shape::Not(inner) => match inner.holding(request, scene) {
                Holding::Holds => Holding::Fails,
                Holding::Fails => Holding::Holds,
                unknown @ (Holding::Errs | Holding::Open) => unknown,
            },
            Shape::All(parts) => all(parts, request, scene),
            Shape::Any(parts) => any(parts, request, scene),
        }
    }

    /// The part that makes it fail, or all that do.
    pub(crate) fn deciding(&self, request: &Request, scene: &Scene<'_>) -> &Self {
        let Shape::All(parts) = &self.shape else {
            return self;
        };
        let failing = parts
            .iter()
            .find(|part| part.holding(request, scene) != Holding::Holds);
        failing.map_or(self, |part| part.deciding(request, scene))
    }
}

/// As `&&` does: from the left, up to the first that fails or errs. What depends on arguments may fail, so what comes
/// after it errs for no certain call.
fn all(parts: &[Clause], request: &Request, scene: &Scene<'_>) -> Holding {
    let mut so_far = Holding::Holds;
    for part in parts {
        match (part.holding(request, scene), so_far) {
            (Holding::Holds, _) => {}
            (Holding::Open, _) => so_far = Holding::Open,
            (Holding::Errs, Holding::Holds) => return Holding::Errs,
            (Holding::Fails | Holding::Errs, _) => return Holding::Fails,
        }
    }
    so_far
}

/// As `||` does.
fn any(parts: &[Clause], request: &Request, scene: &Scene<'_>) -> Holding {
    let mut so_far = Holding::Fails;
    for part in parts {
        match (part.holding(request, scene), so_far) {
            (Holding::Fails, _) => {}
            (Holding::Open, _) => so_far = Holding::Open,
            (Holding::Errs, Holding::Open) => return Holding::Open,
            (decided @ (Holding::Holds | Holding::Errs), _) => return decided,
        }
    }
    so_far
}

fn ask(expression: &Expression, request: &Request, scene: &Scene<'_>) -> Holding {
    match eval_expression(request, scene.entities(), expression) {
        Ok(EvalResult::Bool(true)) => Holding::Holds,
        Ok(EvalResult::Bool(false)) => Holding::Fails,
        Ok(_) | Err(_) => Holding::Errs,
    }
}

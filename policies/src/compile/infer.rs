//! Finds the type of each open value from how a policy uses it. Reports no mistake: Cedar's own checker does that,
//! once every value has a type.

use cedar_policy::pst::{BinaryOp, Expr, Literal, UnaryOp, Var};

use crate::attribute::{self, Type};

/// Types while they are being found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Guess {
    /// That of a value yet to be found.
    Open(usize),
    /// Found.
    Known(Type),
    /// A set of something.
    Set(Box<Self>),
    /// Something that no open value can be.
    Other,
}

/// Finds types, policy by policy.
#[derive(Debug, Default)]
pub(crate) struct Inference {
    found: Vec<Option<Guess>>,
    /// What to take when nothing else tells: values that are compared with each other only.
    fallbacks: Vec<(Guess, Type)>,
}

impl Inference {
    /// One for values with these types; `None` is to be found.
    pub(crate) fn new(known: impl Iterator<Item = Option<Type>>) -> Self {
        Self {
            found: known.map(|kind| kind.map(of_type)).collect(),
            fallbacks: Vec::new(),
        }
    }

    /// Learns from a condition, which must be true or false; `number` says which value an attribute stands for.
    pub(crate) fn learn(&mut self, condition: &Expr, number: &impl Fn(&str) -> Option<usize>) {
        let guess = self.guess(condition, number);
        self.unify(&guess, &Guess::Known(Type::Bool));
    }

    /// The types; `None` where nothing tells.
    pub(crate) fn finish(mut self) -> Vec<Option<Type>> {
        for (guess, kind) in std::mem::take(&mut self.fallbacks) {
            if let Guess::Open(open) = self.resolved(&guess) {
                self.bind(open, Guess::Known(kind));
            }
        }
        (0..self.found.len())
            .map(|open| self.type_of(&Guess::Open(open)))
            .collect()
    }

    fn type_of(&self, guess: &Guess) -> Option<Type> {
        match self.resolved(guess) {
            Guess::Known(kind) => Some(kind),
            Guess::Set(element) => match self.resolved(&element) {
                Guess::Known(Type::Bool) => Some(Type::Bools),
                Guess::Known(Type::Long) => Some(Type::Longs),
                // A set that is only asked whether it is empty may as well be one of texts.
                Guess::Known(Type::String) | Guess::Open(_) => Some(Type::Strings),
                Guess::Known(_) | Guess::Set(_) | Guess::Other => None,
            },
            Guess::Open(_) | Guess::Other => None,
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the syntax of Cedar may grow; what is new tells nothing"
    )]
    fn guess(&mut self, expr: &Expr, number: &impl Fn(&str) -> Option<usize>) -> Guess {
        match expr {
            Expr::Literal(literal) => of_literal(literal),
            Expr::UnaryOp { op, expr } => {
                let inner = self.guess(expr, number);
                self.unary(*op, &inner)
            }
            Expr::BinaryOp { op, left, right } => {
                let left = self.guess(left, number);
                let right = self.guess(right, number);
                self.binary(*op, &left, &right)
            }
            Expr::GetAttr { expr, attr } => self.attribute(expr, attr, number),
            Expr::HasAttr { .. } | Expr::Is { .. } => Guess::Known(Type::Bool),
            Expr::Like { expr, .. } => {
                let text = self.guess(expr, number);
                self.unify(&text, &Guess::Known(Type::String));
                Guess::Known(Type::Bool)
            }
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => {
                self.learn(cond, number);
                let left = self.guess(then_expr, number);
                let right = self.guess(else_expr, number);
                self.unify(&left, &right);
                left
            }
            Expr::Set(elements) => {
                let element = self.fresh();
                for each in elements {
                    let each = self.guess(each, number);
                    self.unify(&element, &each);
                }
                Guess::Set(Box::new(element))
            }
            _ => Guess::Other,
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the syntax of Cedar may grow; what is new tells nothing"
    )]
    fn attribute(
        &mut self,
        owner: &Expr,
        name: &str,
        number: &impl Fn(&str) -> Option<usize>,
    ) -> Guess {
        let word = match owner {
            Expr::Var(Var::Context) => "context",
            Expr::Var(Var::Principal) => "principal",
            Expr::Var(Var::Resource) => "resource",
            other => {
                self.guess(other, number);
                return Guess::Other;
            }
        };
        match number(name) {
            Some(open) if word == "context" => Guess::Open(open),
            _ => attribute::kind_of(word, name).map_or(Guess::Other, of_type),
        }
    }

    fn unary(&mut self, op: UnaryOp, inner: &Guess) -> Guess {
        let (wanted, outcome) = match op {
            UnaryOp::Not => (Some(Type::Bool), Type::Bool),
            UnaryOp::Neg => (Some(Type::Long), Type::Long),
            UnaryOp::IsEmpty => {
                let element = self.fresh();
                self.unify(inner, &Guess::Set(Box::new(element)));
                return Guess::Known(Type::Bool);
            }
            UnaryOp::Datetime | UnaryOp::ToDate => (None, Type::Datetime),
            UnaryOp::Decimal => (None, Type::Decimal),
            UnaryOp::Duration | UnaryOp::ToTime => (None, Type::Duration),
            UnaryOp::Ip => (None, Type::Ip),
            UnaryOp::IsIPv4 | UnaryOp::IsIPV6 | UnaryOp::IsLoopback | UnaryOp::IsMulticast => {
                (None, Type::Bool)
            }
            UnaryOp::ToMilliseconds
            | UnaryOp::ToSeconds
            | UnaryOp::ToMinutes
            | UnaryOp::ToHours
            | UnaryOp::ToDays => (None, Type::Long),
            _ => return Guess::Other,
        };
        if let Some(wanted) = wanted {
            self.unify(inner, &Guess::Known(wanted));
        }
        Guess::Known(outcome)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the syntax of Cedar may grow; what is new tells nothing"
    )]
    fn binary(&mut self, op: BinaryOp, left: &Guess, right: &Guess) -> Guess {
        match op {
            BinaryOp::Eq | BinaryOp::NotEq => self.alike(left, right, Type::String),
            BinaryOp::Less | BinaryOp::LessEq | BinaryOp::Greater | BinaryOp::GreaterEq => {
                self.alike(left, right, Type::Long);
            }
            BinaryOp::And | BinaryOp::Or => {
                self.unify(left, &Guess::Known(Type::Bool));
                self.unify(right, &Guess::Known(Type::Bool));
            }
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul => {
                self.unify(left, &Guess::Known(Type::Long));
                self.unify(right, &Guess::Known(Type::Long));
                return Guess::Known(Type::Long);
            }
            BinaryOp::Contains => {
                self.unify(left, &Guess::Set(Box::new(right.clone())));
                self.fallbacks.push((right.clone(), Type::String));
            }
            BinaryOp::ContainsAll | BinaryOp::ContainsAny => {
                let element = self.fresh();
                let set = Guess::Set(Box::new(element));
                self.unify(left, &set);
                self.unify(right, &set);
            }
            BinaryOp::Offset => return Guess::Known(Type::Datetime),
            BinaryOp::DurationSince => return Guess::Known(Type::Duration),
            BinaryOp::GetTag => return Guess::Other,
            _ => {}
        }
        Guess::Known(Type::Bool)
    }

    fn alike(&mut self, left: &Guess, right: &Guess, fallback: Type) {
        self.unify(left, right);
        self.fallbacks.push((left.clone(), fallback));
    }

    fn fresh(&mut self) -> Guess {
        self.found.push(None);
        Guess::Open(self.found.len() - 1)
    }

    fn resolved(&self, guess: &Guess) -> Guess {
        let mut now = guess.clone();
        // A chain of values that are each the next one's: never longer than there are values.
        for _ in 0..=self.found.len() {
            match &now {
                Guess::Open(open) => match self.found.get(*open) {
                    Some(Some(next)) => now = next.clone(),
                    Some(None) | None => return now,
                },
                Guess::Known(_) | Guess::Set(_) | Guess::Other => return now,
            }
        }
        Guess::Other
    }

    fn bind(&mut self, open: usize, guess: Guess) {
        if let Some(found) = self.found.get_mut(open) {
            *found = Some(guess);
        }
    }

    /// The first type that is found for a value stays; what contradicts it is left for the checker to report.
    fn unify(&mut self, left: &Guess, right: &Guess) {
        match (self.resolved(left), self.resolved(right)) {
            (Guess::Open(left), Guess::Open(right)) if left == right => {}
            (Guess::Open(open), other) | (other, Guess::Open(open)) => {
                if !mentions(self, &other, open) {
                    self.bind(open, other);
                }
            }
            (Guess::Set(left), Guess::Set(right)) => self.unify(&left, &right),
            (Guess::Known(_) | Guess::Set(_) | Guess::Other, _) => {}
        }
    }
}

fn mentions(inference: &Inference, guess: &Guess, open: usize) -> bool {
    match inference.resolved(guess) {
        Guess::Open(other) => other == open,
        Guess::Set(element) => mentions(inference, &element, open),
        Guess::Known(_) | Guess::Other => false,
    }
}

fn of_type(kind: Type) -> Guess {
    match kind {
        Type::Strings => Guess::Set(Box::new(Guess::Known(Type::String))),
        Type::Longs => Guess::Set(Box::new(Guess::Known(Type::Long))),
        Type::Bools => Guess::Set(Box::new(Guess::Known(Type::Bool))),
        Type::Bool
        | Type::Long
        | Type::String
        | Type::Ip
        | Type::Decimal
        | Type::Datetime
        | Type::Duration => Guess::Known(kind),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the syntax of Cedar may grow; what is new tells nothing"
)]
fn of_literal(literal: &Literal) -> Guess {
    match literal {
        Literal::Bool(_) => Guess::Known(Type::Bool),
        Literal::Long(_) => Guess::Known(Type::Long),
        Literal::String(_) => Guess::Known(Type::String),
        _ => Guess::Other,
    }
}

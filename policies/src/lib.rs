//! What each role may do with each MCP server: a question in, an answer out. No I/O, no clock.
//!
//! ```
//! use gatewright_policies::{Access, Answer, Question, RoleTable, Row};
//!
//! let table = RoleTable::build(vec![Row {
//!     role: "analyst".to_owned(),
//!     server: "crm".to_owned(),
//!     access: Access::Tool,
//!     pattern: "search_*".to_owned(),
//!     scopes: Vec::new(),
//!     line: 12,
//! }])
//! .expect("the pattern is good");
//! let question = Question {
//!     server: "crm",
//!     roles: &["analyst"],
//!     access: Access::Tool,
//!     name: "search_customers",
//!     scopes: &[] as &[&str],
//! };
//! let Answer::Allow { rule, .. } = table.decide(&question) else { panic!("a row matches") };
//! assert_eq!(rule.to_string(), "roles.analyst.crm[0]");
//! ```

mod answer;
mod error;
mod names;
mod pattern;
mod question;
mod roles;

pub use answer::{Answer, Denial, RuleId};
pub use error::{RowFault, RowFaultKind};
pub use names::ToolSet;
pub use question::{Access, Question};
pub use roles::{RoleTable, Row};

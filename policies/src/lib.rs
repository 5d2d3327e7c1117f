//! What each role may do with each MCP server: a question in, an answer out. No I/O, no clock.

/// stand-in
#[derive(Debug, Clone, Default)]
pub struct RoleTable;

//! Room to recurse in: Cedar parses and checks by recursion. Decides nothing.

use std::thread::{Builder, scope};

/// Does `work` on a stack that fits the longest text that may be compiled. Nothing when the system has no thread to
/// spare, or the work failed.
pub(crate) fn on_a_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    scope(|scope| {
        let thread = Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.ok()?.join().ok()
    })
}

/// Four times what the longest text needs without optimisation. Only what is used of it takes memory.
const STACK: usize = 32 << 20;

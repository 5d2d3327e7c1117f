//! Writes what comes from a server into the books of its session and of tasks. Never keeps what a message says.

use crate::mcp::{Listing, Onward, Seen};
use crate::proxy::progress::Forwarding;

/// What `seen` means for the books, and what they say to it.
pub(crate) fn keep(forwarding: &Forwarding, seen: &Seen<'_>) -> Onward {
    let in_session = forwarding.standing.session();
    let onward = in_session.map_or(Onward::Pass, |session| session.saw(seen));
    match (onward, seen) {
        (
            Onward::Pass,
            Seen::Response {
                task: Some(task), ..
            },
        ) => {
            learn(forwarding, task);
            Onward::Pass
        }
        (
            Onward::Pass,
            Seen::Notification {
                task: Some(task), ..
            },
        ) => of_task(forwarding, task),
        (onward, _) => onward,
    }
}

fn learn(forwarding: &Forwarding, task: &str) {
    let Some(tool) = forwarding.passage.tool() else {
        return;
    };
    let services = &forwarding.services;
    let when = (&services.limits, services.clock.now());
    let server = &forwarding.route.audience.server;
    services
        .tasks
        .learn((server, task), &forwarding.asker(), tool, when);
}

/// What a task does is told to who made it, as long as they may call its tool.
fn of_task(forwarding: &Forwarding, task: &str) -> Onward {
    let services = &forwarding.services;
    let when = (services.limits.task_idle, services.clock.now());
    let server = &forwarding.route.audience.server;
    let tool = services
        .tasks
        .tool_of((server, task), &forwarding.asker(), when);
    match tool {
        Some(tool) if forwarding.gate().shows(Listing::Tools, &tool) => Onward::Pass,
        Some(_) | None => Onward::Drop,
    }
}

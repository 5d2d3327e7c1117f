//! The names of tools as labels.

use std::time::Duration;

use super::{fresh, operation, sample};
use crate::model::Reason;
use crate::telemetry::metrics::Ending;

#[test]
fn a_tool_that_was_learned_has_a_label_and_starts_at_0() {
    let (metrics, server) = fresh();
    server.learn_tool("refund");
    let name = operation("_count", ["tools/call", "refund", ""]);
    assert_eq!(sample(&metrics, &name), Some(0.0));
    server.ended(
        "tools/call",
        Some("refund"),
        Ending::Success,
        Duration::from_millis(3),
    );
    assert_eq!(sample(&metrics, &name), Some(1.0));
    server.ended(
        "tools/call",
        Some("refund"),
        Ending::ToolError,
        Duration::from_millis(3),
    );
    assert_eq!(
        sample(
            &metrics,
            &operation("_count", ["tools/call", "refund", "tool_error"])
        ),
        Some(1.0)
    );
}

#[test]
fn a_tool_that_only_a_client_named_has_no_label() {
    let (metrics, server) = fresh();
    server.ended(
        "tools/call",
        Some("secret-canary"),
        Ending::Success,
        Duration::ZERO,
    );
    server.ended(
        "tools/call",
        Some("secret-canary"),
        Ending::Refused(Reason::ToolNotAllowed),
        Duration::ZERO,
    );
    assert_eq!(
        sample(&metrics, &operation("_count", ["tools/call", "_other", ""])),
        Some(1.0)
    );
    assert_eq!(
        sample(
            &metrics,
            &operation("_count", ["tools/call", "_other", "tool_not_allowed"])
        ),
        Some(1.0)
    );
    assert!(!metrics.render().contains("canary"));
}

#[test]
fn the_201st_tool_is_counted_with_the_others() {
    let (metrics, server) = fresh();
    for tool in 1..=201 {
        server.learn_tool(&format!("tool-{tool}"));
    }
    server.learn_tool("tool-1");
    server.ended(
        "tools/call",
        Some("tool-200"),
        Ending::Success,
        Duration::ZERO,
    );
    server.ended(
        "tools/call",
        Some("tool-201"),
        Ending::Success,
        Duration::ZERO,
    );
    assert_eq!(
        sample(
            &metrics,
            &operation("_count", ["tools/call", "tool-200", ""])
        ),
        Some(1.0)
    );
    assert_eq!(
        sample(&metrics, &operation("_count", ["tools/call", "_other", ""])),
        Some(1.0)
    );
    assert!(!metrics.render().contains("tool-201"));
}

#[test]
fn a_name_that_is_too_long_is_no_label() {
    let (metrics, server) = fresh();
    server.learn_tool(&"x".repeat(129));
    server.learn_tool(&"y".repeat(128));
    assert!(!metrics.render().contains("xxx"));
    assert!(metrics.render().contains(&"y".repeat(128)));
}

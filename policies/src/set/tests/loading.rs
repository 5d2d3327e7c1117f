//! What does not load.

use crate::compile::bounds::LONGEST;
use crate::error::FaultKind;
use crate::set::scene::{Call, build, cedar, when};

#[test]
fn what_does_not_check_does_not_load() {
    for condition in [
        "context.args.amount",
        "context.args.amount <= 100 &&",
        "context.minutes > 5",
        "context.args.x",
        "context.minute > \"9\"",
        "context.args.a > 1 && context.args.a like \"b\"",
        "context.args.a.isInRange(ip(\"10.0.0.0/8\"))",
        "context.details.max > 1",
        "true } when { false",
        "context.acr == \"x\"",
        "resource.read_only == 1",
        "context.__0 == 1",
        "path(\"/a\") == \"b\"",
        "1",
        "",
    ] {
        let built = build(vec![when(condition)], Vec::new());
        if condition == "context.args.x" || condition == "context.args.amount" {
            assert!(
                built.is_ok(),
                "{condition}: a bare argument is true or false"
            );
        } else {
            assert!(built.is_err(), "{condition} should not load");
        }
    }
    for text in [
        "permit (principal, action, resource)",
        "permit (principal, action == Action::\"tools/cal\", resource);",
        "@scope(\"a\") permit (principal, action, resource);",
        "@limit(\"5/day\") forbid (principal, action, resource);",
        "permit (principal == ?principal, action, resource);",
        "@id(\"a\") permit (principal, action, resource); @id(\"a\") forbid (principal, action, resource);",
        "permit (principal, action, resource) when { resource.read_only };",
        "nonsense",
    ] {
        assert!(
            build(Vec::new(), cedar(text)).is_err(),
            "{text} should not load"
        );
    }
}

#[test]
fn who_writes_another_word_for_arguments_is_told_the_one() {
    for written in ["arg", "arguments", "input", "params"] {
        let condition = format!("context.{written}.amount <= 100");
        let faults = build(vec![when(&condition)], Vec::new()).unwrap_err();
        let FaultKind::BadPolicy { help, .. } = &faults[0].kind else {
            panic!("{faults:?}")
        };
        assert_eq!(help, "did you mean `context.args`?", "{condition}");
    }
}

#[test]
fn what_is_as_long_and_as_deep_as_may_be_does_no_harm() {
    let chain = |first: &str, next: &str, times: usize| format!("{first}{}", next.repeat(times));
    for condition in [
        chain("true", " && true", LONGEST - 1),
        chain("false", " || false", LONGEST - 1),
        chain("1", "+1", LONGEST - 10) + " > 0",
        chain("context", ".a", LONGEST - 10),
        chain("context.args", ".a", LONGEST - 10),
        format!("{}true{}", "(".repeat(64), ")".repeat(64)),
        format!("{}1{} == [1]", "[".repeat(63), "]".repeat(63)),
        format!("{}true{}", "!(".repeat(64), ")".repeat(64)),
        chain("", "if true then true else ", 60) + "true",
        format!("{}1{}", "(1 + ".repeat(60), ")".repeat(60)) + " > 0",
    ] {
        if let Ok(policy) = build(vec![when(&condition)], Vec::new()) {
            let _ = Call::args("{}").explain(&policy);
            let _ = Call::list().ask(&policy);
        }
    }
}

//! `gatewright policy diff` and its kin: what a new policy would change, as its author reads it.

use serde_json::{Value, json};

use crate::serving::Served;
use crate::support::{Agent, Setup, Upstream, modern};

/// A gateway that decided about five calls of two agents.
async fn with_history() -> Served {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let bob = setup
        .issuer
        .token("bob", &["analyst", "intern"], "crm:read");
    let served = Served::with(setup, &upstream).await;
    let bob = Agent::new(served.url(), Some(bob));
    for (agent, tool, status) in [
        (&served.agent, "search_orders", 200),
        (&served.agent, "search_orders", 200),
        (&bob, "search_orders", 200),
        (&served.agent, "get_customer", 200),
        (&bob, "delete_customer", 403),
        (&served.agent, "refund", 403),
    ] {
        let answer = agent.modern(&modern(tool, &json!({}))).await;
        assert_eq!(answer.status, status, "{tool} {}", answer.body);
    }
    served
}

/// Writes `new.yaml`: the configuration with each first text replaced by the second.
fn candidate(served: &Served, changes: &[(&str, &str)]) {
    let file = served.folder().join("gatewright.yaml");
    let mut text = std::fs::read_to_string(file).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "nothing to replace: {from}");
        text = text.replace(from, to);
    }
    std::fs::write(served.folder().join("new.yaml"), text).unwrap();
}

const NEW_RULES: [(&str, &str); 2] = [
    ("        - search_*\n", "        - search_customers\n"),
    (
        "scopes: [\"crm:refund\"] }\n",
        "scopes: [\"crm:refund\", \"crm:money\"] }\n    intern:\n      crm: [delete_customer]\n",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_diff_shows_every_rule_that_came_went_or_changed() {
    let served = with_history().await;
    candidate(&served, &NEW_RULES);

    let diff = served.verb(&["policy", "diff", "gatewright.yaml", "new.yaml"]);

    assert_eq!((diff.code, diff.talk.as_str()), (0, ""));
    assert_eq!(diff.out, include_str!("change/diff.txt"));
    let same = served.verb(&["policy", "diff", "new.yaml", "new.yaml"]);
    assert_eq!(
        (same.code, same.out.as_str()),
        (0, "rules: 0 new, 0 gone, 0 changed\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_shows_who_would_gain_and_lose_what() {
    let served = with_history().await;
    candidate(&served, &NEW_RULES);
    for replay in ["audit", "7d"] {
        let arguments = [
            "policy",
            "diff",
            "gatewright.yaml",
            "new.yaml",
            "--replay",
            replay,
        ];

        let diff = served.verb(&arguments);

        assert_eq!((diff.code, diff.talk.as_str()), (0, ""));
        assert_eq!(diff.out, include_str!("change/replay.txt"), "{replay}");
    }
    let old = served.verb(&[
        "policy",
        "diff",
        "gatewright.yaml",
        "new.yaml",
        "--replay",
        "0s",
    ]);
    assert!(old.out.contains("\n0 decisions: "), "{}", old.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_reads_the_same_and_may_fail_on_it() {
    let served = with_history().await;
    candidate(&served, &NEW_RULES);
    let diff = |extra: &[&str]| {
        let fixed = [
            "policy",
            "diff",
            "gatewright.yaml",
            "new.yaml",
            "--replay",
            "audit",
        ];
        served.verb(&[&fixed, extra].concat())
    };

    let read: Value = serde_json::from_str(&diff(&["-o", "json"]).out).unwrap();

    let replay = &read["replay"];
    assert_eq!(replay["decisions"], 6);
    assert_eq!(replay["allow_to_deny"], json!({ "count": 3, "agents": 2 }));
    assert_eq!(replay["deny_to_allow"], json!({ "count": 1, "agents": 1 }));
    assert_eq!(read["rules"].as_array().unwrap().len(), 4);
    assert_eq!(diff(&["--fail-on", "gain"]).code, 1);
    assert_eq!(diff(&["--fail-on", "loss"]).code, 1);
    candidate(&served, &[]);
    assert_eq!(diff(&["--fail-on", "any"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_compared_has_its_exit_code() {
    let served = with_history().await;
    candidate(&served, &[("version: 1", "version: 2")]);
    for (arguments, code) in [
        (&["policy", "diff", "gatewright.yaml", "new.yaml"][..], 3),
        (&["policy", "diff", "gatewright.yaml", "nowhere.yaml"], 3),
        (
            &[
                "policy",
                "diff",
                "gatewright.yaml",
                "gatewright.yaml",
                "--replay",
                "nowhere",
            ],
            1,
        ),
        (&["policy", "diff", "gatewright.yaml"], 2),
        (
            &[
                "policy",
                "diff",
                "gatewright.yaml",
                "new.yaml",
                "--fail-on",
                "gain",
            ],
            2,
        ),
    ] {
        let ended = served.verb(arguments);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (code, ""),
            "{arguments:?} {}",
            ended.talk
        );
    }
}

/// How often the two policies differed.
fn disagreements(served: &Served) -> Value {
    let report = served.verb(&["policy", "shadow", "report", "-o", "json"]);
    assert_eq!(report.code, 0, "{}", report.talk);
    serde_json::from_str(&report.out).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_tried_without_effect_reported_and_promoted() {
    let served = with_history().await;
    candidate(&served, &NEW_RULES);
    let none = served.verb(&["policy", "shadow", "report"]);
    assert_eq!(
        none.out, "no policy is asked without effect\n",
        "{}",
        none.talk
    );

    let started = served.verb(&["policy", "shadow", "start", "new.yaml", "--for", "72h"]);

    assert_eq!(started.code, 0, "{}", started.talk);
    assert!(
        started.out.contains("is asked without effect until"),
        "{}",
        started.out
    );
    for _ in 0..3 {
        let answer = served
            .agent
            .modern(&modern("search_orders", &json!({})))
            .await;
        assert_eq!(answer.status, 200, "a trial changes no answer");
    }
    let counted = disagreements(&served);
    assert_eq!(
        (&counted["disagreements"], &counted["rows"][0]["to"]),
        (&json!(3), &json!("deny"))
    );
    let report = served.verb(&["policy", "shadow", "report"]);
    let first = "disagreements 3   top: alice search_orders allow->deny";
    assert_eq!(report.out.lines().next(), Some(first), "{}", report.out);

    promote(&served).await;
}

/// Brings what is tried into force, after three calls that it would have refused.
async fn promote(served: &Served) {
    let promoted = served.verb(&["policy", "promote", "new.yaml"]);
    assert_eq!(promoted.code, 0, "{}", promoted.talk);
    assert!(
        promoted.out.starts_with("promoted sha256:"),
        "{}",
        promoted.out
    );
    assert!(
        promoted.out.ends_with(", 3 acknowledged\n"),
        "{}",
        promoted.out
    );
    let answer = served
        .agent
        .modern(&modern("search_orders", &json!({})))
        .await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let read = |name: &str| std::fs::read_to_string(served.folder().join(name)).unwrap();
    assert_eq!(read("gatewright.yaml"), read("new.yaml"));
    assert!(read("gatewright.yaml.old").contains("- search_*"));
    let ledger = crate::support::records_in(&served.folder().join("audit"));
    let record = ledger
        .iter()
        .find(|record| record["action"] == "policy/promoted")
        .unwrap();
    let by = record["promotion"]["by"].as_str().unwrap();
    assert!(by.starts_with("uid:"), "{by}");
    assert_eq!(
        disagreements(served)["shadow"],
        Value::Null,
        "the trial is over"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_is_stopped_and_says_what_it_counted() {
    let served = with_history().await;
    candidate(&served, &NEW_RULES);
    let idle = served.verb(&["policy", "shadow", "stop"]);
    assert_eq!(idle.code, 1, "{}", idle.talk);
    served.verb(&["policy", "shadow", "start", "new.yaml"]);

    let stopped = served.verb(&["policy", "shadow", "stop"]);

    assert_eq!(stopped.code, 0, "{}", stopped.talk);
    assert!(
        stopped
            .out
            .ends_with("is asked no more: 0 disagreements in 0 decisions\n"),
        "{}",
        stopped.out
    );
    for (arguments, code) in [
        (&["policy", "shadow", "start", "gatewright.yaml"][..], 1),
        (&["policy", "shadow", "start", "nowhere.yaml"], 1),
        (&["policy", "shadow", "start", "new.yaml", "--for", "0s"], 2),
        (&["policy", "shadow"], 2),
    ] {
        let refused = served.verb(arguments);
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (code, ""),
            "{arguments:?} {}",
            refused.talk
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_only_a_policy_is_not_promoted() {
    let served = with_history().await;
    let before = std::fs::read_to_string(served.folder().join("gatewright.yaml")).unwrap();
    let refused = |changes: &[(&str, &str)], code: i32, told: &str| {
        candidate(&served, changes);
        let ended = served.verb(&["policy", "promote", "new.yaml"]);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (code, ""),
            "{}",
            ended.talk
        );
        assert!(ended.talk.contains(told), "{}", ended.talk);
        let now = std::fs::read_to_string(served.folder().join("gatewright.yaml")).unwrap();
        assert_eq!(now, before);
    };

    refused(
        &[("scopes: [\"crm:read\"]", "scopes: [\"crm:all\"]")],
        1,
        "servers[0].scopes[0]",
    );
    refused(&[("- search_*", "- \"[\"")], 3, "bad-pattern");
    std::fs::write(
        served.folder().join("cases.yaml"),
        "cases: [{ as: { roles: [analyst] }, tool: search_x, expect: deny }]\n",
    )
    .unwrap();
    refused(
        &[("policy:\n", "policy:\n  tests: cases.yaml\n")],
        4,
        "expected deny, got allow",
    );

    let file = served.folder().join("gatewright.yaml");
    std::fs::write(&file, format!("{before}# changed\n")).unwrap();
    let ended = served.verb(&["policy", "promote", "gatewright.yaml"]);
    assert_eq!(ended.code, 1, "{}", ended.talk);
    assert!(ended.talk.contains("reload it first"), "{}", ended.talk);
}

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

//! The sinks of `gatewright run` as an operator meets them: lines on its standard output, and what `status` says.

use std::time::Duration;

use serde_json::{Value, json};

use crate::process::Finished;
use crate::serving::Served;
use crate::support::{Setup, Upstream, eventually, lines_in, modern, write_segment};

const SOON: Duration = Duration::from_secs(20);

async fn served(sinks: &str, upstream: &Upstream) -> Served {
    let setup = Setup {
        audit: format!(", ship: [{sinks}]"),
        ..Setup::default()
    };
    write_segment(&setup.folder.path().join("audit"), 300);
    std::fs::write(setup.folder.path().join("siem.token"), "canary-token\n").unwrap();
    Served::with(setup, upstream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_go_to_standard_output_as_they_stand() {
    let upstream = Upstream::plain().await;
    let mut served = served("{ stdout: {} }", &upstream).await;
    served.agent.modern(&modern("search_x", &json!({}))).await;
    served.program.signal("TERM");
    assert!(served.program.ended().0.success());
    let lines = lines_in(&served.folder().join("audit"));
    let last = lines.last().unwrap().clone();
    assert_eq!(served.program.until(|line| line == last), lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a06_a_standard_output_that_nobody_reads_holds_nothing_up() {
    let upstream = Upstream::plain().await;
    let mut served = served("{ stdout: {} }", &upstream).await;
    served.program.stop_reading();
    for _ in 0..20 {
        let answer = served.agent.modern(&modern("search_x", &json!({}))).await;
        assert_eq!(answer.status, 200);
    }
    served.program.signal("TERM");
    let (status, took) = served.program.ended();
    assert!(
        status.success() && took < Duration::from_secs(15),
        "{status} after {took:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_shows_what_each_sink_has_not_got_yet() {
    let upstream = Upstream::plain().await;
    let sinks = "{ http: { name: siem, url: \"http://127.0.0.1:1/?key=canary-url\", token_file: siem.token } }";
    let served = served(sinks, &upstream).await;
    let shown = || served.verb(&["status", "-o", "json"]);
    let is_shown = || sink(&shown())["trouble"] == "unreachable";
    assert!(eventually(SOON, is_shown).await, "{}", shown().out);
    let sink = sink(&shown());
    assert_eq!(
        (&sink["name"], &sink["kind"]),
        (&json!("siem"), &json!("http"))
    );
    assert!(sink["waiting"].as_u64().unwrap() >= 300, "{sink}");
    assert_eq!(sink["last_success"], Value::Null);
    let log = served.program.talk();
    assert!(log.contains("audit records cannot be shipped"), "{log}");
    let config = served.verb(&["config", "show"]).out;
    for told in [log, shown().out, config, served.metrics().await] {
        assert!(!told.contains("canary"), "{told}");
    }
}

fn sink(status: &Finished) -> Value {
    let status: Value = serde_json::from_str(&status.out).unwrap();
    status["sinks"][0].clone()
}

//! `kill -9` under load, again and again: no call reached the server without a decision on record.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::program::{Program, ask, yaml};
use crate::support::ledger::ledger_in;
use crate::support::{Agent, Setup, Upstream};

/// How often it is killed.
const ROUNDS: usize = 100;
/// How many agents call at the same time.
const AGENTS: usize = 8;
/// How long the first call of a round may take, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a09_no_call_without_a_decision_on_record_however_often_the_gateway_is_killed() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let (token, folder) = (setup.analyst(), setup.folder.path());
    let calls = Arc::new(AtomicUsize::new(0));
    for round in 0..ROUNDS {
        let durability = ["os", "disk"][round % 2];
        let audit =
            format!("{{ ledger: audit, durability: {durability}, segment: {{ size: 128KiB }} }}");
        let program = Program::start(folder, &yaml(&setup, &upstream, &audit)).await;
        let agents: Vec<_> = (0..AGENTS)
            .map(|_| tokio::spawn(call_on(program.agent(&token), Arc::clone(&calls))))
            .collect();
        let before = upstream.count();
        let first = async {
            while upstream.count() == before {
                tokio::task::yield_now().await;
            }
        };
        let arrived = tokio::time::timeout(PATIENCE, first).await;
        assert!(arrived.is_ok(), "no call arrived in round {round}");
        // A moment that is never the same: between two writes, and within one.
        let moment = u64::try_from(round * 7919 % 60_000).unwrap();
        tokio::time::sleep(Duration::from_micros(moment)).await;
        program.kill();
        for agent in agents {
            agent.await.unwrap();
        }
    }
    let audit = "{ ledger: audit }";
    let program = Program::start(folder, &yaml(&setup, &upstream, audit)).await;
    assert_eq!(ask(&program.agent(&token), "the last").await, Some(200));
    assert!(program.stop().await.success());
    verify(folder);
    reconcile(&ledger_in(&[&folder.join("audit")]), &upstream);
}

/// Calls until nobody answers.
async fn call_on(agent: Agent, calls: Arc<AtomicUsize>) {
    let next = || format!("call-{}", calls.fetch_add(1, Ordering::Relaxed));
    while ask(&agent, &next()).await.is_some() {}
}

/// What a security officer would run.
fn verify(folder: &Path) {
    let verified = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .args(["audit", "verify", "--ledger", "audit"])
        .args(["--keys", "audit.pub", "--checkpoints", "audit.notes"])
        .current_dir(folder)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&verified.stdout);
    let talk = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success(), "{told}{talk}");
}

/// Every call that arrived was allowed on record, and every outcome comes after its decision.
fn reconcile(ledger: &[Value], upstream: &Upstream) {
    let mut allowed = HashSet::new();
    let mut decisions = HashSet::new();
    let mut recovered = 0;
    for record in ledger {
        match record["kind"].as_str().unwrap() {
            "decision" => {
                assert_eq!(record["decision"], "allow");
                allowed.insert(record["mcp"]["jsonrpc_id"].as_str().unwrap());
                decisions.insert(record["event_id"].as_str().unwrap());
            }
            "outcome" => {
                let decision = record["decision_id"].as_str().unwrap();
                assert!(decisions.contains(decision), "{record:#}");
            }
            _ if record["action"] == "ledger/recovered" => recovered += 1,
            _ => {}
        }
    }
    let arrived = upstream.arrived();
    assert!(
        arrived.len() > ROUNDS,
        "there was a load: {}",
        arrived.len()
    );
    for request in &arrived {
        let id = request.json()["id"].as_str().unwrap().to_owned();
        assert!(allowed.contains(&*id), "`{id}` arrived without a decision");
    }
    // A kill right after a checkpoint needs no word.
    assert!(recovered > ROUNDS / 2, "{recovered} recoveries");
}

//! Disks that fail: 503 before dispatch, nothing reaches the server, and no restart is needed afterwards.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::disk::{Disk, locked};
use crate::program::{Program, ask, ask_until, yaml};
use crate::support::ledger::ledger_in;
use crate::support::{Reply, Setup, Upstream};

/// `text` with the ledger on `disk`.
fn on(disk: &Disk, text: &str) -> String {
    let ledger = disk.path().join("audit");
    format!("{{ ledger: {}{text} }}", ledger.display())
}

fn of_kind(ledger: &[Value], kind: &str) -> usize {
    ledger
        .iter()
        .filter(|record| record["kind"] == kind)
        .count()
}

#[tokio::test]
async fn f18_a_full_disk_refuses_before_dispatch_and_one_with_room_serves_again() {
    let Some(disk) = Disk::mounted() else { return };
    for durability in ["os", "disk"] {
        let upstream = Upstream::plain().await;
        let setup = Setup::default();
        let audit = on(&disk, &format!(", durability: {durability}"));
        let yaml = yaml(&setup, &upstream, &audit);
        let program = Program::start(setup.folder.path(), &yaml).await;
        let agent = program.agent(&setup.analyst());
        assert_eq!(ask(&agent, "room").await, Some(200));

        disk.fill();
        let mut passed = 1 + ask_until(&agent, 503).await;
        assert_eq!(upstream.count(), passed, "nothing reached the upstream");
        assert_eq!(ask(&agent, "refused").await, Some(503));
        assert_eq!(upstream.count(), passed, "nothing reached the upstream");

        disk.empty();
        ask_until(&agent, 200).await;
        passed += 1;
        assert_eq!(upstream.count(), passed);
        assert!(program.stop().await.success());
    }
    let ledger = ledger_in(&[&disk.path().join("audit")]);
    assert_eq!(
        of_kind(&ledger, "outcome") % 2,
        0,
        "every call has its outcome"
    );
}

#[tokio::test]
async fn f18_a_folder_that_is_read_only_refuses_before_dispatch_and_serves_again_when_it_is_not() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let yaml = yaml(&setup, &upstream, "{ ledger: audit }");
    let program = Program::start(setup.folder.path(), &yaml).await;
    let agent = program.agent(&setup.analyst());
    assert_eq!(ask(&agent, "writable").await, Some(200));
    let folder = setup.folder.path().join("audit");
    let segment = folder.join("00000000000000000001.jsonl");
    if !locked(&segment, "+i") || !locked(&folder, "+i") {
        println!("skipped: nothing can be made read only here");
        return;
    }

    let refused = [ask(&agent, "one").await, ask(&agent, "two").await];

    assert!(locked(&folder, "-i") && locked(&segment, "-i"));
    assert_eq!(refused, [Some(503), Some(503)]);
    assert_eq!(upstream.count(), 1, "nothing reached the upstream");
    ask_until(&agent, 200).await;
    assert_eq!(upstream.count(), 2);
    assert!(program.stop().await.success());
    ledger_in(&[&folder]);
}

#[tokio::test]
async fn a06_a_write_that_does_not_return_refuses_before_dispatch_within_the_wait() {
    let Some(disk) = Disk::mounted() else { return };
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let yaml = yaml(&setup, &upstream, &on(&disk, ", wait: 300ms"));
    let program = Program::start(setup.folder.path(), &yaml).await;
    let agent = program.agent(&setup.analyst());
    assert_eq!(ask(&agent, "answers").await, Some(200));
    if !disk.freeze() {
        println!("skipped: no disk can be frozen here");
        return;
    }

    let refused = tokio::time::timeout(Duration::from_secs(20), async {
        [ask(&agent, "one").await, ask(&agent, "two").await]
    })
    .await;

    assert!(disk.thaw());
    assert_eq!(refused.unwrap(), [Some(503), Some(503)]);
    assert_eq!(upstream.count(), 1, "nothing reached the upstream");
    ask_until(&agent, 200).await;
    assert!(program.stop().await.success());
    ledger_in(&[&disk.path().join("audit")]);
}

#[tokio::test]
async fn a05_a_record_that_spills_is_one_chain_over_two_disks() {
    let Some(disk) = Disk::mounted() else { return };
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let audit = on(&disk, ", on_failure: spill, spill: spill");
    let program = Program::start(setup.folder.path(), &yaml(&setup, &upstream, &audit)).await;
    let agent = program.agent(&setup.analyst());
    let mut calls = 0;
    let spill = setup.folder.path().join("spill");
    let segments = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .filter(|entry| {
                let path = entry.as_ref().unwrap().path();
                path.extension().is_some_and(|end| end == "jsonl")
            })
            .count()
    };
    disk.fill();
    while segments(&spill) == 0 {
        assert_eq!(ask(&agent, "spills").await, Some(200));
        calls += 1;
    }
    disk.empty();
    while segments(&disk.path().join("audit")) < 2 {
        assert_eq!(ask(&agent, "returns").await, Some(200));
        calls += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(program.stop().await.success());
    assert_eq!(upstream.count(), calls);
    let ledger = ledger_in(&[&disk.path().join("audit"), &spill]);
    assert_eq!(of_kind(&ledger, "decision"), calls);
    assert_eq!(of_kind(&ledger, "outcome"), calls);
}

/// Whether the decision was on the disk itself when its request arrived.
async fn on_disk_at_arrival(durability: &str) -> Option<bool> {
    let disk = Arc::new(Disk::mounted()?);
    let (seen, seeing) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(&disk));
    let found = Arc::clone(&seen);
    let upstream = Upstream::start(move |arrived| {
        let id = arrived.json()["id"].clone();
        let text = format!("\"jsonrpc_id\":{id}");
        found.lock().unwrap().push(seeing.holds(&text));
        Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [] } }))
    })
    .await;
    let setup = Setup::default();
    let audit = on(&disk, &format!(", durability: {durability}"));
    let program = Program::start(setup.folder.path(), &yaml(&setup, &upstream, &audit)).await;
    let agent = program.agent(&setup.analyst());
    for round in 0..5 {
        assert_eq!(ask(&agent, &format!("power-cut-{round}")).await, Some(200));
    }
    assert!(program.stop().await.success());
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    Some(seen[0])
}

#[tokio::test]
async fn a09_with_disk_a_decision_survives_a_power_cut_and_with_os_it_may_not() {
    let Some(with_disk) = on_disk_at_arrival("disk").await else {
        return;
    };
    assert!(with_disk, "on the disk before it left");
    assert_eq!(on_disk_at_arrival("os").await, Some(false));
}

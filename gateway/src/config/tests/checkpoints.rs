//! `audit.checkpoint`: what holds without it, what each key does, and what is refused.

use std::time::Duration;

use super::{SMALLEST, loaded, only, plus};
use crate::audit::settings::CheckpointSettings;

#[test]
fn an_absent_checkpoint_has_its_files_beside_the_ledger() {
    let settings = loaded(SMALLEST);
    let checkpoint = CheckpointSettings {
        every: 1000,
        interval: Duration::from_secs(60),
        origin: None,
        key_file: "audit.key".into(),
        public_file: "audit.pub".into(),
        copy: "audit.notes".into(),
    };
    assert_eq!(settings.audit.checkpoint, Some(checkpoint));
}

#[test]
fn every_key_of_checkpoints_has_its_effect() {
    let settings = loaded(&plus(
        "audit: { ledger: /var/lib/ledger, checkpoint: { every: 5, interval: 2s, origin: gw/1,
  key_file: /etc/ledger.key, copy: /mnt/notes } }",
    ));
    let checkpoint = CheckpointSettings {
        every: 5,
        interval: Duration::from_secs(2),
        origin: Some("gw/1".to_owned()),
        key_file: "/etc/ledger.key".into(),
        public_file: "/var/lib/ledger.pub".into(),
        copy: "/mnt/notes".into(),
    };
    assert_eq!(settings.audit.checkpoint, Some(checkpoint));
}

#[test]
fn inside_ledger() {
    for key in ["key_file", "copy"] {
        let help = "write a path outside `audit.ledger`, best one that only the gateway can write";
        only(
            &plus(&format!("audit: {{ checkpoint: {{ {key}: audit/file }} }}")),
            &format!("inside-ledger 7:{} [audit/file] {help}", key.len() + 26),
        );
        loaded(&plus(&format!(
            "audit: {{ checkpoint: {{ {key}: audit.d/file }} }}"
        )));
    }
}

#[test]
fn bad_ledger_name() {
    let help = "write up to 128 visible ASCII characters without spaces and without `+`";
    for name in ["a b", "a+b", "\u{e9}"] {
        only(
            &plus(&format!("audit: {{ checkpoint: {{ origin: {name} }} }}")),
            &format!("bad-ledger-name 7:32 [{name}] {help}"),
        );
    }
    loaded(&plus("audit: { checkpoint: { origin: gatewright/a } }"));
}

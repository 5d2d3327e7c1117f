//! `dpop`: what it becomes, and a key for nonces that is none.

use std::time::Duration;

use super::{Settings, loaded, plus};
use crate::config::load::parse;
use crate::identity::settings::{DpopSettings, NonceMode};

/// The smallest file with this `dpop`, beside a file `nonce.key` with this text.
fn read(dpop: &str, key: &str) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("nonce.key"), key).unwrap();
    let file = folder.path().join("gatewright.yaml");
    parse(&plus(&format!("dpop: {{ {dpop} }}")), &file, &|_| None)
        .map_err(|mistakes| mistakes.to_string())
}

#[test]
fn without_the_key_proofs_need_no_nonce_and_may_be_five_minutes_old() {
    let expected = DpopSettings {
        nonce: NonceMode::Off,
        window: Duration::from_secs(300),
        nonce_key: None,
    };
    assert_eq!(loaded(&plus("")).dpop, expected);
}

#[test]
fn d10a_a_key_for_nonces_has_32_characters_at_least() {
    let keyed = "nonce: required, nonce_key_file: nonce.key, window: 1m";
    let settings = read(keyed, &format!("{}\n", "k".repeat(32))).unwrap().dpop;
    assert_eq!(settings.nonce, NonceMode::Required);
    assert_eq!(settings.window, Duration::from_secs(60));
    assert_eq!(*settings.nonce_key.unwrap().expose(), "k".repeat(32));

    let weak = "secret-".repeat(4);
    let mistakes = read(keyed, &format!("{weak}\n")).unwrap_err();
    assert!(mistakes.contains("weak-secret"), "{mistakes}");
    assert!(!mistakes.contains("secret-secret"), "{mistakes}");
    let empty = read(keyed, "\n").unwrap_err();
    assert!(empty.contains("bad-secret"), "{empty}");
}

#[test]
fn a_key_for_nonces_that_nobody_makes_is_a_mistake() {
    let unused = read("nonce_key_file: nonce.key", &"k".repeat(32)).unwrap_err();
    assert!(unused.contains("no-effect"), "{unused}");
}

#[test]
fn d11_a_window_is_a_second_to_ten_minutes() {
    for good in ["1s", "10m"] {
        assert!(read(&format!("window: {good}"), "").is_ok(), "{good}");
    }
    for bad in ["0s", "11m", "999ms"] {
        let mistakes = read(&format!("window: {bad}"), "").unwrap_err();
        assert!(mistakes.contains("out-of-range"), "{mistakes}");
    }
}

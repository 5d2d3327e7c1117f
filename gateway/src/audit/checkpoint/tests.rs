//! Checkpoints as the signer makes them, read by the verifier's own eyes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::Signer;
use crate::audit::keys::KeyError;
use crate::audit::sealing::{Head, Occasion};
use crate::audit::settings::CheckpointSettings;
use crate::audit::verify::VerifyingKey;
use crate::audit::verify::note::{Keyring, Note};
use crate::model::{Digest, UnixTime};

const NOON: UnixTime = UnixTime::from_seconds(1_700_000_000);

fn settings(folder: &Path) -> CheckpointSettings {
    CheckpointSettings {
        every: 10,
        origin: Some("gatewright/test".to_owned()),
        ..CheckpointSettings::beside(&folder.join("audit"))
    }
}

fn head(seq: u64) -> Head {
    Head {
        seq,
        hash: Digest::of(&seq.to_be_bytes()),
    }
}

fn passing(signer: &mut Signer, seq: u64, now: UnixTime) -> Option<String> {
    let note = signer.seal(head(seq), now, Occasion::Passing);
    note.map(|note| note.0)
}

fn keys(settings: &CheckpointSettings) -> Vec<VerifyingKey> {
    VerifyingKey::parse_all(&fs::read_to_string(&settings.public_file).unwrap()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_checkpoint_says_what_the_chain_was_and_the_public_key_verifies_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut signer = Signer::open(&settings).unwrap();
    let text = passing(&mut signer, 7, NOON).expect("the first is always due");
    assert!(text.starts_with("gatewright/test\n7\n"), "{text}");
    let note = Note::parse(&text).unwrap();
    assert_eq!((note.size, note.head), (7, head(7).hash));
    assert_eq!(note.time.as_deref(), Some("2023-11-14T22:13:20.000Z"));
    assert!(Keyring::new(keys(&settings)).advance(&note).is_ok());
    assert_eq!(
        fs::read_to_string(&settings.copy).unwrap(),
        format!("{text}\n")
    );
    assert_eq!(signer.checkpoints().last(), Some(NOON));
}

#[test]
fn a11_the_key_is_outside_the_ledger_and_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    Signer::open(&settings).unwrap();
    assert_eq!(mode(&settings.key_file), 0o400);
    assert!(!settings.key_file.starts_with(folder.path().join("audit")));
    fs::set_permissions(&settings.key_file, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = Signer::open(&settings).unwrap_err();
    assert!(matches!(refused, KeyError::Exposed { .. }), "{refused}");
}

#[test]
fn a_checkpoint_is_due_after_so_many_records_or_so_long_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut signer = Signer::open(&settings(folder.path())).unwrap();
    passing(&mut signer, 5, NOON).unwrap();
    // Record 6 is the one with the checkpoint.
    let later = NOON.plus(Duration::from_secs(59));
    assert_eq!(
        passing(&mut signer, 15, later),
        None,
        "nine records are not ten"
    );
    assert!(passing(&mut signer, 16, later).is_some(), "ten are");
    let latest = later.plus(Duration::from_secs(60));
    assert_eq!(
        passing(&mut signer, 17, latest),
        None,
        "there is nothing new"
    );
    assert!(
        passing(&mut signer, 18, latest).is_some(),
        "there is, a minute later"
    );
    assert_eq!(passing(&mut signer, 20, latest), None);
    assert!(signer.seal(head(20), latest, Occasion::End).is_some());
}

#[test]
fn an_end_that_is_asked_for_again_is_one_in_the_second_place() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut signer = Signer::open(&settings).unwrap();
    let first = signer.seal(head(5), NOON, Occasion::End).unwrap();
    let later = NOON.plus(Duration::from_secs(1));
    assert_eq!(signer.seal(head(5), later, Occasion::End).unwrap(), first);
    assert_eq!(
        fs::read_to_string(&settings.copy).unwrap(),
        format!("{}\n", first.0)
    );
    assert_ne!(signer.seal(head(6), later, Occasion::End).unwrap(), first);
}

#[test]
fn a_second_place_that_was_moved_away_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut signer = Signer::open(&settings).unwrap();
    passing(&mut signer, 1, NOON).unwrap();
    fs::rename(&settings.copy, folder.path().join("moved")).unwrap();
    let second = signer.seal(head(3), NOON, Occasion::End).unwrap();
    assert_eq!(
        fs::read_to_string(&settings.copy).unwrap(),
        format!("{}\n", second.0)
    );
}

#[test]
fn a_deletion_is_named_under_the_signature() {
    let folder = tempfile::tempdir().unwrap();
    let mut signer = Signer::open(&settings(folder.path())).unwrap();
    let occasion = Occasion::Deletion { first: 1, last: 4 };
    let note = signer.seal(head(9), NOON, occasion).unwrap();
    assert_eq!(Note::parse(&note.0).unwrap().deleted, Some((1, 4)));
}

#[test]
fn a_ledger_without_records_has_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let mut signer = Signer::open(&settings(folder.path())).unwrap();
    assert_eq!(passing(&mut signer, 0, NOON), None);
    assert_eq!(signer.seal(head(0), NOON, Occasion::End), None);
}

#[test]
fn the_key_stays_over_restarts_and_without_an_origin_it_keeps_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let unnamed = CheckpointSettings {
        origin: None,
        ..settings(folder.path())
    };
    let first = passing(&mut Signer::open(&unnamed).unwrap(), 1, NOON).unwrap();
    let second = passing(&mut Signer::open(&unnamed).unwrap(), 1, NOON).unwrap();
    assert_eq!(first, second, "Ed25519 is deterministic");
    assert!(first.starts_with("gatewright/"), "{first}");
    let renamed = Signer::open(&settings(folder.path())).unwrap_err();
    assert!(matches!(renamed, KeyError::Name { .. }), "{renamed}");
}

#[test]
fn a_key_that_is_gone_or_exchanged_is_not_replaced_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    Signer::open(&settings).unwrap();
    fs::remove_file(&settings.key_file).unwrap();
    let lost = Signer::open(&settings).unwrap_err();
    assert!(matches!(lost, KeyError::Lost { .. }), "{lost}");
    let elsewhere = tempfile::tempdir().unwrap();
    let other = self::settings(elsewhere.path());
    Signer::open(&other).unwrap();
    fs::copy(&other.key_file, &settings.key_file).unwrap();
    let unknown = Signer::open(&settings).unwrap_err();
    assert!(matches!(unknown, KeyError::Unknown { .. }), "{unknown}");
}

#[test]
fn what_is_no_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    for text in ["", "secret", "PRIVATE+KEY+a+00000000+AQ=="] {
        fs::write(&settings.key_file, text).unwrap();
        fs::set_permissions(&settings.key_file, fs::Permissions::from_mode(0o400)).unwrap();
        let refused = Signer::open(&settings).unwrap_err();
        assert!(matches!(refused, KeyError::Malformed { .. }), "{refused}");
        fs::remove_file(&settings.key_file).unwrap();
    }
}

#[test]
fn a23_the_old_key_signs_the_new_one_and_the_new_one_alone_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut signer = Signer::open(&settings).unwrap();
    let old = keys(&settings);
    let first = passing(&mut signer, 1, NOON).unwrap();
    let mut asked = signer.checkpoints().rotate();
    let announced = passing(&mut signer, 3, NOON).expect("a rotation is always due");
    let before = fs::read_to_string(&settings.key_file).unwrap();
    assert!(
        asked.try_recv().is_err(),
        "nothing is sure before the ledger has it"
    );
    signer.kept();
    let public = asked.try_recv().unwrap().unwrap();
    assert_eq!(passing(&mut signer, 4, NOON), None);
    let after = fs::read_to_string(&settings.key_file).unwrap();
    assert_ne!(
        before, after,
        "the key file is replaced once the ledger has the note"
    );
    assert_eq!(mode(&settings.key_file), 0o400);
    let last = signer.seal(head(5), NOON, Occasion::End).unwrap().0;
    assert!(
        fs::read_to_string(&settings.public_file)
            .unwrap()
            .contains(&public)
    );
    // Who kept the first key alone can follow.
    let mut keyring = Keyring::new(old);
    let used: Vec<_> = [first, announced, last]
        .iter()
        .map(|text| keyring.advance(&Note::parse(text).unwrap()).unwrap())
        .collect();
    assert_eq!(used[0], used[1]);
    assert_ne!(used[1], used[2]);
}

#[test]
fn a23_a_rotation_that_a_crash_cut_short_is_announced_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut signer = Signer::open(&settings).unwrap();
    let mut keyring = Keyring::new(keys(&settings));
    let asked = signer.checkpoints().rotate();
    let announced = passing(&mut signer, 1, NOON).unwrap();
    drop(asked);
    drop(signer);
    let mut signer = Signer::open(&settings).unwrap();
    let untaken = passing(&mut signer, 3, NOON).expect("at once");
    let again = passing(&mut signer, 3, NOON).expect("the ledger did not take it");
    assert_eq!(untaken, again);
    signer.kept();
    drop(signer);
    let last = passing(&mut Signer::open(&settings).unwrap(), 5, NOON).unwrap();
    for text in [announced, again, last] {
        keyring.advance(&Note::parse(&text).unwrap()).unwrap();
    }
    assert_eq!(keys(&settings).len(), 2, "one successor, and not two");
}

#[test]
fn a_rotation_that_nobody_waits_for_does_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut signer = Signer::open(&settings).unwrap();
    drop(signer.checkpoints().rotate());
    passing(&mut signer, 1, NOON).unwrap();
    assert_eq!(keys(&settings).len(), 1);
}

#[test]
fn a_second_place_that_cannot_be_written_for_a_while_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let settings = CheckpointSettings {
        copy: folder.path().join("missing/notes"),
        ..settings(folder.path())
    };
    let mut signer = Signer::open(&settings).unwrap();
    let first = passing(&mut signer, 1, NOON).unwrap();
    assert_eq!(signer.checkpoints().last(), None, "it is in one place only");
    fs::create_dir(folder.path().join("missing")).unwrap();
    assert_eq!(passing(&mut signer, 3, NOON), None);
    assert_eq!(
        fs::read_to_string(&settings.copy).unwrap(),
        format!("{first}\n")
    );
    assert_eq!(signer.checkpoints().last(), Some(NOON));
}

#[test]
fn half_a_note_in_the_second_place_is_cut_off_and_a_file_of_others_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let first = passing(&mut Signer::open(&settings).unwrap(), 1, NOON).unwrap();
    for torn in ["gatew", "gatewright/test\n3\nAAAA\ntime x\n\n\u{2014} gate"] {
        fs::write(&settings.copy, format!("{first}\n{torn}")).unwrap();
        let second = passing(&mut Signer::open(&settings).unwrap(), 3, NOON).unwrap();
        let both = fs::read_to_string(&settings.copy).unwrap();
        assert_eq!(both, format!("{first}\n{second}\n"));
    }
    fs::write(&settings.copy, "my diary").unwrap();
    let mut signer = Signer::open(&settings).unwrap();
    passing(&mut signer, 5, NOON).unwrap();
    assert_eq!(signer.checkpoints().last(), None);
    assert_eq!(fs::read_to_string(&settings.copy).unwrap(), "my diary");
}

//! What `audit` says about the contents of records: every key's effect, and every mistake with what is accepted.

use std::time::Duration;

use super::{loaded, only, plus};
use crate::config::{AnomalySettings, ArgumentsRecord, Subjects};
use crate::mcp::arguments::Pointer;
use crate::model::UnixTime;

fn audit(keys: &str) -> String {
    plus(&format!("audit: {{ {keys} }}"))
}

#[test]
fn absent_keys_have_their_defaults() {
    let settings = loaded(&audit("queue: 1MiB"));
    let recording = settings.recording;
    assert_eq!(recording.arguments, ArgumentsRecord::Digest);
    assert_eq!(recording.digest_key, None);
    assert_eq!(recording.model.meta.as_deref(), Some("gatewright/model"));
    assert_eq!(recording.model.header, None);
    assert_eq!(recording.subjects, Subjects::Plain);
    assert_eq!(recording.anomalies, AnomalySettings::default());
}

#[test]
fn every_key_has_its_effect() {
    let settings = loaded(&audit(
        "arguments: fields, fields: { crm: { refund: [/amount, /a~1b] } }, subjects: sealed, \
         model: { claim: m, meta: acme/model, header: X-Model }, \
         hours: { days: [sun], from: \"22:00\", to: \"06:30\", zone: UTC }, \
         anomalies: { learning: 1h, window: 2m, denials: 0, expired: 1, calls: 2, factor: 3, quiet: 4m, principals: 5 }",
    ));
    assert_eq!(settings.issuers[0].model_claim.as_deref(), Some("m"));
    let recording = settings.recording;
    let ArgumentsRecord::Fields(listed) = recording.arguments else {
        panic!("fields are kept");
    };
    let pointers = ["/amount", "/a~1b"];
    let pointers = pointers.map(|text| (text.into(), Pointer::parse(text).unwrap()));
    assert_eq!(listed["crm"]["refund"], pointers);
    assert_eq!(recording.model.meta.as_deref(), Some("acme/model"));
    assert_eq!(recording.model.header.unwrap(), "x-model");
    assert_eq!(recording.subjects, Subjects::Sealed);
    let anomalies = recording.anomalies;
    // Sunday, 2026-11-22, 23:00, and the Saturday before it.
    let sunday = UnixTime::from_seconds(1_795_388_400);
    let hours = anomalies.hours.clone().unwrap();
    assert!(hours.contain(sunday) && hours.contain(sunday.plus(Duration::from_secs(7 * 3600))));
    assert!(!hours.contain(UnixTime::from_seconds(1_795_388_400 - 86_400)));
    let expected = AnomalySettings {
        learning: Duration::from_secs(3600),
        window: Duration::from_secs(120),
        denials: 0,
        expired: 1,
        calls: 2,
        factor: 3,
        quiet: Duration::from_secs(240),
        principals: 5,
        hours: Some(hours),
    };
    assert_eq!(anomalies, expected);
}

#[test]
fn an_issuer_s_own_claim_and_off_come_first() {
    let text = audit("model: { claim: off, meta: off }");
    let settings = loaded(&text);
    assert_eq!(settings.issuers[0].model_claim, None);
    assert_eq!(settings.recording.model.meta, None);
}

#[test]
fn fields_and_their_mode_come_together() {
    only(
        &audit("arguments: fields"),
        "missing-key 7:21 [fields] add `fields: { crm: { refund: [/amount] } }`, or write `arguments: digest`",
    );
    only(
        &audit("fields: { crm: { a: [/b] } }"),
        "no-effect 7:18 [{] write `arguments: fields`, or remove `fields`",
    );
    only(
        &audit("arguments: fields, fields: { crm: { a: [b] } }"),
        "bad-pointer 7:50 [b] write the path to one value, like `/amount` or `/lines/0/price` (RFC 6901)",
    );
    only(
        &audit("arguments: fields, fields: { hr: { a: [/b] } }"),
        "unknown-server 7:39 [hr] known here: `crm`",
    );
}

#[test]
fn a_place_of_the_model_must_be_one_that_can_hold_it() {
    only(
        &audit("model: { header: \"a b\" }"),
        "bad-header 7:27 [\"a b\"] write a name like `X-Agent-Model`",
    );
    only(
        &audit("model: { header: Authorization }"),
        "bad-header 7:27 [Authorization] write a header that agents send for this alone, like `X-Agent-Model`",
    );
    only(
        &audit("model: { meta: gatewright/other }"),
        "bad-meta-key 7:25 [gatewright/other] write `gatewright/model`, or a key of your own",
    );
}

#[test]
fn hours_are_days_times_and_a_zone() {
    let hours = |days: &str, from: &str, zone: &str| {
        audit(&format!(
            "hours: {{ days: [{days}], from: \"{from}\", to: \"18:00\", zone: {zone} }}"
        ))
    };
    loaded(&hours("mon, sun", "08:30", "UTC"));
    only(
        &hours("monday", "08:30", "UTC"),
        "unknown-value 7:26 [monday] known here: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`",
    );
    only(
        &hours("mon", "8 am", "UTC"),
        "bad-time 7:38 [\"8 am\"] write hours and minutes in quotes, like `\"08:30\"`",
    );
    only(
        &hours("mon", "08:30", "Mars/Olympus"),
        "unknown-time-zone 7:66 [Mars/Olympus] write `UTC` or a name like `Europe/Berlin`",
    );
}

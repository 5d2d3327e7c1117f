//! Messages of any bytes under any headers, against the oracle of `tests/oracle`. Never holds logic of its own.

#![no_main]

#[path = "../../tests/oracle/heads.rs"]
mod heads;
#[path = "../../tests/oracle/json.rs"]
mod json;
#[path = "../../tests/oracle/judge.rs"]
mod judge;
#[path = "../../tests/oracle/model.rs"]
mod model;
#[path = "../../tests/oracle/readers.rs"]
mod readers;
#[path = "../../tests/oracle/rules.rs"]
mod rules;
#[path = "../../tests/oracle/subject.rs"]
mod subject;

use std::sync::LazyLock;

use gatewright_policies::PolicySet;
use libfuzzer_sys::fuzz_target;

static TABLE: LazyLock<PolicySet> = LazyLock::new(subject::table);

fuzz_target!(|bytes: &[u8]| {
    judge::input(bytes, &TABLE);
});

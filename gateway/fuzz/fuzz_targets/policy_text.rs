//! Conditions and files of policies of any text. Never holds logic of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    gatewright_policies::fuzzing::policy_text(text);
});

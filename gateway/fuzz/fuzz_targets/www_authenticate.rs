//! Challenges of any configuration. Never holds logic of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    gatewright::proxy::fuzzing::www_authenticate(bytes);
});

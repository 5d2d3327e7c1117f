//! Answers to lists of any bytes. Never holds logic of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    gatewright::mcp::fuzzing::listing(bytes);
});

//! Event streams of any bytes, cut anywhere. Never holds logic of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    gatewright::mcp::fuzzing::sse(bytes);
});

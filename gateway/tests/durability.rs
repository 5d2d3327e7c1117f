//! What of the record survives: `kill -9` under load, and disks that are full, read only, or do not answer.

#![cfg(test)]
#![cfg(feature = "server")]

#[path = "durability/crashes.rs"]
mod crashes;
#[path = "durability/disk.rs"]
mod disk;
#[path = "durability/failures.rs"]
mod failures;
#[path = "durability/program.rs"]
mod program;
#[path = "served/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "the tests over sockets need more of it"
)]
mod support;

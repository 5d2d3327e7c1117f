//! Pins in memory and on the disk.

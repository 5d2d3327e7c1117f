//! What proves the record, row by row. Only text.

/// A.
pub(super) const ROWS: &[(&str, &str)] = &[
    (
        "A10",
        "a record that is edited, deleted, inserted or moved breaks the chain; an end that is cut off and an old copy disagree with signed checkpoints elsewhere",
    ),
    (
        "A11",
        "the key is outside the ledger, mode 0400, and refused when others can read it",
    ),
    (
        "A12",
        "the verifier is other code than the writer, checks every link and every signature, and takes no note that can be read in two ways",
    ),
    (
        "A13",
        "a checkpoint that somebody else was given must fit the ledger",
    ),
    (
        "A16",
        "segments name their first record and are chained; a missing, renamed or exchanged one shows, and readers follow from one to the next",
    ),
    (
        "A21",
        "the order is that of numbers and hashes; a clock that goes back is told and is no fault",
    ),
    (
        "A22",
        "what others wrote is spelled out on a terminal, so that it neither steers, hides nor reorders",
    ),
    (
        "A23",
        "the old key signs the new one; an unknown, unannounced or retired key signs nothing",
    ),
    (
        "A24",
        "`gatewright audit verify` ends with 1 on any fault, for timers and CI",
    ),
];

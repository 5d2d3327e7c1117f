//! The record, row by row. Only text.

/// A.
pub(super) const ROWS: &[(&str, &str)] = &[
    (
        "A01",
        "whatever is sent, a record is one line of printable ASCII; long text is cut and marked",
    ),
    (
        "A02",
        "a value that looks like a record or a checkpoint stays a string",
    ),
    (
        "A03",
        "no token, proof, cookie, key, session, argument or result is in ledger, log, metrics or answers to operators; digests of arguments need a key",
    ),
    (
        "A04",
        "values of arguments are kept where they are listed by server, tool and pointer, and nowhere else; results never",
    ),
    (
        "A05",
        "a disk that takes no record refuses calls before they are sent on, or, where it is configured and for a bounded time, spills or continues and says so; a sink that is down holds nothing up",
    ),
    (
        "A06",
        "a write that does not return refuses within `audit.wait`; a sink that hangs slows no other",
    ),
    (
        "A07",
        "a writer that is gone refuses everything and is not ready",
    ),
    (
        "A08",
        "what the server saw and what is on record agree one to one",
    ),
    (
        "A09",
        "a crash at any byte leaves whole records, a torn end is set aside and said, and no call is without its decision",
    ),
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
        "A14",
        "numbers are gapless in the order of the file, over restarts; time is information",
    ),
    (
        "A15",
        "a directory has one gateway; each start has a segment of its own in the chain",
    ),
    (
        "A16",
        "segments name their first record and are chained; a missing, renamed or exchanged one shows, and readers follow from one to the next",
    ),
    (
        "A17",
        "persons have pseudonyms, and erasing one leaves the records as they are",
    ),
    ("A18", "records share writes; a full queue refuses at once"),
    (
        "A19",
        "strangers fill an eighth of the queue, and the rest of them is counted",
    ),
    (
        "A20",
        "what a client says of itself is marked as its own word; addresses are those of connections",
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

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
        "A17",
        "persons have pseudonyms, and erasing one leaves the records as they are",
    ),
    (
        "A20",
        "what a client says of itself is marked as its own word; addresses are those of connections",
    ),
];

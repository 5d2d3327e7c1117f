//! Policies and those who write them, row by row. Only text.

/// Z.
pub(super) const ROWS: &[(&str, &str)] = &[
    (
        "Z01",
        "patterns are anchored and exact about case; `policy lint` shows what each matches today, and those that match everything, nothing or nothing new",
    ),
    (
        "Z02",
        "what is empty or absent allows nothing; a folder of policies or tests without any is a mistake",
    ),
    ("Z03", "what one policy forbids no other role allows"),
    ("Z04", "scopes are compared whole and exact about case"),
    (
        "Z05",
        "a roles claim that users can edit is a mistake, and a condition on one a warning",
    ),
    (
        "Z06",
        "a policy that cannot be read or does not type-check is not loaded; what cannot be evaluated allows nothing and still forbids",
    ),
    (
        "Z07",
        "the bytes that are decided about are the bytes that go to the server",
    ),
];

//! The table of attacks on identity, and which test holds which row. The tests are found by their names: a test whose
//! name starts with `j12_` holds row J12. `GATEWRIGHT_WRITE=1` writes the document anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{read, root};

/// Every row, with what the gateway does about it.
const ROWS: &[(&str, &str)] = &[
    (
        "J01",
        "an unsigned token (`alg: none` in any spelling, no signature) is refused",
    ),
    (
        "J02",
        "a token whose MAC was made with the public key is refused: symmetric algorithms and keys are never taken",
    ),
    (
        "J03",
        "a good signature under an algorithm that the issuer's list lacks is refused",
    ),
    (
        "J04",
        "a key of another type, curve or `alg` than the header names is not used",
    ),
    (
        "J05",
        "a key that is not meant to verify signatures is not used",
    ),
    (
        "J06",
        "RSA keys under 2048 or over 8192 bits, or with a bad exponent, are not used",
    ),
    (
        "J07",
        "points off the curve and signatures of zeros, of other lengths or encodings are refused",
    ),
    ("J08", "a key inside the token is not looked at"),
    ("J09", "no URL inside a token is ever asked"),
    (
        "J10",
        "`kid` is compared and never used as a path, a query or a label",
    ),
    ("J11", "without `kid` exactly one key must fit"),
    ("J12", "the key that `kid` names is tried, and no other"),
    (
        "J13",
        "a key set in which one name means two keys is not taken",
    ),
    ("J14", "a key proves tokens of its own issuer alone"),
    ("J15", "`iss` must be a string"),
    ("J16", "`iss` is compared byte for byte"),
    (
        "J17",
        "an issuer with a placeholder in its URL is a configuration mistake",
    ),
    ("J18", "`aud` must be there, as a string or strings"),
    ("J19", "`aud` is compared byte for byte"),
    (
        "J20",
        "further audiences are taken, unless `single_audience` is set",
    ),
    ("J21", "a token for the server next door is refused"),
    (
        "J22",
        "another spelling of the resource is another resource",
    ),
    (
        "J23",
        "an ID token is refused, also where `typ: JWT` is taken",
    ),
    ("J24", "other kinds of JWT of the same issuer are refused"),
    (
        "J25",
        "`typ` is compared as a media type, and nothing may stand behind it",
    ),
    ("J26", "`exp` must be a time"),
    ("J27", "30 seconds after `exp` the token has ended"),
    (
        "J28",
        "a token that lives longer than `max_token_lifetime` is refused",
    ),
    ("J29", "a token from the future is refused"),
    (
        "J30",
        "a claim of RFC 9068 that is missing is a refusal, unless the profile is lenient",
    ),
    ("J31", "a header with `crit` or `b64` is refused"),
    (
        "J32",
        "encrypted, nested and compressed tokens are refused unread",
    ),
    ("J33", "JSON serialisations and empty payloads are refused"),
    (
        "J34",
        "a token is three parts; a flood of dots is counted and not split",
    ),
    ("J35", "a token over `limits.token` is refused unread"),
    (
        "J36",
        "a token has one spelling: no padding, no blanks, no unused bits",
    ),
    (
        "J37",
        "a member that is named twice at any depth is a refusal",
    ),
    (
        "J38",
        "a part that is not one JSON object in UTF-8 is a refusal",
    ),
    ("J39", "roles and scopes of another shape are none"),
    (
        "J40",
        "a subject is its issuer's: roles, sessions and grants go by both",
    ),
    (
        "J41",
        "a flood of unknown key names causes one fetch per cooldown",
    ),
    ("J42", "a flood of unknown issuers causes no fetch"),
    (
        "J43",
        "a new key is found, a removed one is forgotten, a changed one is fetched",
    ),
    ("J44", "keys outlive an outage of their issuer for a day"),
    ("J45", "without any keys the answer is 503, not 401"),
    (
        "J46",
        "a key set that is garbage, empty or too large leaves the last good one",
    ),
    (
        "J47",
        "a slow issuer is given up after 5 seconds, and not everybody waits",
    ),
    (
        "J48",
        "metadata cannot send the gateway to a private address",
    ),
    ("J49", "metadata of another issuer is refused"),
    ("J50", "an issuer with a bad certificate is an outage"),
    ("J51", "a token in the query is refused and never logged"),
    ("J52", "a token in two places is refused"),
    ("J53", "two credentials are refused"),
    ("J54", "a scheme has no case and one space behind it"),
    ("J55", "a token elsewhere is no token, and goes no further"),
    (
        "J56",
        "what is remembered of a token belongs to its server and configuration, and ends with its time and keys",
    ),
    (
        "J57",
        "an opaque token is refused unless its issuer can be asked about it",
    ),
    ("J58", "nothing that a client sends stands in a challenge"),
    (
        "J59",
        "one sentence says that a token is invalid, whatever is wrong with it",
    ),
    (
        "J60",
        "failed attempts are limited before signatures are checked",
    ),
    ("D01", "more than one `DPoP` header is refused"),
    ("D02", "a proof is one JWT"),
    ("D03", "a proof has all its claims, of their types"),
    ("D04", "a proof says that it is one: `typ: dpop+jwt`"),
    (
        "D05",
        "a proof is signed with an algorithm of the list, fitting its key",
    ),
    ("D06", "a proof is signed by the key in its header"),
    (
        "D07",
        "a private or symmetric key in a proof is refused and never logged",
    ),
    ("D08", "a proof is for one method"),
    ("D09", "a proof is for one URL"),
    ("D09A", "two spellings of one URL are one"),
    (
        "D09B",
        "a proof's URL has neither query nor fragment; the request's query does not matter",
    ),
    (
        "D09C",
        "the URL is the configured one, whatever headers say",
    ),
    (
        "D10",
        "a nonce that is wanted and missing, old or foreign is answered with a new one",
    ),
    (
        "D10A",
        "nonces are made with a key over a span of time, and replicas may share it",
    ),
    ("D11", "a proof is new: `iat` within the window"),
    ("D12", "a proof names its token by digest"),
    ("D12A", "a proof is by the key that the token is bound to"),
    ("D13", "a proof is used once"),
    ("D14", "replicas that share state share what was used"),
    ("D15", "a proof from before a restart is refused"),
    (
        "D16",
        "without the state that remembers proofs the answer is 503",
    ),
    (
        "D17",
        "only good proofs are remembered, as digests, per key and bounded",
    ),
    ("D18", "a bound token is no bearer token"),
    ("D19", "a token that is not bound is no DPoP token"),
    ("D20", "the DPoP scheme without a proof is refused"),
    ("D21", "a confirmation that is not known is a refusal"),
    ("D22", "a token with two bindings needs both"),
    (
        "D23",
        "a thumbprint is over the members that matter, each in its one spelling",
    ),
    ("D24", "neither token nor proof goes to the upstream"),
    ("D25", "nothing is ever redirected"),
    ("D26", "a browser may read challenge and nonce"),
    ("D27", "the error stands with the scheme that was used"),
    ("D28", "a stream that a proof opened ends with its token"),
    ("D29", "a nonce keeps proofs from being made ahead"),
    (
        "M01",
        "a certificate-bound token without a certificate is refused",
    ),
    (
        "M02",
        "a certificate-bound token with another certificate is refused",
    ),
    ("M03", "a thumbprint has one spelling"),
    ("M04", "`Client-Cert` from an agent is not believed"),
    (
        "M05",
        "other headers with certificates are never believed and never passed on",
    ),
    (
        "M06",
        "`Client-Cert` from a listed proxy is one well-formed certificate, or none",
    ),
    (
        "M07",
        "the proxy's own certificate does not stand for its agents'",
    ),
    (
        "M08",
        "no TLS session outlives the certificates it was made with",
    ),
    (
        "M09",
        "a request for another host than the connection was made for is refused",
    ),
    ("M10", "each request of a connection is checked alone"),
    ("M12", "certificates are renewed without dropping streams"),
    (
        "X11",
        "a stream ends with its token, and so does a call unless the configuration lets it finish",
    ),
    (
        "P09",
        "a flood of requests without a token is limited per source",
    ),
];

/// Rows that no test can hold, and why.
const UNTESTED: &[(&str, &str)] = &[
    (
        "D30",
        "A proof does not cover the body: TLS does. Agents on other machines are served over TLS alone, unless `insecure.plain_public_listener` is set.",
    ),
    (
        "M11",
        "Revocation lists are not read. Certificates of agents are best short-lived; a token that is bound to one ends with its own `exp`.",
    ),
];

#[test]
fn every_row_about_identity_is_held_by_a_test() {
    let held = tests_by_row();
    let document = document(&held);
    #[expect(
        clippy::disallowed_methods,
        reason = "whether to write is no setting of the gateway"
    )]
    if std::env::var_os("GATEWRIGHT_WRITE").is_some() {
        fs::write(root().join(DOCUMENT), &document).unwrap();
    }
    let open: Vec<_> = ROWS
        .iter()
        .filter(|(row, _)| !held.contains_key(*row))
        .map(|(row, _)| *row)
        .collect();
    assert!(open.is_empty(), "no test is named after {open:?}");
    assert!(
        document == read(DOCUMENT),
        "{DOCUMENT} is out of date: GATEWRIGHT_WRITE=1 cargo test -p gatewright --test documents"
    );
}

/// The names of all tests by the row they start with.
fn tests_by_row() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        collect(&root().join(folder), &mut files);
    }
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for name in text.lines().filter_map(test_name) {
            let row = name.split('_').next().unwrap_or_default().to_uppercase();
            if ROWS.iter().any(|(known, _)| *known == row) {
                found.entry(row).or_default().push(name.to_owned());
            }
        }
    }
    for names in found.values_mut() {
        names.sort();
        names.dedup();
    }
    found
}

fn test_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split('(').next()
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn document(held: &BTreeMap<String, Vec<String>>) -> String {
    let mut text = HEAD.to_owned();
    for (row, sentence) in ROWS {
        let tests = held.get(*row).map_or_else(Vec::new, |names| {
            names.iter().map(|name| format!("`{name}`")).collect()
        });
        let tests = tests.join("<br>");
        writeln!(text, "| {row} | {sentence} | {tests} |").unwrap();
    }
    text.push_str("\n## What no test can hold\n\n| row | why |\n| --- | --- |\n");
    for (row, why) in UNTESTED {
        writeln!(text, "| {row} | {why} |").unwrap();
    }
    text
}

const DOCUMENT: &str = "docs/threats.md";
const HEAD: &str = "\
# Attacks on identity

What is tried to pass for somebody else, what the gateway does about it, and the tests that hold it to that. J: tokens and
keys (RFC 9068, 8725). D: DPoP (RFC 9449). M: client certificates (RFC 8705, 9440). X: streams. P: floods. Written from
the names of the tests; do not edit.

## Rows

| row | what the gateway does | held by |
| --- | --- | --- |
";

//! Tokens, proofs and certificates, row by row. Only text.

/// J, D and M.
pub(super) const ROWS: &[(&str, &str)] = &[
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
];

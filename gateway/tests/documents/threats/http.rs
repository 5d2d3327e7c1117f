//! Framing, routing, headers, metadata, row by row. Only text.

/// H and P.
pub(super) const ROWS: &[(&str, &str)] = &[
    (
        "H01",
        "a request with a length and chunks gets one answer and its connection ends: what stands behind it is never read as a request",
    ),
    (
        "H02",
        "a request that hides behind the length of a chunked one is never read",
    ),
    (
        "H03",
        "`Transfer-Encoding` is exactly `chunked`, once, or the request is refused",
    ),
    (
        "H04",
        "names and values of headers that break the grammar are refused",
    ),
    ("H05", "a header folded over lines is refused"),
    (
        "H06",
        "a length is one plain number, and one number goes on",
    ),
    ("H07", "a body on GET or DELETE never goes on"),
    (
        "H08",
        "chunks before HTTP/1.1 and versions nobody speaks are refused",
    ),
    ("H09", "bare line feeds never make two requests of one"),
    ("H10", "chunks that break the grammar end the connection"),
    ("H11", "trailers are dropped and never become headers"),
    (
        "H12",
        "a body that is shorter than announced reaches no upstream",
    ),
    (
        "H13",
        "nothing is ever upgraded, and what follows such a request is judged alone",
    ),
    (
        "H14",
        "the opening of HTTP/2 counts only where HTTP/2 is spoken",
    ),
    (
        "H15",
        "`100 Continue` is said to those who may go on, by the gateway itself",
    ),
    ("H16", "pipelined requests are judged one by one"),
    (
        "H17",
        "an absolute target, a foreign authority, `*` and CONNECT reach no upstream",
    ),
    ("H18", "HTTP/1.1 without exactly one `Host` is refused"),
    (
        "H19",
        "methods other than POST, GET and DELETE, or in other case, are refused; headers that override them count for nothing",
    ),
    (
        "H20",
        "a head, a body and their rates have their time; who is slower is cut off, and others do not notice",
    ),
    (
        "H21",
        "who stops reading is cut off; the upstream waits meanwhile and memory stays flat",
    ),
    (
        "H22",
        "floods of HTTP/2 frames end their connection within bounds of memory and time",
    ),
    (
        "H23",
        "pseudo-headers that break the grammar end their stream or connection",
    ),
    (
        "H24",
        "line ends in the headers of HTTP/2 never reach an upstream over HTTP/1.1",
    ),
    (
        "H25",
        "connections are capped in all and per source; without descriptors the gateway waits and serves on",
    ),
    ("H26", "TLS starts at 1.2"),
    (
        "H30",
        "a path is compared byte for byte: every other spelling is not found",
    ),
    (
        "H31",
        "headers that rewrite the target count for nothing and go no further",
    ),
    (
        "H32",
        "only listed headers go upstream, so nobody can say who they are",
    ),
    (
        "H33",
        "`Connection` may name `close`, `keep-alive` and `te`: anything else is refused",
    ),
    (
        "H34",
        "addresses and schemes come from the connection and the configuration, never from forwarding headers of strangers",
    ),
    ("H35", "a compressed body is refused unread"),
    (
        "H36",
        "nothing is ever decompressed, so nothing can explode",
    ),
    (
        "H37",
        "`application/json` in UTF-8 is read, and no other media type",
    ),
    ("H38", "UTF-8 without a mark is read, and no other encoding"),
    (
        "H39",
        "a body is judged whole or refused, and arrives byte for byte",
    ),
    ("H40", "a head has at most so many lines and bytes"),
    (
        "H41",
        "a browser's origin is listed or refused before anyone is asked who they are",
    ),
    (
        "H42",
        "a host is the configured one, or the request is misdirected",
    ),
    (
        "H43",
        "a preflight is answered by the gateway, for listed origins alone",
    ),
    (
        "H44",
        "headers of an answer pass from a list: no cookie, no policy, no redirect among them",
    ),
    ("H45", "a challenge of an upstream never reaches a client"),
    ("H46", "a redirect is neither passed on nor followed"),
    (
        "H47",
        "ranges and conditions go no further, and no answer is stored",
    ),
    (
        "H48",
        "metrics, health and administration are on listeners of their own",
    ),
    (
        "P01",
        "metadata is made from the configuration, whatever headers say",
    ),
    ("P02", "metadata has one path for each server and no other"),
    (
        "P03",
        "metadata names the resource exactly as clients type it",
    ),
    ("P04", "no well-known path goes upstream"),
    ("P05", "metadata is read with GET and HEAD alone"),
    (
        "P06",
        "without a token every request to a server gets the same challenge",
    ),
    (
        "P07",
        "a challenge names all the scopes of an operation once",
    ),
    ("P08", "a strict reader reads every challenge"),
    (
        "P09",
        "a flood of requests without a token is limited per source, and its exact number is on record",
    ),
];

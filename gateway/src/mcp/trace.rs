//! The fields by which traces travel (W3C Trace Context, W3C Baggage; MCP 2026-07-28, `_meta`). Never keeps more of
//! them than the id of a trace.

/// A field of a trace, in a header or in `_meta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `traceparent`.
    Parent,
    /// `tracestate`.
    State,
    /// `baggage`.
    Baggage,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 3] = [Self::Parent, Self::State, Self::Baggage];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parent => "traceparent",
            Self::State => "tracestate",
            Self::Baggage => "baggage",
        }
    }

    /// Is this a value that the field may have, of at most 8 KiB?
    pub fn is_well_formed(self, value: &[u8]) -> bool {
        let Some(text) = Some(value)
            .filter(|value| value.len() <= LONGEST)
            .and_then(|value| str::from_utf8(value).ok())
        else {
            return false;
        };
        match self {
            Self::Parent => trace_id(text).is_some(),
            Self::State => are_members(text, MOST_STATES, is_state),
            Self::Baggage => are_members(text, MOST_BAGGAGE, is_baggage),
        }
    }
}

/// The id of the trace: 32 lower-case hexadecimal digits, not all zero (W3C Trace Context section 3.2.2).
pub(super) fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_well_formed = is_hex(version, 2)
        && version != "ff"
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && [trace, parent]
            .into_iter()
            .all(|id| id.bytes().any(|byte| byte != b'0'))
        && (version != "00" || parts.next().is_none());
    let is_printable = traceparent.bytes().all(|byte| byte.is_ascii_graphic());
    (is_well_formed && is_printable).then_some(trace)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Members between commas with optional white space around them; empty ones are allowed (RFC 9110 section 5.6.1).
fn are_members(text: &str, most: usize, is_member: impl Fn(&str) -> bool) -> bool {
    let mut count = 0;
    for member in text.split(',').map(trimmed) {
        if member.is_empty() {
            continue;
        }
        count += 1;
        if count > most || !is_member(member) {
            return false;
        }
    }
    true
}

/// W3C Trace Context section 3.3.1.3.
fn is_state(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else {
        return false;
    };
    let is_key = (1..=256).contains(&key.len())
        && key.bytes().all(
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'),
        );
    let is_value = (1..=256).contains(&value.len())
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'=');
    is_key && is_value
}

/// W3C Baggage section 3.2.1: a pair, then properties behind semicolons.
fn is_baggage(member: &str) -> bool {
    let mut parts = member.split(';').map(trimmed);
    let is_pair = |part: &str| {
        part.split_once('=')
            .is_some_and(|(key, value)| is_token(trimmed(key)) && is_octets(trimmed(value)))
    };
    parts.next().is_some_and(is_pair) && parts.all(|part| is_token(part) || is_pair(part))
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_octets(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Bytes of one field: the least that W3C Baggage section 3.3.2 asks every carrier to take.
const LONGEST: usize = 8192;
/// W3C Trace Context section 3.3.1.1.
const MOST_STATES: usize = 32;
const MOST_BAGGAGE: usize = 180;

#[cfg(test)]
mod tests {
    use super::Field;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn takes(field: Field, values: &[&str]) {
        for value in values {
            assert!(
                field.is_well_formed(value.as_bytes()),
                "{field:?} {value:?}"
            );
        }
    }

    fn refuses(field: Field, values: &[&str]) {
        for value in values {
            assert!(
                !field.is_well_formed(value.as_bytes()),
                "{field:?} {value:?}"
            );
        }
    }

    #[test]
    fn q27_a_trace_parent_has_one_form() {
        let (future, upper) = (
            format!("{}-what-comes", PARENT.replacen("00", "cc", 1)),
            PARENT.to_uppercase(),
        );
        takes(Field::Parent, &[PARENT, &future]);
        let (more, crlf) = (format!("{PARENT}-x"), format!("{future}\r\nX: y"));
        let zeros = PARENT.replace("00f067aa0ba902b7", "0000000000000000");
        refuses(
            Field::Parent,
            &[
                "",
                "x",
                &upper,
                &more,
                &crlf,
                &zeros,
                PARENT.trim_end_matches('1'),
            ],
        );
    }

    #[test]
    fn q27_a_trace_state_is_a_list_of_pairs() {
        takes(
            Field::State,
            &["", "a=b", "vendor@sys=1, other/x=a b ,", "a=b,,c=d"],
        );
        let many = vec!["a=b"; 33].join(",");
        refuses(
            Field::State,
            &[
                "a",
                "=b",
                "a=",
                "A=b",
                "a=b=c",
                "a=b\r\nX: y",
                "a=\u{e9}",
                &many,
            ],
        );
    }

    #[test]
    fn q27_baggage_is_a_list_of_pairs_with_properties() {
        takes(
            Field::Baggage,
            &["", "user=alice", "a = b ; p ; q = 1 , c=%20", "a="],
        );
        let many = vec!["a=b"; 181].join(",");
        refuses(
            Field::Baggage,
            &[
                "a",
                "=b",
                "a=b c",
                "a=\"b\"",
                "a=b\r\nX: y",
                "a=b;",
                "a=\u{e9}",
                &many,
            ],
        );
    }

    #[test]
    fn q27_a_field_has_at_most_eight_kibibytes() {
        let of = |length: usize| format!("a={}", "b".repeat(length - 2));
        for (length, is_taken) in [(8191, true), (8192, true), (8193, false)] {
            let value = of(length);
            assert_eq!(
                Field::Baggage.is_well_formed(value.as_bytes()),
                is_taken,
                "{length}"
            );
        }
        assert!(!Field::Parent.is_well_formed(b"\xff"));
    }
}

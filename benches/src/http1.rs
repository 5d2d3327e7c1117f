//! Finds the messages in a stream of HTTP/1.1 bytes. Fast and just strict enough for two programs that we both
//! wrote; never used to judge strangers.

use std::borrow::Cow;

use memchr::memmem;
use thiserror::Error;

/// One complete message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The request line or the status line.
    pub start: &'a [u8],
    /// The body, without its chunk framing.
    pub body: Cow<'a, [u8]>,
    /// How many bytes of the stream the message took.
    pub length: usize,
    /// Whether the sender closes the connection after it.
    pub is_last: bool,
}

/// Why the stream cannot be read on.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Malformed {
    /// The head is longer than any of ours.
    #[error("a head of more than {HEAD_LIMIT} bytes")]
    Head,
    /// `Content-Length` is no number.
    #[error("a content-length that is no number")]
    Length,
    /// The chunk framing is broken.
    #[error("a broken chunk")]
    Chunk,
}

const HEAD_LIMIT: usize = 64 * 1024;

/// The first message of `stream`, or nothing while some of it is still to come.
pub fn first_message(stream: &[u8]) -> Result<Option<Message<'_>>, Malformed> {
    let Some(end) = memmem::find(stream, b"\r\n\r\n") else {
        return if stream.len() > HEAD_LIMIT {
            Err(Malformed::Head)
        } else {
            Ok(None)
        };
    };
    let Some((head, rest)) = stream.split_at_checked(end + 4) else {
        return Ok(None);
    };
    let framing = Framing::read(head)?;
    let body = if framing.is_chunked {
        unchunk(rest)?
    } else {
        rest.get(..framing.length).map(Body::whole)
    };
    Ok(body.map(|body| Message {
        start: lines(head).next().unwrap_or_default(),
        body: body.bytes,
        length: head.len() + body.taken,
        is_last: framing.is_last,
    }))
}

struct Body<'a> {
    bytes: Cow<'a, [u8]>,
    taken: usize,
}

impl<'a> Body<'a> {
    fn whole(bytes: &'a [u8]) -> Self {
        Self {
            bytes: Cow::Borrowed(bytes),
            taken: bytes.len(),
        }
    }
}

#[derive(Default)]
struct Framing {
    length: usize,
    is_chunked: bool,
    is_last: bool,
}

impl Framing {
    fn read(head: &[u8]) -> Result<Self, Malformed> {
        let mut framing = Self::default();
        for line in lines(head).skip(1) {
            let Some(colon) = memchr::memchr(b':', line) else {
                continue;
            };
            let (name, value) = line.split_at_checked(colon).unwrap_or_default();
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if name.eq_ignore_ascii_case(b"content-length") {
                framing.length = number(value, 10).ok_or(Malformed::Length)?;
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                framing.is_chunked = value.eq_ignore_ascii_case(b"chunked");
            } else if name.eq_ignore_ascii_case(b"connection") {
                framing.is_last = value.eq_ignore_ascii_case(b"close");
            }
        }
        Ok(framing)
    }
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
}

fn number(digits: &[u8], radix: u32) -> Option<usize> {
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

/// Joins the chunks of RFC 9112 section 7.1. Trailers are not among the things our programs send.
fn unchunk(stream: &[u8]) -> Result<Option<Body<'_>>, Malformed> {
    let mut bytes = Cow::Borrowed(&[] as &[u8]);
    let mut rest = stream;
    while let Some(chunk) = first_chunk(rest)? {
        rest = chunk.rest;
        match chunk.bytes.len() {
            0 => {
                return Ok(Some(Body {
                    bytes,
                    taken: stream.len() - rest.len(),
                }));
            }
            _ if bytes.is_empty() => bytes = Cow::Borrowed(chunk.bytes),
            _ => bytes.to_mut().extend_from_slice(chunk.bytes),
        }
    }
    Ok(None)
}

struct Chunk<'a> {
    bytes: &'a [u8],
    rest: &'a [u8],
}

fn first_chunk(stream: &[u8]) -> Result<Option<Chunk<'_>>, Malformed> {
    let Some(end) = memmem::find(stream, b"\r\n") else {
        return Ok(None);
    };
    let line = stream.get(..end).unwrap_or_default();
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let size = number(digits.trim_ascii(), 16).ok_or(Malformed::Chunk)?;
    let after = stream.get(end + 2..).unwrap_or_default();
    let Some((bytes, after)) = after.split_at_checked(size) else {
        return Ok(None);
    };
    match after.split_at_checked(2) {
        Some((b"\r\n", rest)) => Ok(Some(Chunk { bytes, rest })),
        Some(_) => Err(Malformed::Chunk),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, first_message};

    #[test]
    fn a_message_with_a_length_is_found_and_the_next_one_left() {
        let stream =
            b"POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}GET";
        let message = first_message(stream).unwrap().unwrap();
        assert_eq!(message.start, b"POST /mcp HTTP/1.1");
        assert_eq!(&*message.body, b"{}");
        assert_eq!(message.length, stream.len() - 3);
        assert!(message.is_last);
    }

    #[test]
    fn chunks_are_joined() {
        let stream = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\nHTTP";
        let message = first_message(stream).unwrap().unwrap();
        assert_eq!(&*message.body, b"abc");
        assert_eq!(message.length, stream.len() - 4);
        assert!(!message.is_last);
    }

    #[test]
    fn every_shorter_prefix_waits_for_more() {
        for stream in [
            &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"[..],
            &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"[..],
        ] {
            for end in 0..stream.len() {
                assert_eq!(first_message(&stream[..end]), Ok(None), "at byte {end}");
            }
            assert!(first_message(stream).unwrap().is_some());
        }
    }

    #[test]
    fn broken_framing_is_an_error() {
        let endless = vec![b'a'; 70_000];
        assert_eq!(first_message(&endless), Err(Malformed::Head));
        assert_eq!(
            first_message(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
            Err(Malformed::Length)
        );
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for bad in [&b"zz\r\nab\r\n"[..], &b"2\r\nabXY0\r\n\r\n"[..]] {
            let stream = [&chunked[..], bad].concat();
            assert_eq!(first_message(&stream), Err(Malformed::Chunk));
        }
    }
}

//! Server-sent events by the WHATWG grammar (HTML, section 9.2.6), in and out. Never holds more than
//! one event, and never lets a line end or a control character through inside a field.

use std::mem;

/// One thing that came over an event stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SseItem {
    /// An event; one without `data` only sets the id or the time to retry after.
    Event {
        /// The type; absent means `message`.
        event: Option<String>,
        /// The id to resume after.
        id: Option<String>,
        /// The data lines, joined with line feeds.
        data: Option<String>,
        /// How many milliseconds to wait before reconnecting.
        retry: Option<u64>,
    },
    /// A comment, without its text: it keeps the connection alive and says nothing.
    Comment,
}

/// Why an event stream cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SseFault {
    /// One event is larger than the cap.
    #[error("an event is larger than {cap} bytes")]
    TooLarge {
        /// The cap in bytes.
        cap: usize,
    },
    /// A line is not UTF-8.
    #[error("a line is not utf-8")]
    NotUtf8,
    /// An id or event type with characters that clients read differently.
    #[error("an id or event type is not printable ascii")]
    FieldNotPrintable,
}

/// Reads an event stream piece by piece.
#[derive(Debug)]
pub struct SseReader {
    cap: usize,
    held: usize,
    line: Vec<u8>,
    position: Position,
    fields: Fields,
}

/// What the next bytes may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// The start of the stream, where a byte order mark may stand.
    FirstLine,
    /// Anywhere else.
    Line,
    /// Right behind a CR, where an LF belongs to the same line end.
    AfterReturn,
}

#[derive(Debug, Default)]
struct Fields {
    event: Option<String>,
    id: Option<String>,
    data: Option<String>,
    retry: Option<u64>,
}

impl SseReader {
    /// A reader that refuses events of more than `cap` bytes.
    pub fn new(cap: usize) -> Self {
        Self {
            cap,
            held: 0,
            line: Vec::new(),
            position: Position::FirstLine,
            fields: Fields::default(),
        }
    }

    /// Takes the next bytes and appends what they complete to `out`.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<SseItem>) -> Result<(), SseFault> {
        let mut rest = chunk;
        while !rest.is_empty() {
            if self.position == Position::AfterReturn {
                self.position = Position::Line;
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.hold(rest.len())?;
                self.line.extend_from_slice(rest);
                return Ok(());
            };
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            self.hold(line.len() + 1)?;
            self.end_line(line, out)?;
            self.position = if after.starts_with(b"\r") {
                Position::AfterReturn
            } else {
                Position::Line
            };
            rest = after.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes the end of the stream. An event that lacks its blank line is one: some clients take it so.
    pub fn finish(&mut self, out: &mut Vec<SseItem>) -> Result<(), SseFault> {
        let line = mem::take(&mut self.line);
        if !line.is_empty() {
            self.read_line(&line, out)?;
        }
        self.dispatch(out);
        Ok(())
    }

    /// Reads a line whose last piece is `piece`.
    fn end_line(&mut self, piece: &[u8], out: &mut Vec<SseItem>) -> Result<(), SseFault> {
        if self.line.is_empty() {
            return self.read_line(piece, out);
        }
        let mut line = mem::take(&mut self.line);
        line.extend_from_slice(piece);
        self.read_line(&line, out)
    }

    fn hold(&mut self, bytes: usize) -> Result<(), SseFault> {
        self.held = self.held.saturating_add(bytes);
        if self.held > self.cap {
            Err(SseFault::TooLarge { cap: self.cap })
        } else {
            Ok(())
        }
    }

    fn read_line(&mut self, line: &[u8], out: &mut Vec<SseItem>) -> Result<(), SseFault> {
        let line = match self.position {
            Position::FirstLine => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            Position::Line | Position::AfterReturn => line,
        };
        let line = str::from_utf8(line).map_err(|_| SseFault::NotUtf8)?;
        if line.is_empty() {
            self.dispatch(out);
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        if field.is_empty() {
            self.held = self.held.saturating_sub(line.len() + 1);
            out.push(SseItem::Comment);
            return Ok(());
        }
        self.fields.set(field, value)
    }

    fn dispatch(&mut self, out: &mut Vec<SseItem>) {
        self.held = 0;
        let Fields {
            event,
            id,
            data,
            retry,
        } = mem::take(&mut self.fields);
        if id.is_some() || data.is_some() || retry.is_some() {
            out.push(SseItem::Event {
                event,
                id,
                data,
                retry,
            });
        }
    }
}

impl Fields {
    fn set(&mut self, field: &str, value: &str) -> Result<(), SseFault> {
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => self.event = Some(printable(value)?),
            "id" if !value.contains('\0') => self.id = Some(printable(value)?),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().or(self.retry);
            }
            _ => {}
        }
        Ok(())
    }
}

fn printable(value: &str) -> Result<String, SseFault> {
    if value.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        Ok(value.to_owned())
    } else {
        Err(SseFault::FieldNotPrintable)
    }
}

/// Appends `item` in its one canonical form: LF only. A value of several lines takes several fields, so
/// that no value can start a field of another name.
pub fn write_event(item: &SseItem, out: &mut Vec<u8>) {
    let SseItem::Event {
        event,
        id,
        data,
        retry,
    } = item
    else {
        out.extend_from_slice(b":\n\n");
        return;
    };
    let retry = retry.map(|millis| millis.to_string());
    let fields = [
        ("event", event),
        ("id", id),
        ("retry", &retry),
        ("data", data),
    ];
    for (field, value) in fields {
        for line in value.iter().flat_map(|value| value.split(['\n', '\r'])) {
            out.extend_from_slice(field.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests;

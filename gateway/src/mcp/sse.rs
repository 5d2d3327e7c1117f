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
    /// A blank line that ends nothing.
    Blank,
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

/// One item with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub item: SseItem,
    /// The bytes, up to and with the blank line: there when every reader takes them for this item and nothing else.
    pub raw: Option<Vec<u8>>,
}

/// Reads an event stream piece by piece.
#[derive(Debug)]
pub struct SseReader {
    cap: usize,
    /// What came since the last item.
    raw: Vec<u8>,
    /// Where in it the line starts that has not ended yet.
    line: usize,
    /// How much of it comments hold that stand inside an event.
    comments: usize,
    place: Place,
    ending: Ending,
    form: Form,
    /// Has a CR ended a line on its own?
    ends_in_returns: bool,
    fields: Fields,
}

/// What the next line may start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The start of the stream, where a byte order mark may stand.
    FirstLine,
    /// Anywhere else.
    Line,
}

/// What was read of a line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Nothing.
    None,
    /// A CR, behind which an LF would belong to the same line end.
    Return,
    /// A CR that counts already, behind which an LF still belongs to it.
    Counted,
}

/// Whether readers could take the bytes for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Odd,
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
            raw: Vec::new(),
            line: 0,
            comments: 0,
            place: Place::FirstLine,
            ending: Ending::None,
            form: Form::Plain,
            ends_in_returns: false,
            fields: Fields::default(),
        }
    }

    /// Takes the next bytes and appends what they complete to `out`.
    ///
    /// # Errors
    /// What cannot be read, or is too large. What was complete before is in `out`.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<Block>) -> Result<(), SseFault> {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = match self.ending {
                Ending::None => self.line(rest, out)?,
                Ending::Return => self.after_return(rest, out)?,
                Ending::Counted => {
                    self.ending = Ending::None;
                    rest.strip_prefix(b"\n").unwrap_or(rest)
                }
            };
        }
        Ok(())
    }

    /// Takes the end of the stream. An event that lacks its blank line is one: some clients take it so.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn finish(&mut self, out: &mut Vec<Block>) -> Result<(), SseFault> {
        if self.ending == Ending::Return {
            self.lone_return(out)?;
        }
        self.form = Form::Odd;
        if self.line < self.raw.len() {
            self.end_line(b"", out)?;
        }
        self.dispatch(out);
        Ok(())
    }

    fn line<'b>(&mut self, rest: &'b [u8], out: &mut Vec<Block>) -> Result<&'b [u8], SseFault> {
        let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
            self.hold(rest)?;
            return Ok(&[]);
        };
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        self.hold(line)?;
        if after.starts_with(b"\n") {
            self.end_line(b"\n", out)?;
        } else if self.ends_in_returns {
            self.lone_return(out)?;
            self.ending = Ending::Counted;
        } else {
            self.ending = Ending::Return;
        }
        Ok(after.get(1..).unwrap_or_default())
    }

    fn after_return<'b>(
        &mut self,
        rest: &'b [u8],
        out: &mut Vec<Block>,
    ) -> Result<&'b [u8], SseFault> {
        let Some(after) = rest.strip_prefix(b"\n") else {
            self.lone_return(out)?;
            return Ok(rest);
        };
        self.ending = Ending::None;
        self.end_line(b"\r\n", out)?;
        Ok(after)
    }

    /// Readers that know no CR would read on.
    fn lone_return(&mut self, out: &mut Vec<Block>) -> Result<(), SseFault> {
        self.ending = Ending::None;
        self.ends_in_returns = true;
        self.form = Form::Odd;
        self.end_line(b"\r", out)
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), SseFault> {
        self.raw.extend_from_slice(bytes);
        if self.raw.len() - self.comments > self.cap {
            Err(SseFault::TooLarge { cap: self.cap })
        } else {
            Ok(())
        }
    }

    fn end_line(&mut self, end: &[u8], out: &mut Vec<Block>) -> Result<(), SseFault> {
        self.hold(end)?;
        let raw = mem::take(&mut self.raw);
        let line = raw.get(self.line..raw.len() - end.len());
        let read = self.read_line(line.unwrap_or_default());
        let length = raw.len() - self.line;
        self.line = raw.len();
        self.raw = raw;
        match read? {
            Line::Blank => self.dispatch(out),
            Line::Comment if self.fields.is_empty() => self.give(SseItem::Comment, out),
            // It is part of an event that passes, and costs nothing of what the event may hold; nobody can make it pile up.
            Line::Comment => self.comments += length.min(self.cap.saturating_sub(self.comments)),
            Line::Field => {}
        }
        Ok(())
    }

    fn read_line(&mut self, line: &[u8]) -> Result<Line, SseFault> {
        let place = mem::replace(&mut self.place, Place::Line);
        let line = str::from_utf8(line).map_err(|_| SseFault::NotUtf8)?;
        let line = match line.strip_prefix('\u{feff}') {
            Some(rest) if place == Place::FirstLine => {
                self.form = Form::Odd;
                rest
            }
            Some(_) | None => line,
        };
        if !is_plain(line) {
            self.form = Form::Odd;
        }
        if line.is_empty() {
            return Ok(Line::Blank);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        if field.is_empty() {
            return Ok(Line::Comment);
        }
        if self.fields.set(field, value)? == Form::Odd {
            self.form = Form::Odd;
        }
        Ok(Line::Field)
    }

    fn dispatch(&mut self, out: &mut Vec<Block>) {
        let Fields {
            event,
            id,
            data,
            retry,
        } = mem::take(&mut self.fields);
        if id.is_some() || data.is_some() || retry.is_some() {
            let item = SseItem::Event {
                event,
                id,
                data,
                retry,
            };
            self.give(item, out);
        } else if event.is_none() && self.form == Form::Plain && !self.raw.is_empty() {
            self.give(SseItem::Blank, out);
        } else {
            self.start_over();
        }
    }

    fn give(&mut self, item: SseItem, out: &mut Vec<Block>) {
        let raw = mem::take(&mut self.raw);
        let raw = (self.form == Form::Plain).then_some(raw);
        out.push(Block { item, raw });
        self.start_over();
    }

    fn start_over(&mut self) {
        self.raw.clear();
        (self.line, self.comments, self.form) = (0, 0, Form::Plain);
    }
}

/// What a line is.
enum Line {
    Blank,
    Comment,
    Field,
}

/// Does a line hold nothing at which some client would end it? Python's `splitlines` does at these.
fn is_plain(line: &str) -> bool {
    // Without an early end, so that many bytes are looked at together: lines are long and hold none of these.
    let suspect =
        |byte: u8| (byte < 0x20 && byte != b'\t') || matches!(byte, 0x7f | 0xc2 | 0xe2 | 0xef);
    let bytes = line.bytes();
    if !bytes.fold(false, |found, byte| found | suspect(byte)) {
        return true;
    }
    let ends = |c: char| {
        (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    !line.contains(ends)
}

impl Fields {
    fn is_empty(&self) -> bool {
        self.event.is_none() && self.id.is_none() && self.data.is_none() && self.retry.is_none()
    }

    /// Takes a field, and says whether every reader does the same with it.
    fn set(&mut self, field: &str, value: &str) -> Result<Form, SseFault> {
        let mut form = Form::Plain;
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => form = once(&mut self.event, printable(value)?),
            "id" if !value.contains('\0') => form = once(&mut self.id, printable(value)?),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                let millis = value.parse().ok().or(self.retry);
                form = if self.retry.is_some() || millis.is_none() {
                    Form::Odd
                } else {
                    Form::Plain
                };
                self.retry = millis;
            }
            _ => form = Form::Odd,
        }
        Ok(form)
    }
}

/// The last one counts, but not for everybody.
fn once(place: &mut Option<String>, value: String) -> Form {
    match place.replace(value) {
        Some(_) => Form::Odd,
        None => Form::Plain,
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
    let (event, id, data, retry) = match item {
        SseItem::Event {
            event,
            id,
            data,
            retry,
        } => (event, id, data, retry),
        SseItem::Comment => return out.extend_from_slice(b":\n\n"),
        SseItem::Blank => return,
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

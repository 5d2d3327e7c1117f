//! How far an HTTP/2 client is with the frame it is sending (RFC 9113 section 4.1). Looks at frame heads alone, never
//! at what a frame says, and judges nothing: that is the codec's part.

use std::time::{Duration, Instant};

/// The client's preface (RFC 9113 section 3.4), in bytes.
const PREFACE: usize = 24;
/// The head of a frame, in bytes.
const HEAD: usize = 9;
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const PRIORITY: u8 = 0x2;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const CONTINUATION: u8 = 0x9;
const END_HEADERS: u8 = 0x4;
/// Frames of a second that serve no request, of which clients send a few: past it they are sent to be answered. Each costs
/// the client 9 bytes, and the gateway an answer.
const MOST_AIMLESS: u32 = 1000;
const SPAN: Duration = Duration::from_secs(1);

/// The frames of one connection, as bytes come in.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes of the preface that are missing.
    preface: usize,
    head: [u8; HEAD],
    /// Bytes of `head` that are there.
    known: usize,
    /// Bytes of the frame that are missing.
    missing: usize,
    block: Block,
    /// Since when something is being sent that has to have an end soon.
    since: Option<Instant>,
    /// Frames since `counted` that serve no request.
    aimless: u32,
    counted: Option<Instant>,
}

/// Whether the head of a request goes on in the next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Open,
    Closed,
}

impl Frames {
    /// Before the first byte.
    pub(super) const fn new() -> Self {
        Self {
            preface: PREFACE,
            head: [0; HEAD],
            known: 0,
            missing: 0,
            block: Block::Closed,
            since: None,
            aimless: 0,
            counted: None,
        }
    }

    /// Whether too many frames came in a second that serve no request.
    pub(super) const fn is_flood(&self) -> bool {
        self.aimless > MOST_AIMLESS
    }

    /// Whether the preface is whole.
    pub(super) const fn is_greeted(&self) -> bool {
        self.preface == 0
    }

    /// Since when a frame, or the head of a request in several frames, waits for its end. `None` between frames, and for
    /// the frames of a body, which has a time of its own.
    pub(super) const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// These bytes came at `now`.
    pub(super) fn heard(&mut self, bytes: &[u8], now: Instant) {
        let greeting = bytes.len().min(self.preface);
        self.preface = self.preface.saturating_sub(greeting);
        let mut rest = bytes.get(greeting..).unwrap_or_default();
        while let Some((first, others)) = rest.split_first() {
            if self.known < HEAD {
                self.begin(*first, now);
                rest = others;
            } else {
                let taken = rest.len().min(self.missing);
                self.missing = self.missing.saturating_sub(taken);
                rest = rest.get(taken..).unwrap_or_default();
            }
            if self.known == HEAD && self.missing == 0 {
                self.end(now);
            }
        }
    }

    /// One byte of the head of a frame.
    fn begin(&mut self, byte: u8, now: Instant) {
        self.since.get_or_insert(now);
        if let Some(place) = self.head.get_mut(self.known) {
            *place = byte;
        }
        self.known = self.known.saturating_add(1);
        if self.known < HEAD {
            return;
        }
        let [high, middle, low, kind, ..] = self.head;
        let length = u32::from_be_bytes([0, high, middle, low]);
        self.missing = usize::try_from(length).unwrap_or(usize::MAX);
        if kind == DATA && self.block == Block::Closed {
            self.since = None;
        }
    }

    fn end(&mut self, now: Instant) {
        let [_, _, _, kind, flags, ..] = self.head;
        self.known = 0;
        if let PRIORITY | SETTINGS | PING = kind {
            self.count(now);
        }
        self.block = match kind {
            HEADERS | CONTINUATION if flags & END_HEADERS == 0 => Block::Open,
            _ => Block::Closed,
        };
        if self.block == Block::Closed {
            self.since = None;
        }
    }

    /// A flood stays one: what comes behind it is not heard any more.
    fn count(&mut self, now: Instant) {
        let counted = *self.counted.get_or_insert(now);
        if now.duration_since(counted) >= SPAN && !self.is_flood() {
            self.counted = Some(now);
            self.aimless = 0;
        }
        self.aimless = self.aimless.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{
        CONTINUATION, DATA, END_HEADERS, Frames, HEADERS, MOST_AIMLESS, PING, PREFACE, SETTINGS,
        SPAN,
    };

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        bytes.extend(std::iter::repeat_n(7, usize::from(length)));
        bytes
    }

    fn greeted() -> Frames {
        let mut frames = Frames::new();
        frames.heard(&[0; PREFACE - 1], Instant::now());
        assert!(!frames.is_greeted());
        frames.heard(&[0], Instant::now());
        assert!(frames.is_greeted() && frames.since().is_none());
        frames
    }

    #[test]
    fn h22_frames_that_serve_no_request_are_a_flood_past_their_number_in_a_second() {
        let (mut frames, start) = (greeted(), Instant::now());
        let later = start + SPAN;
        for now in [start, later] {
            for number in 0..MOST_AIMLESS {
                let kind = if number % 2 == 0 { PING } else { SETTINGS };
                frames.heard(&frame(kind, 0, 8), now);
                frames.heard(&frame(DATA, 0, 1), now);
                assert!(!frames.is_flood(), "{number}");
            }
        }
        frames.heard(&frame(PING, 0, 8), later);
        assert!(frames.is_flood());
        frames.heard(&frame(PING, 0, 8), later + SPAN);
        assert!(frames.is_flood());
    }

    #[test]
    fn a_head_in_several_frames_counts_from_its_first_byte() {
        let (mut frames, start) = (greeted(), Instant::now());
        let mut bytes = frame(HEADERS, 0, 3);
        bytes.extend(frame(CONTINUATION, 0, 0));
        bytes.extend(frame(CONTINUATION, 0, 5));
        for (place, byte) in bytes.iter().enumerate() {
            let later = Duration::from_millis(place.try_into().unwrap());
            frames.heard(&[*byte], start + later);
            assert_eq!(frames.since(), Some(start), "byte {place}");
        }
        frames.heard(&frame(CONTINUATION, END_HEADERS, 2), start);
        assert_eq!(frames.since(), None);
    }

    #[test]
    fn whole_frames_leave_nothing_to_wait_for() {
        let (mut frames, now) = (greeted(), Instant::now());
        let mut bytes = frame(4, 0, 6);
        bytes.extend(frame(HEADERS, END_HEADERS, 200));
        bytes.extend(frame(DATA, 1, 0));
        bytes.extend(frame(6, 0, 8));
        frames.heard(&bytes, now);
        assert_eq!(frames.since(), None);
    }

    #[test]
    fn a_body_has_a_time_of_its_own_but_no_head_of_a_frame_has() {
        let (mut frames, now) = (greeted(), Instant::now());
        let body = frame(DATA, 0, 9);
        frames.heard(&body[..5], now);
        assert_eq!(frames.since(), Some(now), "who sends half a head");
        frames.heard(&body[5..12], now);
        assert_eq!(frames.since(), None);
        frames.heard(&body[12..], now);
        frames.heard(&frame(6, 0, 8)[..10], now);
        assert_eq!(frames.since(), Some(now), "half a PING");
    }
}

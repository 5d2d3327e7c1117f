//! Watches the keys near the top of a JSON answer that is too large to hold while it goes by. Never holds more of it than
//! one key.

use super::asks::{INPUT_REQUIRED, REQUESTS, TYPE};
use super::call::RequestId;
use super::judge::Exchange;
use super::listing::{ListFault, Listing};
use super::spelling::{resembles, unquote};
use super::version::Era;

/// Watches one answer. What a small answer would be looked through for, a large one must not have.
#[derive(Debug)]
pub struct KeyWatch {
    era: Era,
    id: Option<RequestId>,
    depth: usize,
    /// Where a key may stand next.
    turn: Turn,
    text: Text,
    /// The key, or the value that is looked at, as it is written so far.
    token: Vec<u8>,
    wanted: Wanted,
    seen: Vec<Top>,
}

/// A member at the top of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Top {
    Version,
    Id,
    Result,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Key,
    Value,
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

/// Which value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Id,
    Type,
}

impl KeyWatch {
    /// For the answer to the request of `exchange`.
    pub fn new(exchange: &Exchange) -> Self {
        Self {
            era: exchange.era,
            id: exchange.purpose.id().cloned(),
            depth: 0,
            turn: Turn::Value,
            text: Text::Outside,
            token: Vec::new(),
            wanted: Wanted::Nothing,
            seen: Vec::new(),
        }
    }

    /// Looks at the next bytes.
    ///
    /// # Errors
    /// When the answer is no result for the request, or has a member that only a small one may have.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ListFault> {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            rest = match self.text {
                Text::Outside => {
                    self.mark(*byte)?;
                    after
                }
                Text::Escaped => {
                    self.keep(&[*byte])?;
                    self.text = Text::Inside;
                    after
                }
                Text::Inside => self.inside(rest)?,
            };
        }
        Ok(())
    }

    /// Takes the end of the answer.
    ///
    /// # Errors
    /// When it ended before its time.
    pub fn finish(&self) -> Result<(), ListFault> {
        let is_whole = self.turn == Turn::Over
            && [Top::Version, Top::Id, Top::Result]
                .iter()
                .all(|top| self.seen.contains(top));
        is_whole.then_some(()).ok_or(ListFault::NotAMessage)
    }

    fn inside<'b>(&mut self, rest: &'b [u8]) -> Result<&'b [u8], ListFault> {
        let Some(at) = memchr::memchr2(b'"', b'\\', rest) else {
            self.keep(rest)?;
            return Ok(&[]);
        };
        let (kept, after) = rest.split_at_checked(at + 1).unwrap_or((rest, &[]));
        self.keep(kept)?;
        if kept.ends_with(b"\\") {
            self.text = Text::Escaped;
            return Ok(after);
        }
        self.text = Text::Outside;
        if self.is_key() {
            self.key()?;
        }
        Ok(after)
    }

    /// A byte outside of strings.
    fn mark(&mut self, byte: u8) -> Result<(), ListFault> {
        if self.turn == Turn::Over || (self.depth == 0 && byte != b'{') {
            return byte
                .is_ascii_whitespace()
                .then_some(())
                .ok_or(ListFault::NotAMessage);
        }
        match byte {
            b'"' => {
                if self.is_key() {
                    self.token.clear();
                }
                self.text = Text::Inside;
                self.keep(b"\"")
            }
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.close(),
            b',' => {
                self.settle()?;
                self.turn = Turn::Key;
                Ok(())
            }
            b':' => {
                self.turn = Turn::Value;
                Ok(())
            }
            other => self.keep(&[other]),
        }
    }

    fn open(&mut self, byte: u8) -> Result<(), ListFault> {
        if self.depth == 1 && self.seen.last() == Some(&Top::Result) && byte != b'{' {
            return Err(ListFault::NotAMessage);
        }
        if self.wanted == Wanted::Id {
            return Err(ListFault::NotAMessage);
        }
        self.wanted = Wanted::Nothing;
        self.depth += 1;
        self.turn = if byte == b'{' { Turn::Key } else { Turn::Value };
        Ok(())
    }

    fn close(&mut self) -> Result<(), ListFault> {
        self.settle()?;
        self.depth = self.depth.saturating_sub(1);
        self.turn = if self.depth == 0 {
            Turn::Over
        } else {
            Turn::Value
        };
        Ok(())
    }

    /// Does a string that starts here name a member that matters?
    fn is_key(&self) -> bool {
        let is_near = match self.depth {
            1 => true,
            2 => self.seen.last() == Some(&Top::Result),
            _ => false,
        };
        is_near && self.turn == Turn::Key
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), ListFault> {
        if !self.is_key() && self.wanted == Wanted::Nothing {
            return Ok(());
        }
        if self.token.len() + bytes.len() > LONGEST {
            return Err(ListFault::Large);
        }
        self.token.extend_from_slice(bytes);
        Ok(())
    }

    fn key(&mut self) -> Result<(), ListFault> {
        let token = std::mem::take(&mut self.token);
        let token = str::from_utf8(&token).map_err(|_| ListFault::NotAMessage)?;
        let key = unquote(token).ok_or(ListFault::NotAMessage)?;
        if self.depth == 1 {
            return self.top(&key);
        }
        if self.era == Era::Modern {
            self.wanted = if key == TYPE {
                Wanted::Type
            } else {
                Wanted::Nothing
            };
            let is_odd = key == REQUESTS || resembles(&key, &[REQUESTS, TYPE]);
            return if is_odd {
                Err(ListFault::Large)
            } else {
                Ok(())
            };
        }
        let lists = Listing::ALL.map(Listing::member);
        if lists.contains(&key.as_ref()) || resembles(&key, &lists) {
            return Err(ListFault::Large);
        }
        Ok(())
    }

    fn top(&mut self, key: &str) -> Result<(), ListFault> {
        let top = match key {
            "jsonrpc" => Top::Version,
            "id" => Top::Id,
            "result" => Top::Result,
            "error" => return Err(ListFault::Large),
            _ => return Err(ListFault::NotAMessage),
        };
        if self.seen.contains(&top) {
            return Err(ListFault::NotAMessage);
        }
        self.seen.push(top);
        self.wanted = if top == Top::Id {
            Wanted::Id
        } else {
            Wanted::Nothing
        };
        Ok(())
    }

    /// Looks at the value that ended.
    fn settle(&mut self) -> Result<(), ListFault> {
        let wanted = std::mem::replace(&mut self.wanted, Wanted::Nothing);
        let token = std::mem::take(&mut self.token);
        let token = str::from_utf8(&token).unwrap_or_default().trim();
        match wanted {
            Wanted::Id => {
                let is_ours = self.id.as_ref().is_none_or(|id| id.is_written(token));
                is_ours.then_some(()).ok_or(ListFault::WrongId)
            }
            Wanted::Type if unquote(token).as_deref() == Some(INPUT_REQUIRED) => {
                Err(ListFault::Large)
            }
            Wanted::Nothing | Wanted::Type => Ok(()),
        }
    }
}

/// Bytes of a key, or of a value that is looked at: an id of 256 bytes fits, whatever is escaped in it.
const LONGEST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::KeyWatch;
    use crate::mcp::call::RequestId;
    use crate::mcp::judge::{Exchange, Purpose};
    use crate::mcp::listing::ListFault;
    use crate::mcp::method::Method;
    use crate::mcp::version::Era;

    fn watch(text: &str, era: Era) -> Result<(), ListFault> {
        let id = RequestId::from_token("7").unwrap();
        let method = Method::ToolsCall;
        let purpose = Purpose::Call { method, id };
        let exchange = Exchange {
            era,
            longest_ttl: 0,
            purpose,
        };
        let run = |size: usize| {
            let mut watch = KeyWatch::new(&exchange);
            let mut pieces = text.as_bytes().chunks(size);
            pieces.try_for_each(|piece| watch.push(piece))?;
            watch.finish()
        };
        let whole = run(text.len().max(1));
        assert_eq!(run(1), whole, "{text}");
        assert_eq!(run(3), whole, "{text}");
        whole
    }

    #[test]
    fn u15_a_large_answer_that_only_answers_passes() {
        for text in [
            r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
            r#" { "result" : {"content":[{"id":8,"tools":[],"inputRequests":{},"\"}":"{"}],"a":"\\"}, "id" : 7 , "jsonrpc":"2.0"} "#,
            r#"{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","x":[[1,{"error":2}],"tools"]}}"#,
        ] {
            for era in [Era::Legacy, Era::Modern] {
                assert_eq!(watch(text, era), Ok(()), "{text}");
            }
        }
    }

    #[test]
    fn u08_a_large_answer_to_somebody_else_does_not() {
        for id in ["8", "\"7\"", "null", "[7]", "{}", "7.0"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
            assert!(watch(&text, Era::Modern).is_err(), "{text}");
        }
    }

    #[test]
    fn u07_a_large_answer_that_is_two_things_does_not() {
        for text in [
            r#"{"jsonrpc":"2.0","id":7,"result":{},"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":{},"method":"x"}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":{},"Result":{}}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":[{}]}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":{}}"#,
            r#"[{"jsonrpc":"2.0","id":7,"result":{}}]"#,
            r#"{"jsonrpc":"2.0","id":7,"result":{}}{}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":{}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            "",
        ] {
            assert!(watch(text, Era::Legacy).is_err(), "{text}");
        }
    }

    #[test]
    fn u15_a_large_answer_that_asks_or_lists_does_not() {
        let result = |inner: &str| format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{{inner}}}}}"#);
        for inner in [
            r#""inputRequests":{}"#,
            r#""input\u0052equests":{}"#,
            r#""InputRequests":{}"#,
            r#""resultType":"input_required""#,
            r#""resultType" : "input\u005frequired""#,
        ] {
            assert_eq!(watch(&result(inner), Era::Modern), Err(ListFault::Large));
        }
        for inner in [
            r#""tools":[]"#,
            r#""a":1,"t\u006fols":[]"#,
            r#""Prompts":[]"#,
        ] {
            assert_eq!(watch(&result(inner), Era::Legacy), Err(ListFault::Large));
        }
        let long = result(&format!(r#""{}":1"#, "k".repeat(4096)));
        assert_eq!(watch(&long, Era::Legacy), Err(ListFault::Large));
    }
}

//! Writes a result anew with only what may be seen. Never copies a member of a list result that it does not know.

use std::borrow::Cow;
use std::ops::Range;

use super::ascii;
use super::call::RequestId;
use super::document::Document;
use super::judge::{Exchange, Hidden, Judge};
use super::listing::{Item, ListFault, Listing};
use super::spelling::resembles;
use super::version::Era;

/// Writes a result anew.
pub(super) struct Rewrite<'a, 'j> {
    document: &'a Document<'a>,
    exchange: &'a Exchange,
    judge: &'j mut dyn Judge,
    out: Vec<u8>,
    cache: CacheScope,
    removed: usize,
}

#[derive(PartialEq, Eq)]
enum CacheScope {
    Absent,
    Present,
}

impl<'a, 'j> Rewrite<'a, 'j> {
    pub(super) fn new(
        document: &'a Document<'a>,
        exchange: &'a Exchange,
        judge: &'j mut dyn Judge,
    ) -> Self {
        Self {
            document,
            exchange,
            judge,
            out: Vec::new(),
            cache: CacheScope::Absent,
            removed: 0,
        }
    }

    /// Writes everything of a list result but the end.
    pub(super) fn result(
        &mut self,
        id: &RequestId,
        result: &Range<usize>,
        listings: &[Listing],
    ) -> Result<(), ListFault> {
        self.start(id);
        let mut written = 0;
        for member in self.document.members(result) {
            let key = member.key.as_ref();
            if let Some(listing) = listings.iter().find(|listing| listing.member() == key) {
                self.key(key);
                self.list(*listing, &member.value)?;
                written += 1;
            } else if SIBLINGS.contains(&key) {
                self.key(key);
                self.value(&member.value);
            } else {
                self.lifetime(key, &member.value);
            }
        }
        match listings.first() {
            Some(listing) if written < listings.len() => Err(ListFault::ListMissing {
                member: listing.member(),
            }),
            _ => Ok(()),
        }
    }

    /// Writes everything but the end of what a server says of itself, without what is hidden.
    pub(super) fn about(
        &mut self,
        id: &RequestId,
        result: &Range<usize>,
        hidden: &[Hidden],
    ) -> Result<(), ListFault> {
        self.start(id);
        for member in self.document.members(result) {
            let key = member.key.as_ref();
            // A reader that takes another spelling for the name would still see it.
            if resembles(key, &[INSTRUCTIONS, CAPABILITIES]) {
                return Err(ListFault::LookAlike { key: CAPABILITIES });
            }
            if key == INSTRUCTIONS && hidden.contains(&Hidden::Instructions) {
                continue;
            }
            if LIFETIME.contains(&key) {
                self.lifetime(key, &member.value);
                continue;
            }
            self.name(key);
            if key == CAPABILITIES {
                self.capabilities(&member.value, hidden)?;
            } else {
                self.value(&member.value);
            }
        }
        Ok(())
    }

    fn capabilities(
        &mut self,
        capabilities: &Range<usize>,
        hidden: &[Hidden],
    ) -> Result<(), ListFault> {
        let document = self.document;
        if !document.is_object(capabilities) {
            return Err(ListFault::NotAMessage);
        }
        let parts = [
            (Hidden::Experimental, "experimental"),
            (Hidden::Extensions, "extensions"),
        ];
        self.out.push(b'{');
        for member in document.members(capabilities) {
            let key = member.key.as_ref();
            if resembles(key, &["experimental", "extensions"]) {
                return Err(ListFault::LookAlike { key: CAPABILITIES });
            }
            let is_hidden = parts
                .iter()
                .any(|(part, name)| key == *name && hidden.contains(part));
            if !is_hidden {
                self.name(key);
                self.value(&member.value);
            }
        }
        self.drop_comma();
        self.out.extend_from_slice(b"},");
        Ok(())
    }

    fn start(&mut self, id: &RequestId) {
        self.out.reserve(self.document.root().len() + 32);
        self.out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        self.out.extend_from_slice(id.as_json().as_bytes());
        self.out.extend_from_slice(b",\"result\":{");
    }

    /// How long and by whom the result may be kept: no longer than configured, and never by anybody else.
    fn lifetime(&mut self, key: &str, value: &Range<usize>) {
        if key == "cacheScope" {
            self.cache = CacheScope::Present;
        }
        if key != "ttlMs" {
            return;
        }
        let longest = self.exchange.longest_ttl;
        let ttl = self.document.text(value).parse::<u64>();
        // A number in another spelling is an odd one: the result is then not to be kept at all.
        let ttl = ttl.unwrap_or(0).min(longest);
        self.key(key);
        self.out.extend_from_slice(ttl.to_string().as_bytes());
        self.out.push(b',');
    }

    fn value(&mut self, value: &Range<usize>) {
        ascii::write(self.document.text(value), &mut self.out);
        self.out.push(b',');
    }

    fn list(&mut self, listing: Listing, array: &Range<usize>) -> Result<(), ListFault> {
        let member = listing.member();
        let document = self.document;
        if !document.is_list(array) {
            return Err(ListFault::ListMissing { member });
        }
        self.out.push(b'[');
        for item in document.elements(array) {
            let name = name_of(document, item, listing)?;
            let text = document.text(item);
            if !self.judge.shows(listing, Item { name: &name, text }) {
                self.removed += 1;
                continue;
            }
            self.value(item);
        }
        self.drop_comma();
        self.out.extend_from_slice(b"],");
        Ok(())
    }

    /// Closes the message, and says how many items were left out. A result that depends on who asks is for nobody else
    /// (2026-07-28, caching).
    pub(super) fn end(mut self) -> (Vec<u8>, usize) {
        if self.exchange.era == Era::Modern || self.cache == CacheScope::Present {
            self.out.extend_from_slice(b"\"cacheScope\":\"private\"");
        }
        self.drop_comma();
        self.out.extend_from_slice(b"}}");
        (self.out, self.removed)
    }

    /// Writes any key.
    fn name(&mut self, key: &str) {
        let quoted = serde_json::Value::from(key).to_string();
        ascii::write(&quoted, &mut self.out);
        self.out.push(b':');
    }

    /// Writes a key that is known to need no escape.
    fn key(&mut self, key: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn drop_comma(&mut self) {
        if self.out.last() == Some(&b',') {
            self.out.pop();
        }
    }
}

fn name_of<'a>(
    document: &Document<'a>,
    item: &Range<usize>,
    listing: Listing,
) -> Result<Cow<'a, str>, ListFault> {
    let key = listing.key();
    let mut name = None;
    for member in document.members(item) {
        if member.key == key {
            name = document.string(&member.value);
        } else if resembles(&member.key, &[key]) {
            return Err(ListFault::LookAlike { key });
        }
    }
    name.ok_or(ListFault::ItemUnnamed {
        member: listing.member(),
    })
}

/// What lists may have beside the list. Anything else could carry what the list must not.
const SIBLINGS: &[&str] = &["nextCursor", "_meta", "resultType"];
const LIFETIME: &[&str] = &["cacheScope", "ttlMs"];
const INSTRUCTIONS: &str = "instructions";
const CAPABILITIES: &str = "capabilities";

//! Writes a list result anew with only what may be seen. Never copies a member that it does not know.

use std::borrow::Cow;
use std::ops::Range;

use super::ascii;
use super::call::RequestId;
use super::document::Document;
use super::listing::{Filtered, Item, Kind, ListFault, Listing};
use super::spelling::resembles;
use super::version::Era;

/// Writes a result anew.
pub(super) struct Rewrite<'a, 'f> {
    document: &'a Document<'a>,
    allowed: &'f mut dyn FnMut(Listing, Item<'_>) -> bool,
    out: Vec<u8>,
    cache: CacheScope,
    kept: usize,
    removed: usize,
}

#[derive(PartialEq, Eq)]
enum CacheScope {
    Absent,
    Present,
}

impl<'a, 'f> Rewrite<'a, 'f> {
    pub(super) fn new(
        document: &'a Document<'a>,
        allowed: &'f mut dyn FnMut(Listing, Item<'_>) -> bool,
    ) -> Self {
        let out = Vec::with_capacity(document.root().len() + 32);
        Self {
            document,
            allowed,
            out,
            cache: CacheScope::Absent,
            kept: 0,
            removed: 0,
        }
    }

    /// Writes everything but the end.
    pub(super) fn result(
        &mut self,
        id: &RequestId,
        result: &Range<usize>,
        listings: &[Listing],
    ) -> Result<(), ListFault> {
        self.out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        self.out.extend_from_slice(id.as_json().as_bytes());
        self.out.extend_from_slice(b",\"result\":{");
        let mut written = 0;
        for member in self.document.members(result) {
            let key = member.key.as_ref();
            if let Some(listing) = listings.iter().find(|listing| listing.member() == key) {
                self.key(key);
                self.list(*listing, &member.value)?;
                written += 1;
            } else if SIBLINGS.contains(&key) {
                self.key(key);
                ascii::write(self.document.text(&member.value), &mut self.out);
                self.out.push(b',');
            } else if key == "cacheScope" {
                self.cache = CacheScope::Present;
            }
        }
        match listings.first() {
            Some(listing) if written < listings.len() => Err(ListFault::ListMissing {
                member: listing.member(),
            }),
            _ => Ok(()),
        }
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
            if !(self.allowed)(listing, Item { name: &name, text }) {
                self.removed += 1;
                continue;
            }
            ascii::write(text, &mut self.out);
            self.out.push(b',');
            self.kept += 1;
        }
        self.drop_comma();
        self.out.extend_from_slice(b"],");
        Ok(())
    }

    /// Closes the message. A result that depends on who asks is for nobody else (2026-07-28, caching).
    pub(super) fn end(mut self, era: Era) -> Filtered {
        if era == Era::Modern || self.cache == CacheScope::Present {
            self.out.extend_from_slice(b"\"cacheScope\":\"private\"");
        }
        self.drop_comma();
        self.out.extend_from_slice(b"}}");
        Filtered {
            message: self.out,
            kind: Kind::Response,
            kept: self.kept,
            removed: self.removed,
        }
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
const SIBLINGS: &[&str] = &["nextCursor", "_meta", "ttlMs", "resultType"];

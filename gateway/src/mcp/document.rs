//! A JSON text that was scanned, with an index of the members near its top. Never holds a duplicate key.

use std::borrow::Cow;
use std::ops::Range;

use super::spelling::unquote;

/// One member of an object.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// The key, unescaped.
    pub key: Cow<'a, str>,
    /// The byte range of the value.
    pub value: Range<usize>,
    /// The offset of the brace that opens the object.
    pub(super) object: usize,
}

/// One strict JSON value. Indexed are the members of objects down to depth 4, and, when the limits
/// asked for it, the elements of arrays at depth 3 (the value itself is at depth 1).
#[derive(Debug, Clone)]
pub struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) root: Range<usize>,
    pub(super) members: Vec<Member<'a>>,
    pub(super) elements: Vec<Range<usize>>,
}

impl<'a> Document<'a> {
    /// Is the value an array?
    pub fn is_array(&self) -> bool {
        self.starts_with(&self.root, b'[')
    }

    /// Is the value in this range an object?
    pub fn is_object(&self, value: &Range<usize>) -> bool {
        self.starts_with(value, b'{')
    }

    /// Is the value in this range an array?
    pub fn is_list(&self, value: &Range<usize>) -> bool {
        self.starts_with(value, b'[')
    }

    /// Where the value stands, without the white space around it.
    pub fn root(&self) -> Range<usize> {
        self.root.clone()
    }

    /// The text of a range of this document.
    pub fn text(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The string in this range, unescaped; `None` when it is no string.
    pub fn string(&self, value: &Range<usize>) -> Option<Cow<'a, str>> {
        unquote(self.text(value))
    }

    /// The members of the object in this range, in order; none when it is no object or deeper than the index.
    pub fn members(
        &self,
        object: &Range<usize>,
    ) -> impl Iterator<Item = &Member<'a>> + use<'_, 'a> {
        let Range { start, end } = *object;
        let from = self
            .members
            .partition_point(|member| member.value.start <= start);
        let rest = self.members.get(from..).unwrap_or_default();
        rest.iter()
            .take_while(move |member| member.value.start < end)
            .filter(move |member| member.object == start)
    }

    /// The member of the object in this range that has exactly this key.
    pub fn member(&self, object: &Range<usize>, key: &str) -> Option<&Member<'a>> {
        self.members(object).find(|member| member.key == key)
    }

    /// The elements of the array in this range, in order; none unless it is at depth 3 and indexed.
    pub fn elements(&self, array: &Range<usize>) -> &[Range<usize>] {
        let from = self
            .elements
            .partition_point(|element| element.start <= array.start);
        let to = self
            .elements
            .partition_point(|element| element.start < array.end);
        self.elements.get(from..to).unwrap_or_default()
    }

    fn starts_with(&self, value: &Range<usize>, byte: u8) -> bool {
        self.text.as_bytes().get(value.start) == Some(&byte)
    }
}

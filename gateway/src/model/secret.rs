//! Values that must never be printed.

use std::fmt;

/// Holds a secret. `Debug` shows `(..)`; there is no `Display`.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Each caller of this is a place to review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: PartialEq> PartialEq for Secret<T> {
    /// For comparing settings; what a client sends is never compared so.
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Eq> Eq for Secret<T> {}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(..)")
    }
}

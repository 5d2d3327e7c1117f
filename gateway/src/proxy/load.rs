//! How many bytes of request bodies are held at once, over all requests. Never holds one itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// The bytes that are held, or will be.
#[derive(Debug, Clone, Default)]
pub struct Load(Arc<AtomicUsize>);

/// A part of the load, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    load: Load,
    bytes: usize,
}

/// Bytes with the share that was taken for them.
struct Carried {
    bytes: Bytes,
    _share: Share,
}

impl Load {
    /// Sets `bytes` aside, unless more than `limit` would be held then.
    pub(crate) fn take(&self, bytes: usize, limit: usize) -> Option<Share> {
        let add = |held: usize| held.checked_add(bytes).filter(|held| *held <= limit);
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, add)
            .ok()
            .map(|_| Share {
                load: self.clone(),
                bytes,
            })
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

impl Share {
    /// Gives the share back when the last copy of `bytes` is gone, wherever it is by then.
    pub(crate) fn carry(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Carried {
            bytes,
            _share: self,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.load.0.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

impl AsRef<[u8]> for Carried {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Load;

    #[test]
    fn limit_bytes_in_flight_at_and_past_the_bound() {
        let load = Load::default();
        let first = load.take(6, 10);
        assert!(first.is_some());
        assert!(load.take(5, 10).is_none(), "one past the bound");
        let second = load.take(4, 10);
        assert!(second.is_some(), "the bound itself");
        assert!(load.take(1, 10).is_none());
        assert!(load.take(0, 10).is_some(), "nothing weighs nothing");
        drop((first, second));
        assert!(load.take(9, 10).is_some(), "one below");
        assert!(load.take(usize::MAX, 10).is_none());
    }

    #[test]
    fn q34_a_share_is_given_back_with_the_last_copy_of_its_bytes() {
        let load = Load::default();
        let share = load.take(3, 10).unwrap();
        let body = share.carry(Bytes::from_static(b"abc"));
        let (copy, piece) = (body.clone(), body.slice(1..));
        drop(body);
        assert_eq!((&copy[..], load.held()), (&b"abc"[..], 3));
        drop(copy);
        assert_eq!(load.held(), 3, "a piece of it is still held");
        drop(piece);
        assert_eq!(load.held(), 0);
    }
}

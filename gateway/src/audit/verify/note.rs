//! Signed notes as the verifier reads them (C2SP signed-note and tlog-checkpoint). Never makes one, and shares nothing with what
//! does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::fault::FaultKind;
use crate::model::Digest;

/// What a note says, and who signed it. Nothing in it is true before a known key was found under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// The ledger that it is about.
    pub(crate) origin: String,
    /// How many records it covers: the `seq` of the last.
    pub(crate) size: u64,
    /// The hash of that record.
    pub(crate) head: Digest,
    /// When it was signed, RFC 3339.
    pub(crate) time: Option<String>,
    /// The key that signs from now on.
    pub(crate) next_key: Option<VerifyingKey>,
    /// The first and the last record that were deleted.
    pub(crate) deleted: Option<(u64, u64)>,
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    id: KeyId,
    bytes: Vec<u8>,
}

/// The four bytes that tell keys of one name apart.
pub(crate) type KeyId = [u8; 4];

impl Note {
    /// Reads the text of one note. Strict: two readers must not see two things in it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (head, signatures) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let origin = lines.next().filter(|origin| is_name(origin))?.to_owned();
        let size = number(lines.next()?)?;
        let head_hash = STANDARD.decode(lines.next()?).ok()?;
        let mut note = Self {
            origin,
            size,
            head: Digest::from_bytes(head_hash.try_into().ok()?),
            time: None,
            next_key: None,
            deleted: None,
            text: format!("{head}\n"),
            signatures: Vec::new(),
        };
        for line in lines {
            note.extend(line)?;
        }
        let signatures = signatures.strip_suffix('\n')?;
        note.signatures = signatures
            .split('\n')
            .map(Signature::parse)
            .collect::<Option<_>>()?;
        Some(note)
    }

    fn extend(&mut self, line: &str) -> Option<()> {
        let is_new = match line.split_once(' ') {
            Some(("time", time)) => self.time.replace(printable(time)?).is_none(),
            Some(("next-key", key)) => self.next_key.replace(VerifyingKey::parse(key)?).is_none(),
            Some(("deleted", range)) => {
                let (first, last) = range.split_once('-')?;
                let range = (number(first)?, number(last)?);
                self.deleted.replace(range).is_none()
            }
            // A later version may say more; it is signed like the rest.
            _ => !line.is_empty(),
        };
        is_new.then_some(())
    }

    /// Whether `key` signed it; nothing when it does not claim to have.
    pub(crate) fn is_signed_by(&self, key: &VerifyingKey) -> Option<bool> {
        let claims = self
            .signatures
            .iter()
            .filter(|signature| signature.name == key.name && signature.id == key.id);
        let mut verified = claims.map(|signature| {
            UnparsedPublicKey::new(&ED25519, key.public)
                .verify(self.text.as_bytes(), &signature.bytes)
                .is_ok()
        });
        let first = verified.next()?;
        Some(first && verified.all(|is_good| is_good))
    }

    /// The names of those who claim to have signed it.
    pub(crate) fn signers(&self) -> String {
        let names: Vec<_> = self
            .signatures
            .iter()
            .map(|signature| shown_id(signature.id))
            .collect();
        names.join(" ")
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        is_name(name).then(|| Self {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

/// An Ed25519 key that checkpoints are verified with, written as `<name>+<id>+<base64>` (C2SP signed-note).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    pub(crate) name: String,
    pub(crate) id: KeyId,
    public: [u8; 32],
}

impl VerifyingKey {
    /// Reads one key. Its id must be that of its name and its bytes.
    pub fn parse(text: &str) -> Option<Self> {
        // The base64 may hold a plus.
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let key = STANDARD.decode(key).ok()?;
        let public: [u8; 32] = key.strip_prefix(ED25519_ALGORITHM)?.try_into().ok()?;
        let hash = Digest::of_parts(&[name.as_bytes(), b"\n", ED25519_ALGORITHM, &public]);
        let known = *hash.as_bytes().first_chunk::<4>()?;
        (is_name(name) && shown_id(known) == id).then(|| Self {
            name: name.to_owned(),
            id: known,
            public,
        })
    }

    /// Reads a file of keys, one a line; empty lines and lines that start with `#` say nothing.
    ///
    /// # Errors
    /// The number of the first line that holds no key, from 1.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, usize> {
        let lines = text.lines().map(str::trim).enumerate();
        let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        keys.map(|(at, line)| Self::parse(line).ok_or(at.saturating_add(1)))
            .collect()
    }

    /// The id in hexadecimal.
    pub fn shown(&self) -> String {
        shown_id(self.id)
    }
}

/// Those who may sign, and who does now.
#[derive(Debug)]
pub(crate) struct Keyring {
    known: Vec<VerifyingKey>,
    in_force: Option<KeyId>,
    retired: Vec<KeyId>,
}

impl Keyring {
    pub(crate) fn new(known: Vec<VerifyingKey>) -> Self {
        Self {
            known,
            in_force: None,
            retired: Vec::new(),
        }
    }

    /// The key that signed `note`, wherever it comes from: one that is known now, or was.
    pub(crate) fn signer(&self, note: &Note) -> Result<KeyId, FaultKind> {
        let mut found = None;
        for key in &self.known {
            match note.is_signed_by(key) {
                None => {}
                Some(false) => return Err(FaultKind::BadSignature),
                Some(true) if key.name != note.origin => return Err(FaultKind::WrongOrigin),
                Some(true) if self.in_force == Some(key.id) => found = Some(key.id),
                Some(true) => found = found.or(Some(key.id)),
            }
        }
        found.ok_or(FaultKind::UnknownKey)
    }

    /// The key that signed the next checkpoint of the ledger, which must be the one in force. A note that names another
    /// puts that in force, when both signed it.
    pub(crate) fn advance(&mut self, note: &Note) -> Result<KeyId, FaultKind> {
        let signer = self.signer(note)?;
        match self.in_force {
            Some(now) if now == signer => {}
            Some(_) if self.retired.contains(&signer) => return Err(FaultKind::RetiredKey),
            Some(_) => return Err(FaultKind::UnannouncedKey),
            None => self.in_force = Some(signer),
        }
        let Some(next) = &note.next_key else {
            return Ok(signer);
        };
        if next.name != note.origin || note.is_signed_by(next) != Some(true) {
            return Err(FaultKind::BrokenRotation);
        }
        if next.id != signer {
            self.retired.push(signer);
            self.in_force = Some(next.id);
        }
        if !self.known.contains(next) {
            self.known.push(next.clone());
        }
        Ok(signer)
    }
}

pub(crate) fn shown_id(id: KeyId) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

/// C2SP signed-note: a name is not empty and has neither white space nor a plus.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'+')
}

fn printable(text: &str) -> Option<String> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| text.to_owned())
}

/// Decimal digits as there is only one way to write them.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The algorithm byte of Ed25519 (C2SP signed-note).
const ED25519_ALGORITHM: &[u8] = &[1];
/// No note is nearly as long, in bytes.
const LONGEST: usize = 16 << 10;

//! Who asks, in the digests by which sessions and tasks tell their owners apart. Holds no name and no key.

use crate::identity::{Principal, Thumbprint};
use crate::model::{Digest, RoleName, ServerName};

/// Who asks at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asker {
    /// A person, whatever program acts for them and with which rights: what bounds are counted by.
    pub(crate) person: Digest,
    /// Who makes tasks: a client acts for itself alone, and so does each key.
    pub(crate) maker: Digest,
    /// Who owns sessions: a token with other roles must not be told what a session of stronger ones was answered.
    pub(crate) owner: Digest,
    /// The policy by which they are judged.
    pub(crate) policy: Digest,
}

impl Asker {
    /// `principal` at `server`, judged by `policy`.
    pub(crate) fn of(server: &ServerName, principal: &Principal, policy: Digest) -> Self {
        let maker = maker(server, principal);
        Self {
            person: person(principal),
            owner: owner(&maker, principal),
            maker,
            policy,
        }
    }
}

/// Subjects of different issuers are different people.
fn person(principal: &Principal) -> Digest {
    Digest::of_framed(&[
        principal.issuer().as_str().as_bytes(),
        principal.subject().as_bytes(),
    ])
}

fn maker(server: &ServerName, principal: &Principal) -> Digest {
    let key = |bound: &Option<Thumbprint>| bound.as_ref().map_or("", Thumbprint::as_str).to_owned();
    let confirmation = principal.confirmation();
    Digest::of_framed(&[
        server.as_str().as_bytes(),
        principal.issuer().as_str().as_bytes(),
        principal.subject().as_bytes(),
        principal.client_id().unwrap_or_default().as_bytes(),
        key(&confirmation.key).as_bytes(),
        key(&confirmation.certificate).as_bytes(),
    ])
}

fn owner(maker: &Digest, principal: &Principal) -> Digest {
    let roles = principal.roles().iter().map(RoleName::as_str);
    let parts: Vec<&[u8]> = std::iter::once(maker.as_bytes().as_slice())
        .chain(roles.map(str::as_bytes))
        .collect();
    Digest::of_framed(&parts)
}

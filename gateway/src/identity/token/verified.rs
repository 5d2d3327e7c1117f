//! A token whose claims and signature were checked. It grants nothing: only [`bind`](VerifiedToken::bind) makes a
//! principal of it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::checks::{self, Case};
use super::claims;
use super::jwt::Jwt;
use super::opaque;
use crate::identity::credential::RawToken;
use crate::identity::error::Unverified;
use crate::identity::keys::{IssuerKeys, Proof};
use crate::identity::settings::{Audience, IssuerSettings};
use crate::model::{Digest, UnixTime};

/// The claims of a token that is who it says it is from. Not `Clone`: it is spent by binding it.
#[must_use]
pub(in crate::identity) struct VerifiedToken<'a> {
    issuer: &'a IssuerSettings,
    claims: Map<String, Value>,
    digest: Digest,
    expires: UnixTime,
}

/// A token whose claims fit this server and this moment; its signature is still to be proven.
pub(in crate::identity) struct Candidate<'a> {
    jwt: Jwt<'a>,
    digest: Digest,
    expires: UnixTime,
}

impl<'a> Candidate<'a> {
    /// Checks everything that costs nothing, so that a signature is only computed for a token that could pass.
    pub(in crate::identity) fn check(
        jwt: Jwt<'a>,
        token: &RawToken,
        issuer: &IssuerSettings,
        audience: &Audience,
        now: UnixTime,
    ) -> Result<Self, Unverified> {
        checks::judge(&Case {
            header: jwt.header(),
            claims: jwt.claims(),
            audience,
            issuer: Some(issuer),
            now,
        })?;
        let expires = claims::expiry(jwt.claims())?;
        Ok(Self {
            jwt,
            digest: token.digest(),
            expires,
        })
    }

    /// Proves the signature with the issuer's key; also says with which generation of keys.
    pub(in crate::identity) async fn prove(
        self,
        keys: &Arc<IssuerKeys>,
    ) -> Result<(VerifiedToken<'_>, Proof), Unverified> {
        let proof = keys.prove(&self.jwt).await?;
        let token = VerifiedToken {
            issuer: keys.settings(),
            claims: self.jwt.into_claims(),
            digest: self.digest,
            expires: self.expires,
        };
        Ok((token, proof))
    }
}

impl<'a> VerifiedToken<'a> {
    /// A token of which its issuer said, a moment ago, what it is.
    pub(in crate::identity) fn introspected(
        issuer: &'a IssuerSettings,
        mut said: Map<String, Value>,
        digest: Digest,
        (audience, now): (&Audience, UnixTime),
    ) -> Result<Self, Unverified> {
        let expires = opaque::check(&mut said, issuer, audience, now)?;
        Ok(Self {
            issuer,
            claims: said,
            digest,
            expires,
        })
    }
}

impl VerifiedToken<'_> {
    pub(in crate::identity) const fn issuer(&self) -> &IssuerSettings {
        self.issuer
    }

    pub(in crate::identity) const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    pub(in crate::identity) const fn digest(&self) -> Digest {
        self.digest
    }

    pub(in crate::identity) const fn expires(&self) -> UnixTime {
        self.expires
    }
}

#[cfg(test)]
mod tests {
    use super::VerifiedToken;

    /// Two ways to `Copies` exist for whatever is `Clone`: then the call below is ambiguous and does not compile.
    trait Copies<Way> {
        fn never() {}
    }
    impl<T> Copies<()> for T {}
    impl<T: Clone> Copies<u8> for T {}

    #[test]
    fn a_verified_token_is_not_clone() {
        <VerifiedToken<'static> as Copies<_>>::never();
    }
}

//! Judges one request to the token endpoint: RFC 6749 client credentials with RFC 8707 resources.
//! Reads bytes, answers facts; never makes a token and never tells which half of a client's credentials was wrong.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use url::Url;
use url::form_urlencoded;

use super::DevRole;
use crate::model::{Digest, Secret};

#[cfg(test)]
mod tests;

/// The registered clients' secrets.
#[derive(Debug)]
pub(super) struct Clients {
    reader: Secret<String>,
    editor: Secret<String>,
}

/// What a client may have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Granted {
    /// Whose client it is.
    pub(super) role: DevRole,
    /// The one resource that the token is for.
    pub(super) audience: String,
    /// Scopes separated by spaces, each of them registered for the client.
    pub(super) scope: String,
}

/// Why there is no token, in the words of RFC 6749 section 5.2 and RFC 8707 section 2.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum NotGranted {
    #[error("a parameter is missing, unreadable or given twice")]
    InvalidRequest,
    #[error("the client's id and secret do not belong together")]
    InvalidClient,
    #[error("the only grant type here is client_credentials")]
    UnsupportedGrantType,
    #[error("a scope is not registered for this client")]
    InvalidScope,
    #[error("name exactly one resource, an absolute URI without a fragment")]
    InvalidTarget,
}

impl NotGranted {
    /// The error code on the wire.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
        }
    }
}

impl Clients {
    /// Registers both clients.
    pub(super) const fn new(reader: Secret<String>, editor: Secret<String>) -> Self {
        Self { reader, editor }
    }

    /// The secret of this role's client.
    pub(super) const fn secret(&self, role: DevRole) -> &Secret<String> {
        match role {
            DevRole::Reader => &self.reader,
            DevRole::Editor => &self.editor,
        }
    }

    /// Judges the `Authorization` header and the form of one token request.
    pub(super) fn judge(
        &self,
        authorization: Option<&str>,
        form: &[u8],
    ) -> Result<Granted, NotGranted> {
        let form = Form::parse(form)?;
        let role = self.authenticate(authorization, &form)?;
        match form.one("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(NotGranted::UnsupportedGrantType),
            None => return Err(NotGranted::InvalidRequest),
        }
        Ok(Granted {
            role,
            audience: target(&form)?,
            scope: scope(&form, role)?,
        })
    }

    fn authenticate(
        &self,
        authorization: Option<&str>,
        form: &Form,
    ) -> Result<DevRole, NotGranted> {
        let by_form = form.one("client_id").zip(form.one("client_secret"));
        // RFC 6749 section 2.3: one method in each request.
        let (id, secret) = match (authorization, by_form) {
            (Some(_), Some(_)) => return Err(NotGranted::InvalidRequest),
            (Some(header), None) => basic(header).ok_or(NotGranted::InvalidClient)?,
            (None, Some((id, secret))) => (id.to_owned(), secret.to_owned()),
            (None, None) => return Err(NotGranted::InvalidClient),
        };
        let role = DevRole::ALL.into_iter().find(|role| role.client_id() == id);
        // Digests, so that the time of a comparison tells nothing about the secret.
        role.filter(|role| {
            Digest::of(secret.as_bytes()) == Digest::of(self.secret(*role).expose().as_bytes())
        })
        .ok_or(NotGranted::InvalidClient)
    }
}

/// The form's parameters. None but `resource` comes twice (RFC 6749 section 3.2).
struct Form(HashMap<String, Vec<String>>);

impl Form {
    fn parse(body: &[u8]) -> Result<Self, NotGranted> {
        let mut parameters: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            parameters
                .entry(name.into_owned())
                .or_default()
                .push(value.into_owned());
        }
        let is_repeated = parameters
            .iter()
            .any(|(name, values)| name != "resource" && values.len() > 1);
        if is_repeated {
            Err(NotGranted::InvalidRequest)
        } else {
            Ok(Self(parameters))
        }
    }

    fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }
}

/// RFC 7617. Ids and secrets here hold nothing that RFC 6749 section 2.3.1 would encode.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = scheme
        .eq_ignore_ascii_case("basic")
        .then(|| STANDARD.decode(encoded.trim()))?
        .ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn target(form: &Form) -> Result<String, NotGranted> {
    let [resource] = form.all("resource") else {
        return Err(NotGranted::InvalidTarget);
    };
    match Url::parse(resource) {
        Ok(url) if url.has_host() && url.fragment().is_none() => Ok(resource.clone()),
        Ok(_) | Err(_) => Err(NotGranted::InvalidTarget),
    }
}

fn scope(form: &Form, role: DevRole) -> Result<String, NotGranted> {
    let Some(wanted) = form.one("scope") else {
        return Ok(role.scopes().join(" "));
    };
    let is_registered = wanted
        .split(' ')
        .all(|scope| role.scopes().contains(&scope));
    is_registered
        .then(|| wanted.to_owned())
        .ok_or(NotGranted::InvalidScope)
}

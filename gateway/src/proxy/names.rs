//! Under which names the records of a request tell of those who made it. Never lets a request go on without them.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::audit::names::{Alias, BookError, Names};
use crate::decision::Refusal;
use crate::identity::{Principal, PrincipalKind};
use crate::mcp::Message;
use crate::model::Reason;
use crate::proxy::admit::{Arrival, Unreadable};
use crate::proxy::refuse::Refused;
use crate::telemetry::logs::chain;

/// Gives the request of `principal` the names that its records use, if those are not the plain ones.
///
/// # Errors
/// The refusal, when they cannot be had: nothing may be recorded then.
pub(crate) async fn give(
    arrival: &mut Arrival,
    principal: &Arc<Principal>,
) -> Result<(), Box<Refused>> {
    let Some(book) = &arrival.services.names else {
        return Ok(());
    };
    let source = arrival.request.source;
    let remembered = names(principal, source, |issuer, subject| {
        book.remembered(issuer, subject)
    });
    let found = if let Ok(names) = remembered {
        Ok(names)
    } else {
        let (book, principal) = (Arc::clone(book), Arc::clone(principal));
        let look = move || {
            names(&principal, source, |issuer, subject| {
                book.alias(issuer, subject)
            })
        };
        let looked = tokio::task::spawn_blocking(look).await;
        looked.unwrap_or(Err(BookError::Unread))
    };
    match found {
        Ok(names) => {
            arrival.request.names = Some(Arc::new(names));
            Ok(())
        }
        Err(error) => {
            tracing::error!(error = chain(&error), "a person cannot be given a name");
            arrival.count_decision(Some(Reason::AuditUnavailable));
            let refusal = Refusal::unrecorded(&arrival.request);
            Err(arrival.refused(principal, refusal, Unreadable::default()))
        }
    }
}

fn names(
    principal: &Principal,
    source: Option<SocketAddr>,
    alias: impl Fn(&str, &str) -> Result<Arc<Alias>, BookError>,
) -> Result<Names, BookError> {
    let issuer = principal.issuer().as_str();
    let mut names = Names::default();
    for actor in principal.actors() {
        // What acts is most often the client, which is no person.
        let is_client = Some(actor.subject()) == principal.client_id();
        names.actors.push(if is_client {
            None
        } else {
            Some(alias(actor.issuer().unwrap_or(issuer), actor.subject())?)
        });
    }
    match principal.kind() {
        PrincipalKind::User => {
            let subject = alias(issuer, principal.subject())?;
            names.source = source.map(|source| subject.seal(&source.ip().to_string()).into());
            names.token_id = Some(subject.seal(principal.token_id()).into());
            names.subject = Some(subject);
        }
        PrincipalKind::Agent | PrincipalKind::Service => {}
    }
    Ok(names)
}

/// Seals the name that the client gives itself: it is often that of a person's machine.
pub(crate) fn seal_client(arrival: &Arrival, message: &mut Message) {
    let names = arrival.request.names.as_deref();
    let (Some(alias), Message::Request(call)) =
        (names.and_then(|names| names.subject.as_deref()), message)
    else {
        return;
    };
    call.client_name = call.client_name.take().map(|name| alias.seal(&name).into());
}

//! Which server a path means. Compares bytes; never decodes, collapses or redirects.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::config::{Answers, Outliving, Server, Settings};
use crate::decision::freshness::Demands;
use crate::decision::pins::ServerPins;
use crate::identity::binding::ALGORITHMS;
use crate::identity::settings::{Audience, SenderConstraint};
use crate::telemetry::ServerMetrics;
use crate::upstream::UpstreamPeer;

/// Where RFC 9728 section 3.1 puts the metadata of a resource: this, then the resource's path.
const WELL_KNOWN: &[u8] = b"/.well-known/oauth-protected-resource";

/// One fronted server with everything its requests need.
pub struct Route {
    /// What its tokens must prove, with its name.
    pub audience: Audience,
    /// How fresh tokens and logins must be.
    pub demands: Demands,
    /// Whether a call may end after its token has.
    pub outliving: Outliving,
    /// What its answers may hold besides what was asked for.
    pub answers: Answers,
    /// What its tools must be; absent where nothing is pinned.
    pub pins: Option<Arc<ServerPins>>,
    /// Where its requests go.
    pub upstream: UpstreamPeer,
    /// Its counters.
    pub metrics: Arc<ServerMetrics>,
    /// The absolute URL of its metadata document.
    pub metadata_url: String,
    /// The document itself.
    pub metadata: Bytes,
}

/// What a path leads to.
pub enum Found<'a> {
    /// An MCP endpoint.
    Endpoint(&'a Arc<Route>),
    /// The metadata of one.
    Metadata(&'a Arc<Route>),
    /// Nothing.
    Nothing,
}

/// Every path the gateway answers at.
pub struct Routes {
    by_path: HashMap<Box<[u8]>, Arc<Route>>,
    only: Option<Arc<Route>>,
}

impl Routes {
    /// Takes the routes with their paths.
    pub fn new(routes: Vec<(String, Arc<Route>)>) -> Self {
        let only = match routes.as_slice() {
            [(_, route)] => Some(Arc::clone(route)),
            _ => None,
        };
        let by_path = routes
            .into_iter()
            .map(|(path, route)| (path.into_bytes().into(), route))
            .collect();
        Self { by_path, only }
    }

    /// Where `path` leads. `{path}` and `{path}/` are one endpoint.
    pub fn find(&self, path: &[u8]) -> Found<'_> {
        if let Some(route) = self.endpoint(path) {
            return Found::Endpoint(route);
        }
        let Some(rest) = path.strip_prefix(WELL_KNOWN) else {
            return Found::Nothing;
        };
        let route = if rest.is_empty() || rest == b"/" {
            self.only.as_ref()
        } else {
            self.endpoint(rest)
        };
        route.map_or(Found::Nothing, Found::Metadata)
    }

    fn endpoint(&self, path: &[u8]) -> Option<&Arc<Route>> {
        self.by_path
            .get(path)
            .or_else(|| self.by_path.get(path.strip_suffix(b"/")?))
    }

    /// All routes.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.by_path.values()
    }
}

/// The URL of the metadata document of `server` (RFC 9728 section 3.1): from the configuration alone.
pub fn metadata_url(settings: &Settings, server: &Server) -> String {
    format!(
        "{}/.well-known/oauth-protected-resource{}",
        settings.public_url, server.path
    )
}

/// Whether the gateway gets to see client certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificates {
    /// It asks for them, or a listed proxy names them.
    Seen,
    /// It does not.
    Unseen,
}

impl Certificates {
    /// From the configuration.
    pub fn of(settings: &Settings) -> Self {
        let tls = settings.listen.tls.as_ref();
        let asks = tls.is_some_and(|files| files.client_ca_file.is_some());
        if asks || !settings.listen.client_cert_from.is_empty() {
            Self::Seen
        } else {
            Self::Unseen
        }
    }
}

/// The metadata document of `server` (RFC 9728 section 2).
pub fn metadata(server: &Server, certificates: Certificates) -> Bytes {
    let issuers: Vec<_> = server
        .audience
        .issuers
        .iter()
        .map(crate::model::IssuerUrl::as_str)
        .collect();
    let mut document = json!({
        "resource": server.resource,
        "authorization_servers": issuers,
        "scopes_supported": server.audience.scopes,
        "bearer_methods_supported": ["header"],
    });
    let constraint = server.audience.sender_constraint;
    if let Some(members) = document.as_object_mut() {
        if constraint.takes_dpop() {
            let algorithms: Vec<_> = ALGORITHMS.split(' ').collect();
            members.insert(
                "dpop_signing_alg_values_supported".into(),
                json!(algorithms),
            );
        }
        if constraint == SenderConstraint::Dpop {
            members.insert("dpop_bound_access_tokens_required".into(), json!(true));
        }
        if certificates == Certificates::Seen && constraint != SenderConstraint::Dpop {
            members.insert(
                "tls_client_certificate_bound_access_tokens".into(),
                json!(true),
            );
        }
    }
    Bytes::from(document.to_string())
}

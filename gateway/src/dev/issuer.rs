//! An OAuth authorization server for trying things out: a fresh key at each start, two clients, loopback only.
//! Never a place for real users: it issues what it is asked to for whoever holds a client's secret.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use uuid::Uuid;

use super::grant::{Clients, Granted, NotGranted};
use super::listening::{Answered, Listening};
use super::signing::{SigningKey, random_text};
use super::{DevError, DevRole};
use crate::model::{Clock, IssuerUrl, Secret};

#[cfg(test)]
mod tests;

/// A running issuer. Dropping it closes its port.
#[derive(Debug)]
pub struct DevIssuer {
    issuer: Arc<Issuer>,
    _listening: Listening,
}

#[derive(Debug)]
struct Issuer {
    url: IssuerUrl,
    key: SigningKey,
    clients: Clients,
    clock: Arc<dyn Clock>,
}

impl DevIssuer {
    /// Makes a key and two client secrets, and listens on a free port of 127.0.0.1. Needs a Tokio runtime.
    pub async fn start(clock: Arc<dyn Clock>) -> Result<Self, DevError> {
        let listener = Listening::bind().await?;
        let address = listener
            .local_addr()
            .map_err(|source| DevError::Listen { source })?;
        let issuer = Arc::new(Issuer {
            url: IssuerUrl::new(format!("http://{address}")),
            key: SigningKey::generate()?,
            clients: Clients::new(Secret::new(random_text()?), Secret::new(random_text()?)),
            clock,
        });
        let shared = Arc::clone(&issuer);
        let listening = Listening::serve(listener, move |request| {
            let issuer = Arc::clone(&shared);
            async move { issuer.answer(request).await }
        })?;
        Ok(Self {
            issuer,
            _listening: listening,
        })
    }

    /// The issuer's identifier, as its tokens carry it in `iss`.
    pub fn url(&self) -> &IssuerUrl {
        &self.issuer.url
    }

    /// Where tokens are asked for.
    pub fn token_endpoint(&self) -> String {
        self.issuer.endpoint(TOKEN)
    }

    /// The secret of this role's client, for the token endpoint.
    pub fn secret(&self, role: DevRole) -> &Secret<String> {
        self.issuer.clients.secret(role)
    }

    /// A token for this role's agent acting for the user `subject` (`act`, RFC 8693 section 4.1).
    pub fn token(
        &self,
        role: DevRole,
        subject: &str,
        audience: &str,
        lifetime: Duration,
    ) -> Result<Secret<String>, DevError> {
        let granted = Granted {
            role,
            audience: audience.to_owned(),
            scope: role.scopes().join(" "),
        };
        let mut claims = self.issuer.claims(&granted, subject, lifetime);
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("act".to_owned(), json!({ "sub": role.client_id() }));
        }
        self.issuer.key.sign(&claims)
    }
}

impl Issuer {
    async fn answer(&self, request: Request<Incoming>) -> Answered {
        match (request.method(), request.uri().path()) {
            (&Method::GET, METADATA | OPENID) => respond(StatusCode::OK, &self.metadata()),
            (&Method::GET, JWKS) => respond(StatusCode::OK, &json!({ "keys": [self.key.jwk()] })),
            (&Method::POST, TOKEN) => self.token_request(request).await,
            (_, METADATA | OPENID | JWKS | TOKEN) => respond(
                StatusCode::METHOD_NOT_ALLOWED,
                &json!({ "error": "method_not_allowed" }),
            ),
            _ => respond(StatusCode::NOT_FOUND, &json!({ "error": "not_found" })),
        }
    }

    async fn token_request(&self, request: Request<Incoming>) -> Answered {
        let granted = match read_form(request).await {
            Ok((headers, form)) => {
                authorization(&headers).and_then(|header| self.clients.judge(header, &form))
            }
            Err(fault) => Err(fault),
        };
        let granted = match granted {
            Ok(granted) => granted,
            Err(fault) => return refuse(&fault),
        };
        // RFC 9068 section 2.2: without a user, the client is the subject.
        let claims = self.claims(&granted, granted.role.client_id(), LIFETIME);
        match self.key.sign(&claims) {
            Ok(token) => respond(
                StatusCode::OK,
                &json!({
                    "access_token": token.expose(), "token_type": "Bearer",
                    "expires_in": LIFETIME.as_secs(), "scope": granted.scope,
                }),
            ),
            Err(_) => respond(
                StatusCode::INTERNAL_SERVER_ERROR,
                &json!({ "error": "server_error" }),
            ),
        }
    }

    /// The claims of RFC 9068 section 2.2, with `roles` of section 2.2.3.1.
    fn claims(&self, granted: &Granted, subject: &str, lifetime: Duration) -> Value {
        let now = self.clock.now();
        json!({
            "iss": self.url.as_str(),
            "sub": subject,
            "aud": granted.audience,
            "iat": now.seconds(),
            "exp": now.plus(lifetime).seconds(),
            "jti": Uuid::now_v7().to_string(),
            "client_id": granted.role.client_id(),
            "scope": granted.scope,
            "roles": [granted.role.name()],
        })
    }

    /// RFC 8414 section 2; the last two members are what OpenID Connect Discovery 1.0 wants besides.
    fn metadata(&self) -> Value {
        json!({
            "issuer": self.url.as_str(),
            "token_endpoint": self.endpoint(TOKEN),
            "jwks_uri": self.endpoint(JWKS),
            "scopes_supported": DevRole::Editor.scopes(),
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

async fn read_form(request: Request<Incoming>) -> Result<(HeaderMap, Bytes), NotGranted> {
    let (head, body) = request.into_parts();
    let media_type = head
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(NotGranted::InvalidRequest);
    }
    let collected =
        tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, BODY_LIMIT).collect()).await;
    let Ok(Ok(collected)) = collected else {
        return Err(NotGranted::InvalidRequest);
    };
    Ok((head.headers, collected.to_bytes()))
}

fn authorization(headers: &HeaderMap) -> Result<Option<&str>, NotGranted> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let first = lines.next();
    if lines.next().is_some() {
        return Err(NotGranted::InvalidRequest);
    }
    first
        .map(HeaderValue::to_str)
        .transpose()
        .map_err(|_| NotGranted::InvalidRequest)
}

fn refuse(fault: &NotGranted) -> Answered {
    let body = json!({ "error": fault.code(), "error_description": fault.to_string() });
    if *fault != NotGranted::InvalidClient {
        return respond(StatusCode::BAD_REQUEST, &body);
    }
    let mut answered = respond(StatusCode::UNAUTHORIZED, &body);
    answered.headers_mut().insert(
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"token\""),
    );
    answered
}

fn respond(status: StatusCode, body: &Value) -> Answered {
    let mut answered = Response::new(Full::new(Bytes::from(body.to_string())).boxed());
    *answered.status_mut() = status;
    for (name, value) in HEADERS {
        answered
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    answered
}

const METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";
const JWKS: &str = "/jwks";
const TOKEN: &str = "/token";
/// Of a token from the token endpoint.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
const BODY_LIMIT: usize = 16 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// RFC 6749 section 5.1 wants `no-store`.
const HEADERS: [(HeaderName, &str); 2] = [
    (CONTENT_TYPE, "application/json"),
    (CACHE_CONTROL, "no-store"),
];

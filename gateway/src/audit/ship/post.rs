//! One POST to a collector, and what its answer means. Never follows a redirect, never shows a URL or a token, never
//! believes more of an answer than it needs.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, redirect};

use super::settings::HttpSettings;
use super::shipper::ShipError;

/// A collector.
pub(super) struct Poster {
    client: Client,
    url: String,
    token_file: Option<PathBuf>,
    timeout: Duration,
    content_type: HeaderValue,
}

impl Poster {
    /// Prepares requests; sends none. The error says why there can be none.
    pub(super) fn new(settings: &HttpSettings, content_type: &'static str) -> Result<Self, String> {
        // Whoever was first has installed this very one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(settings.timeout)
            .no_proxy()
            .user_agent(concat!("gatewright/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &settings.ca_file {
            let pem = std::fs::read(path).map_err(|error| error.to_string())?;
            let trusted = Certificate::from_pem_bundle(&pem).map_err(|error| error.to_string())?;
            if trusted.is_empty() {
                return Err("the `ca_file` holds no certificate".to_owned());
            }
            builder = builder.tls_certs_only(trusted);
        }
        Ok(Self {
            client: builder.build().map_err(|error| error.to_string())?,
            url: settings.url.clone(),
            token_file: settings.token_file.clone(),
            timeout: settings.timeout,
            content_type: HeaderValue::from_static(content_type),
        })
    }

    /// Sends `body` and waits for the answer: its first bytes, when the collector took the body.
    pub(super) async fn post(&self, body: Bytes) -> Result<Bytes, ShipError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, self.content_type.clone());
        if let Some(path) = &self.token_file {
            headers.insert(AUTHORIZATION, bearer(path).await?);
        }
        let request = self.client.post(&self.url).headers(headers).body(body);
        let answer = request.send().await.map_err(|error| self.failed(error))?;
        judge(answer.status().as_u16(), answer.headers())?;
        Ok(beginning(answer).await)
    }

    fn failed(&self, error: reqwest::Error) -> ShipError {
        if error.is_timeout() {
            return ShipError::TimedOut(self.timeout);
        }
        ShipError::Unreachable(causes(&error.without_url()))
    }
}

/// What the status of an answer means.
fn judge(status: u16, headers: &HeaderMap) -> Result<(), ShipError> {
    match status {
        200..=299 => Ok(()),
        413 => Err(ShipError::TooLarge),
        408 | 429 | 500..=599 => {
            let asked = headers
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok());
            let seconds = asked.and_then(|text| text.trim().parse().ok());
            Err(ShipError::Busy {
                status,
                retry_after: seconds.map(Duration::from_secs),
            })
        }
        _ => Err(ShipError::Refused(format!("status {status}"))),
    }
}

/// The credential as the file has it now.
async fn bearer(path: &std::path::Path) -> Result<HeaderValue, ShipError> {
    let unreadable = |cause: String| ShipError::Unreadable(format!("the token file: {cause}"));
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|error| unreadable(error.kind().to_string()))?;
    let token = text.trim_end_matches(['\r', '\n']);
    if token.is_empty() {
        return Err(unreadable("it is empty".to_owned()));
    }
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| unreadable("it holds no token".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The answer counts by its status alone: a body that breaks off is as good as none.
async fn beginning(mut answer: Response) -> Bytes {
    let mut found = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        found.extend_from_slice(&chunk);
        if found.len() > ENOUGH {
            break;
        }
    }
    found.into()
}

/// The error and what is behind it: never a word of the destination.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}

/// Bytes.
const ENOUGH: usize = 64 << 10;

#[cfg(test)]
mod tests;

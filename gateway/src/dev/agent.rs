//! A plain HTTP client for the tests of this folder. Never follows, retries or interprets.

use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// What came back.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Reply {
    /// The body as JSON: the whole of it, or the last event of a stream that carries any.
    pub(super) fn json(&self) -> Value {
        let mut data = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(str::trim);
        let text = data.rfind(|data| !data.is_empty()).unwrap_or(&self.text);
        serde_json::from_str(text)
            .unwrap_or_else(|fault| panic!("{fault}: {} {}", self.status, self.text))
    }
}

/// Sends one request.
pub(super) async fn send(request: Request<String>) -> Reply {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = client
        .request(request.map(Full::<bytes::Bytes>::from))
        .await
        .unwrap()
        .into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Reply {
        status: head.status,
        headers: head.headers,
        text,
    }
}

/// Fetches one URL.
pub(super) async fn fetch(url: &str) -> Reply {
    send(Request::get(url).body(String::new()).unwrap()).await
}

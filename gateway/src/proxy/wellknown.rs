//! Protected-resource metadata (RFC 9728 section 3): open to everyone, the same whatever the client sends.

use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use crate::proxy::route::Route;

/// Sends the document of `route`.
///
/// # Errors
/// pingora's, when the client went away.
pub(crate) async fn answer(session: &mut Session, route: &Route) -> pingora::Result<()> {
    let method = session.req_header().method.clone();
    let (status, body) = match method.as_str() {
        "GET" | "HEAD" => (200, Some(route.metadata.clone())),
        "OPTIONS" => (204, None),
        _ => (405, None),
    };
    let mut head = ResponseHeader::build(status, Some(6))?;
    head.insert_header("access-control-allow-origin", "*")?;
    head.insert_header("access-control-allow-methods", "GET, HEAD, OPTIONS")?;
    head.insert_header(
        "access-control-allow-headers",
        "mcp-protocol-version, accept, content-type",
    )?;
    if status == 405 {
        head.insert_header("allow", "GET, HEAD, OPTIONS")?;
    }
    if status != 204 {
        head.insert_header("content-length", body.as_ref().map_or(0, bytes::Bytes::len))?;
    }
    if body.is_some() {
        head.insert_header("content-type", "application/json")?;
        head.insert_header("cache-control", "max-age=300")?;
    }
    let body = body.filter(|_| method == http::Method::GET);
    session
        .write_response_header(Box::new(head), body.is_none())
        .await?;
    match body {
        Some(body) => session.write_response_body(Some(body), true).await,
        None => Ok(()),
    }
}

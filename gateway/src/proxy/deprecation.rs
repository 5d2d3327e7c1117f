//! Tells agents that hold a key when keys end here. Says nothing to anybody else.

use jiff::Timestamp;
use pingora::http::ResponseHeader;

use crate::identity::{Origin, Principal};
use crate::model::UnixTime;

/// Adds `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) to the answer to a request that was made with a key. Keys
/// exist only to be replaced: each is deprecated from the day on which it was made.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub(crate) fn tell(principal: &Principal, head: &mut ResponseHeader) -> pingora::Result<()> {
    if principal.origin() != Origin::ApiKey {
        return Ok(());
    }
    if let Some(since) = principal.issued() {
        head.insert_header("deprecation", format!("@{}", since.seconds()))?;
    }
    if let Some(date) = http_date(principal.expires()) {
        head.insert_header("sunset", date)?;
    }
    Ok(())
}

/// RFC 9110 section 5.6.7, IMF-fixdate.
fn http_date(at: UnixTime) -> Option<String> {
    let seconds = i64::try_from(at.seconds()).ok()?;
    let at = Timestamp::from_second(seconds).ok()?;
    Some(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::http_date;
    use crate::model::UnixTime;

    #[test]
    fn a_date_is_written_as_http_writes_it() {
        let date = |seconds| http_date(UnixTime::from_seconds(seconds));
        assert_eq!(
            date(784_111_777).as_deref(),
            Some("Sun, 06 Nov 1994 08:49:37 GMT")
        );
        assert_eq!(
            date(1_801_440_000).as_deref(),
            Some("Mon, 01 Feb 2027 00:00:00 GMT")
        );
    }
}

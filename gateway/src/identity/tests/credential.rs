//! One credential, or none.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::identity::credential::{ApiKeyHeader, Credential, Unpresented, present};
use crate::identity::error::RESULTS;
use crate::model::Reason;

fn lines(lines: &[&str]) -> Result<String, Unpresented> {
    asked(lines, None)
}

fn asked(lines: &[&str], query: Option<&str>) -> Result<String, Unpresented> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(
            AUTHORIZATION,
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        );
    }
    let credential = present(&headers, query, 16, ApiKeyHeader::Ignored)?;
    let Credential::Bearer(token) = credential else {
        panic!("{credential:?}");
    };
    Ok(token.expose().to_owned())
}

#[test]
fn no_credential_is_missing() {
    assert_eq!(lines(&[]), Err(Unpresented::Missing));
}

#[test]
fn one_bearer_token_is_presented() {
    assert_eq!(lines(&["Bearer a.b-_~+/c=="]).as_deref(), Ok("a.b-_~+/c=="));
    assert_eq!(
        asked(&["Bearer abc"], Some("x=1&token=2")).as_deref(),
        Ok("abc")
    );
}

#[test]
fn another_scheme_is_missing() {
    for line in [
        "Basic dXNlcjpwYXNz",
        "Digest a=\"b\", c=\"d\"",
        "Negotiate",
        "x",
    ] {
        assert_eq!(lines(&[line]), Err(Unpresented::Missing), "{line}");
    }
}

#[test]
fn j35_a_token_past_the_limit_is_refused() {
    assert_eq!(
        lines(&[&format!("Bearer {}", "a".repeat(16))])
            .unwrap()
            .len(),
        16
    );
    let refused = lines(&[&format!("Bearer {}", "a".repeat(17))]);
    assert_eq!(
        refused,
        Err(Unpresented::TooLarge {
            bytes: 17,
            limit: 16
        })
    );
}

#[test]
fn j51_a_token_in_the_query_is_refused() {
    for query in [
        "access_token=abc",
        "x=1&access_token=abc",
        "access_token",
        "access%5Ftoken=abc",
        "ACCESS_TOKEN=a",
        "x;access_token=a",
        "%61ccess_token=a&x",
    ] {
        assert_eq!(
            asked(&[], Some(query)),
            Err(Unpresented::InQuery),
            "{query}"
        );
    }
    assert_eq!(
        asked(&[], Some("my_access_token=1&q=access_token")),
        Err(Unpresented::Missing)
    );
}

#[test]
fn j52_a_token_in_header_and_query_is_refused() {
    assert_eq!(
        asked(&["Bearer abc"], Some("access_token=abc")),
        Err(Unpresented::InQuery)
    );
}

#[test]
fn j53_two_credentials_are_refused() {
    for two in [
        vec!["Bearer good", "Bearer bad"],
        vec!["Bearer good", "Bearer good"],
        vec!["Bearer good", "DPoP x"],
        vec!["Basic x", "Bearer good"],
        vec!["Bearer a, Bearer b"],
        vec!["Bearer a,b"],
        vec!["Basic x, bearer b"],
    ] {
        assert_eq!(lines(&two), Err(Unpresented::Duplicated), "{two:?}");
    }
}

#[test]
fn j54_the_scheme_has_no_case_and_one_space() {
    for line in ["bearer x", "BEARER x", "Bearer x"] {
        assert_eq!(lines(&[line]).as_deref(), Ok("x"), "{line}");
    }
    for line in [
        "Bearer  x",
        "Bearer",
        "Bearer ",
        "Bearer x y",
        "Bearer \"x\"",
        "Bearer =",
        "Bearer \u{e4}",
        "Bearer x=y",
    ] {
        assert_eq!(lines(&[line]), Err(Unpresented::Malformed), "{line}");
    }
    for line in ["Bearer\tx", "Bearerx", "Bear er"] {
        assert_eq!(lines(&[line]), Err(Unpresented::Missing), "{line}");
    }
}

#[test]
fn j54_one_character_of_no_token_is_seen_wherever_it_stands() {
    let is_taken = |token: &[u8]| {
        let mut headers = HeaderMap::new();
        let line = HeaderValue::from_bytes(&[b"Bearer ", token].concat()).unwrap();
        headers.insert(AUTHORIZATION, line);
        present(&headers, None, 100, ApiKeyHeader::Ignored).is_ok()
    };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    // What a header line can hold at all, but the comma, which lists credentials.
    for byte in (b' '..=u8::MAX).filter(|byte| !matches!(byte, b',' | 0x7f)) {
        for place in 0..69 {
            let mut token = [b'x'; 70];
            token[place] = byte;
            assert_eq!(is_taken(&token), known(byte), "{byte:#x} at {place}");
        }
    }
}

#[test]
fn every_cause_has_its_reason_and_a_known_label() {
    let expected = [
        (Unpresented::Missing, Reason::CredentialMissing),
        (Unpresented::Duplicated, Reason::CredentialDuplicated),
        (Unpresented::InQuery, Reason::CredentialInQuery),
        (
            Unpresented::TooLarge { bytes: 2, limit: 1 },
            Reason::TokenInvalid,
        ),
        (Unpresented::Malformed, Reason::TokenInvalid),
    ];
    for (cause, reason) in expected {
        assert_eq!(cause.reason(), reason);
        assert!(RESULTS.contains(&cause.result()));
    }
}

#[test]
fn a_credential_is_never_printed() {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer s3cret"));
    let credential = present(&headers, None, 100, ApiKeyHeader::Ignored).unwrap();
    assert_eq!(format!("{credential:?}"), "Bearer((..))");
    assert_eq!(credential.scheme(), "bearer");
}

//! Collectors that fail in each of their ways.

use std::time::{Duration, Instant};

use super::Poster;
use crate::audit::ship::settings::HttpSettings;
use crate::audit::ship::shipper::ShipError;
use crate::audit::ship::support::{Act, Collector};

async fn posted(settings: &HttpSettings) -> Result<(), ShipError> {
    let poster = Poster::new(settings, "application/x-ndjson").unwrap();
    poster.post("{}\n".into()).await.map(drop)
}

#[tokio::test]
async fn a_collector_that_asks_for_patience_is_busy() {
    let collector = Collector::start().await;
    for (status, header, wait) in [
        (429, Some(("retry-after", "7")), Some(7)),
        (
            503,
            Some(("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")),
            None,
        ),
        (500, None, None),
        (502, None, None),
        (504, None, None),
        (408, None, None),
    ] {
        collector.next([Act::Turn(status, header)]);
        match posted(&collector.settings()).await {
            Err(ShipError::Busy {
                status: told,
                retry_after,
            }) => {
                assert_eq!((told, retry_after), (status, wait.map(Duration::from_secs)));
            }
            other => panic!("{status}: {other:?}"),
        }
    }
    assert!(posted(&collector.settings()).await.is_ok());
}

#[tokio::test]
async fn a_collector_that_says_no_refuses() {
    let collector = Collector::start().await;
    for status in [400, 401, 403, 404, 422, 304] {
        collector.next([Act::Turn(status, None)]);
        let told = posted(&collector.settings()).await.unwrap_err();
        assert!(
            matches!(&told, ShipError::Refused(why) if why.contains(&status.to_string())),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (collector, other) = (Collector::start().await, Collector::start().await);
    let to: &'static str = format!("http://{}/in", other.address).leak();
    collector.next([Act::Turn(307, Some(("location", to)))]);
    let told = posted(&collector.settings()).await.unwrap_err();
    assert!(matches!(told, ShipError::Refused(_)), "{told:?}");
    assert_eq!(other.seen(), 0);
}

#[tokio::test]
async fn more_than_a_collector_takes_is_too_large() {
    let collector = Collector::start().await;
    collector.takes_at_most(2);
    let told = posted(&collector.settings()).await.unwrap_err();
    assert!(matches!(told, ShipError::TooLarge), "{told:?}");
}

#[tokio::test]
async fn a_collector_that_hangs_is_given_up_in_time() {
    let collector = Collector::start().await;
    collector.next([Act::Hang]);
    let timeout = Duration::from_millis(100);
    let settings = HttpSettings {
        timeout,
        ..collector.settings()
    };
    let began = Instant::now();
    let told = posted(&settings).await.unwrap_err();
    assert!(matches!(told, ShipError::TimedOut(_)), "{told:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_collector_that_dies_or_is_not_there_cannot_be_reached() {
    let collector = Collector::start().await;
    collector.next([Act::TakeAndDie]);
    let told = posted(&collector.settings()).await.unwrap_err();
    assert!(matches!(told, ShipError::Unreachable(_)), "{told:?}");
    let url = "http://127.0.0.1:1/secret-path?key=hidden".to_owned();
    let settings = HttpSettings {
        url,
        ..collector.settings()
    };
    let told = posted(&settings).await.unwrap_err();
    assert!(matches!(told, ShipError::Unreachable(_)), "{told:?}");
    assert!(
        !told.to_string().contains("hidden"),
        "a URL may hold a secret: {told}"
    );
}

#[tokio::test]
async fn the_token_is_the_one_that_the_file_has_now() {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let settings = HttpSettings {
        token_file: Some(file.clone()),
        ..collector.settings()
    };
    for token in ["first", "second"] {
        std::fs::write(&file, format!("{token}\n")).unwrap();
        posted(&settings).await.unwrap();
    }
    posted(&collector.settings()).await.unwrap();
    let sent: Vec<_> = collector
        .kept()
        .iter()
        .map(|kept| kept.headers.get("authorization").cloned())
        .map(|value| value.map(|value| value.to_str().unwrap().to_owned()))
        .collect();
    let expected = [
        Some("Bearer first".to_owned()),
        Some("Bearer second".to_owned()),
        None,
    ];
    assert_eq!(sent, expected);
    for bad in ["", "\n", "a\nb"] {
        std::fs::write(&file, bad).unwrap();
        let told = posted(&settings).await.unwrap_err();
        assert!(
            matches!(told, ShipError::Unreadable(_)),
            "{bad:?}: {told:?}"
        );
    }
}

#[test]
fn a_ca_file_without_a_certificate_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "nothing").unwrap();
    let settings = HttpSettings {
        url: "https://localhost/".to_owned(),
        token_file: None,
        ca_file: Some(file),
        timeout: Duration::from_secs(1),
        batch: crate::audit::ship::support::BOUNDS,
    };
    assert!(Poster::new(&settings, "application/json").is_err());
}

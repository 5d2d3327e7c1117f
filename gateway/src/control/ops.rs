//! `/livez`, `/readyz` and `/metrics`. Reads, never changes anything, says nothing about who called what.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::control::http::{self, Answer};

/// What the ops listener shows.
pub trait Vitals: Send + Sync + 'static {
    /// Every condition of being ready, with what it is now.
    fn conditions(&self) -> Vec<Condition>;
    /// The metrics in the Prometheus text format.
    fn metrics(&self) -> String;
}

/// One condition of being ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its name, e.g. `keys of corp`.
    pub name: String,
    /// What is wrong; `None` when it holds.
    pub fault: Option<String>,
}

/// Accepts until the task is dropped.
pub async fn serve(listener: TcpListener, vitals: Arc<dyn Vitals>) {
    let handler = Arc::new(move |request: Request<Incoming>| {
        let answer = answer(&request, &*vitals);
        async move { answer }
    });
    let mut spare = Spare::open();
    loop {
        if let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(http::serve(socket, Arc::clone(&handler)));
            continue;
        }
        // Agents have every descriptor: ours makes room for one probe at a time.
        drop(spare);
        if let Ok(Ok((socket, _))) = timeout(PAUSE, listener.accept()).await {
            let _ = timeout(PROBE, http::serve(socket, Arc::clone(&handler))).await;
        }
        spare = Spare::open();
        tokio::time::sleep(PAUSE).await;
    }
}

/// A descriptor that is kept so that there is one to give up, if the system had one.
struct Spare(#[expect(dead_code, reason = "it is held for its descriptor")] Option<File>);

impl Spare {
    fn open() -> Self {
        Self(File::open("/dev/null").ok())
    }
}

/// How long to rest when the system has no descriptors left.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a probe may take that has the last descriptor.
const PROBE: Duration = Duration::from_secs(1);

fn answer<B>(request: &Request<B>, vitals: &dyn Vitals) -> Answer {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return http::text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
    }
    match request.uri().path() {
        "/livez" => http::text(StatusCode::OK, "ok\n"),
        "/readyz" | "/healthz" => ready(
            &vitals.conditions(),
            request.uri().query() == Some("verbose"),
        ),
        "/metrics" => http::with_type(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            vitals.metrics(),
        ),
        _ => http::text(
            StatusCode::NOT_FOUND,
            "here are /livez, /readyz, /readyz?verbose and /metrics\n",
        ),
    }
}

fn ready(conditions: &[Condition], verbose: bool) -> Answer {
    let faults = conditions
        .iter()
        .filter(|condition| condition.fault.is_some())
        .count();
    let status = if faults == 0 {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    if faults == 0 && !verbose {
        return http::text(status, "ok\n");
    }
    let lines = conditions.iter().map(|condition| match &condition.fault {
        None => format!("ok    {}\n", condition.name),
        Some(fault) => format!("fault {}: {fault}\n", condition.name),
    });
    http::text(status, lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{Condition, Vitals, answer};
    use hyper::Request;

    struct Fixed(Option<String>);

    impl Vitals for Fixed {
        fn conditions(&self) -> Vec<Condition> {
            vec![Condition {
                name: "keys of corp".to_owned(),
                fault: self.0.clone(),
            }]
        }

        fn metrics(&self) -> String {
            "gatewright_build_info 1\n".to_owned()
        }
    }

    fn status(path: &str, vitals: &Fixed) -> u16 {
        answer(&Request::get(path).body(()).unwrap(), vitals)
            .status()
            .as_u16()
    }

    #[test]
    fn ready_follows_the_conditions_and_alive_does_not() {
        let (well, ill) = (Fixed(None), Fixed(Some("never fetched".to_owned())));
        assert_eq!(status("/readyz", &well), 200);
        assert_eq!(status("/readyz", &ill), 503);
        assert_eq!(status("/livez", &ill), 200);
        assert_eq!(status("/metrics", &ill), 200);
        assert_eq!(status("/admin", &well), 404);
    }

    #[test]
    fn nothing_can_be_changed_here() {
        let request = Request::post("/metrics").body(()).unwrap();
        assert_eq!(answer(&request, &Fixed(None)).status().as_u16(), 405);
    }
}

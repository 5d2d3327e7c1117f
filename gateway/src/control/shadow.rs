//! What can be asked of a policy without effect over the admin socket, as a request line carries it. Never reads a policy.

use std::time::Duration;

use hyper::Method;
use url::form_urlencoded;

/// Something that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// That another policy is asked too.
    Start {
        /// The file of that policy, an absolute path.
        file: String,
        /// For how long, in whole seconds.
        time: Duration,
    },
    /// That no other policy is asked any more.
    Stop,
}

/// A request that asks nothing that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "`POST {START}` takes `file`, an absolute path, and `seconds`, from 1 to {LONGEST}; `POST {STOP}` takes nothing"
)]
pub struct AskFault;

impl Ask {
    /// Reads a request; `None` when it is about something else.
    pub fn read(method: &Method, path: &str, query: &str) -> Option<Result<Self, AskFault>> {
        match (method, path) {
            (&Method::POST, START) => Some(Self::start(query).ok_or(AskFault)),
            (&Method::POST, STOP) if query.is_empty() => Some(Ok(Self::Stop)),
            (&Method::POST, STOP) => Some(Err(AskFault)),
            _ => None,
        }
    }

    /// The method and the target that say it.
    pub fn write(&self) -> (Method, String) {
        let target = match self {
            Self::Start { file, time } => {
                let query = form_urlencoded::Serializer::new(String::new())
                    .append_pair(FILE, file)
                    .append_pair(SECONDS, &time.as_secs().max(1).to_string())
                    .finish();
                format!("{START}?{query}")
            }
            Self::Stop => STOP.to_owned(),
        };
        (Method::POST, target)
    }

    fn start(query: &str) -> Option<Self> {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (file, seconds) = (pairs.next()?, pairs.next()?);
        let is_whole = pairs.next().is_none() && file.0 == FILE && seconds.0 == SECONDS;
        let seconds: u64 = seconds.1.parse().ok()?;
        let is_good = is_whole && file.1.starts_with('/') && (1..=LONGEST).contains(&seconds);
        is_good.then(|| Self::Start {
            file: file.1.into_owned(),
            time: Duration::from_secs(seconds),
        })
    }
}

const START: &str = "/shadow/start";
const STOP: &str = "/shadow/stop";
const FILE: &str = "file";
const SECONDS: &str = "seconds";
/// Ninety days: what is asked for longer belongs into the configuration.
const LONGEST: u64 = 90 * 86_400;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::Method;

    use super::{Ask, AskFault};

    fn read(target: &str) -> Option<Result<Ask, AskFault>> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ask::read(&Method::POST, path, query)
    }

    #[test]
    fn what_is_asked_is_read_as_it_was_written() {
        let start = Ask::Start {
            file: "/etc/a b&c=d%ü.yaml".to_owned(),
            time: Duration::from_secs(3600),
        };
        for ask in [start, Ask::Stop] {
            let (method, target) = ask.write();
            assert_eq!(
                (method, read(&target)),
                (Method::POST, Some(Ok(ask))),
                "{target}"
            );
        }
    }

    #[test]
    fn what_asks_nothing_clear_is_refused() {
        for target in [
            "/shadow/start",
            "/shadow/start?file=new.yaml&seconds=10",
            "/shadow/start?file=/new.yaml&seconds=0",
            "/shadow/start?file=/new.yaml&seconds=99999999",
            "/shadow/start?file=/new.yaml&seconds=10&more=1",
            "/shadow/stop?all=true",
        ] {
            assert_eq!(read(target), Some(Err(AskFault)), "{target}");
        }
        assert_eq!(read("/shadow"), None);
        assert_eq!(Ask::read(&Method::GET, "/shadow/stop", ""), None);
    }
}

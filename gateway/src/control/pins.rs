//! What can be asked of pins over the admin socket, as a request line carries it. Never looks at a pin.

use hyper::Method;
use url::form_urlencoded;

use crate::model::Digest;

/// Something that is asked of pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Every tool of the server, or of all, and how it stands.
    List {
        /// The server.
        server: Option<String>,
    },
    /// What changed.
    Diff {
        /// The server.
        server: Option<String>,
        /// The tool.
        tool: Option<String>,
    },
    /// That a change is approved.
    Approve {
        /// The server.
        server: String,
        /// What is approved of it.
        what: Approval,
    },
}

/// What is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// Every tool that changed.
    All,
    /// One tool.
    Tool {
        /// Its name.
        tool: String,
        /// The definition that was looked at; any other is refused.
        hash: Option<Digest>,
    },
}

/// A request that asks nothing that can be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskFault {
    /// A parameter is missing.
    #[error("the parameter `{0}` is missing")]
    Missing(&'static str),
    /// A parameter that is not known, or is there twice.
    #[error("there is a parameter that is not known, or one twice")]
    Unknown,
    /// A hash is not one.
    #[error("a hash is 64 digits of lower-case hexadecimal, as `gatewright pins diff` shows it")]
    Hash,
    /// Both one tool and all.
    #[error("name one `tool`, or `all`, and a `hash` with a tool only")]
    Choice,
}

impl Ask {
    /// Reads a request; `None` when it is about something else.
    pub fn read(method: &Method, path: &str, query: &str) -> Option<Result<Self, AskFault>> {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let mut query = Query(pairs.into_owned().collect());
        let ask = match (method, path) {
            (&Method::GET, LIST) => Ok(Self::List {
                server: query.take(SERVER),
            }),
            (&Method::GET, DIFF) => Ok(Self::Diff {
                server: query.take(SERVER),
                tool: query.take(TOOL),
            }),
            (&Method::POST, APPROVE) => Self::approve(&mut query),
            _ => return None,
        };
        Some(ask.and_then(|ask| query.is_read().map(|()| ask)))
    }

    /// The method and the target that say it.
    pub fn write(&self) -> (Method, String) {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let (method, path) = match self {
            Self::List { server } => {
                append(&mut query, SERVER, server.as_deref());
                (Method::GET, LIST)
            }
            Self::Diff { server, tool } => {
                append(&mut query, SERVER, server.as_deref());
                append(&mut query, TOOL, tool.as_deref());
                (Method::GET, DIFF)
            }
            Self::Approve { server, what } => {
                append(&mut query, SERVER, Some(server));
                match what {
                    Approval::All => append(&mut query, ALL, Some("true")),
                    Approval::Tool { tool, hash } => {
                        append(&mut query, TOOL, Some(tool));
                        append(
                            &mut query,
                            HASH,
                            hash.map(|hash| hash.to_string()).as_deref(),
                        );
                    }
                }
                (Method::POST, APPROVE)
            }
        };
        (method, format!("{path}?{}", query.finish()))
    }

    fn approve(query: &mut Query) -> Result<Self, AskFault> {
        let server = query.take(SERVER).ok_or(AskFault::Missing(SERVER))?;
        let what = match (
            query.take(TOOL),
            query.take(ALL).as_deref(),
            query.take(HASH),
        ) {
            (Some(tool), None, None) => Approval::Tool { tool, hash: None },
            (Some(tool), None, Some(hash)) => Approval::Tool {
                tool,
                hash: Some(Digest::from_hex(&hash).ok_or(AskFault::Hash)?),
            },
            (None, Some("true"), None) => Approval::All,
            (None, None, _) => return Err(AskFault::Missing(TOOL)),
            _ => return Err(AskFault::Choice),
        };
        Ok(Self::Approve { server, what })
    }
}

/// The parameters that were not read yet.
struct Query(Vec<(String, String)>);

impl Query {
    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn is_read(&self) -> Result<(), AskFault> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(AskFault::Unknown)
        }
    }
}

fn append(query: &mut form_urlencoded::Serializer<'_, String>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        query.append_pair(name, value);
    }
}

const LIST: &str = "/pins";
const DIFF: &str = "/pins/diff";
const APPROVE: &str = "/pins/approve";
const SERVER: &str = "server";
const TOOL: &str = "tool";
const HASH: &str = "hash";
const ALL: &str = "all";

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::{Approval, Ask, AskFault};
    use crate::model::Digest;

    fn read(method: &Method, target: &str) -> Option<Result<Ask, AskFault>> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ask::read(method, path, query)
    }

    #[test]
    fn what_is_asked_is_read_as_it_was_written() {
        let odd = "a b&c=d%\u{202e}/ü\n".to_owned();
        for ask in [
            Ask::List { server: None },
            Ask::List {
                server: Some("crm".into()),
            },
            Ask::Diff {
                server: Some("crm".into()),
                tool: Some(odd.clone()),
            },
            Ask::Approve {
                server: "crm".into(),
                what: Approval::All,
            },
            Ask::Approve {
                server: "crm".into(),
                what: Approval::Tool {
                    tool: odd,
                    hash: Some(Digest::of(b"x")),
                },
            },
        ] {
            let (method, target) = ask.write();
            assert!(target.is_ascii(), "{target}");
            assert_eq!(read(&method, &target), Some(Ok(ask)), "{target}");
        }
    }

    #[test]
    fn what_asks_nothing_clear_is_refused() {
        for (target, fault) in [
            ("/pins/approve", AskFault::Missing("server")),
            ("/pins/approve?server=a", AskFault::Missing("tool")),
            ("/pins/approve?server=a&tool=b&all=true", AskFault::Choice),
            ("/pins/approve?server=a&all=yes", AskFault::Choice),
            ("/pins/approve?server=a&tool=b&hash=12", AskFault::Hash),
            ("/pins/approve?server=a&tool=b&tool=c", AskFault::Unknown),
        ] {
            assert_eq!(read(&Method::POST, target), Some(Err(fault)), "{target}");
        }
        assert_eq!(
            read(&Method::GET, "/pins?tol=a"),
            Some(Err(AskFault::Unknown))
        );
        assert_eq!(read(&Method::GET, "/pins/approve?server=a&all=true"), None);
        assert_eq!(read(&Method::GET, "/status"), None);
    }
}

//! What can be asked about persons over the admin socket, as a request line carries it. Never looks into the book.

use hyper::Method;
use url::form_urlencoded;

/// That a person is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erase {
    /// The issuer that names them.
    pub issuer: String,
    /// Its name for them.
    pub subject: String,
}

/// A request that does not name exactly one person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("name one `issuer` and one `subject`, and nothing else")]
pub struct EraseFault;

impl Erase {
    /// Reads a request; `None` when it is about something else.
    pub fn read(method: &Method, path: &str, query: &str) -> Option<Result<Self, EraseFault>> {
        if (method, path) != (&Method::POST, ERASE) {
            return None;
        }
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        Some(match pairs.as_slice() {
            [(first, issuer), (second, subject)] if first == ISSUER && second == SUBJECT => {
                Ok(Self {
                    issuer: issuer.clone(),
                    subject: subject.clone(),
                })
            }
            _ => Err(EraseFault),
        })
    }

    /// The method and the target that say it.
    pub fn write(&self) -> (Method, String) {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(ISSUER, &self.issuer);
        query.append_pair(SUBJECT, &self.subject);
        (Method::POST, format!("{ERASE}?{}", query.finish()))
    }
}

const ERASE: &str = "/subjects/erase";
const ISSUER: &str = "issuer";
const SUBJECT: &str = "subject";

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::{Erase, EraseFault};

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let erase = Erase {
            issuer: "https://a.example/?x=1&y".to_owned(),
            subject: "al ice/é&subject=bob".to_owned(),
        };
        let (method, target) = erase.write();
        let (path, query) = target.split_once('?').unwrap();
        assert_eq!(Erase::read(&method, path, query), Some(Ok(erase)));
        assert_eq!(Erase::read(&Method::GET, path, query), None);
        assert_eq!(Erase::read(&method, "/subjects", query), None);
        for query in [
            "",
            "issuer=a",
            "issuer=a&subject=b&all=1",
            "subject=b&issuer=a",
        ] {
            assert_eq!(
                Erase::read(&method, path, query),
                Some(Err(EraseFault)),
                "{query}"
            );
        }
    }
}

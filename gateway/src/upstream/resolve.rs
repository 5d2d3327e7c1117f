//! Names to addresses: remembered for a while, kept when the resolver fails, never blocking a worker.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an address is used before the name is asked for again.
const FRESH: Duration = Duration::from_secs(30);
/// How long one look-up may take.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);

/// The address of one host and port.
#[derive(Debug)]
pub struct Resolver {
    host: String,
    port: u16,
    known: ArcSwapOption<Known>,
    asking: Mutex<()>,
}

#[derive(Debug)]
struct Known {
    address: SocketAddr,
    asked: Option<Instant>,
}

impl Resolver {
    /// For `host`, a name or an address.
    pub fn new(host: &str, port: u16) -> Self {
        let literal = host.trim_matches(['[', ']']).parse().ok();
        let known = literal.map(|ip| {
            Arc::new(Known {
                address: SocketAddr::new(ip, port),
                asked: None,
            })
        });
        Self {
            host: host.to_owned(),
            port,
            known: ArcSwapOption::from(known),
            asking: Mutex::new(()),
        }
    }

    /// The address to connect to.
    ///
    /// # Errors
    /// When the name was never resolved and cannot be now.
    pub async fn address(&self) -> io::Result<SocketAddr> {
        if let Some(address) = self.fresh() {
            return Ok(address);
        }
        // One look-up at a time; who waited finds the answer of who asked.
        let _turn = self.asking.lock().await;
        if let Some(address) = self.fresh() {
            return Ok(address);
        }
        let stale = self.known.load().as_ref().map(|known| known.address);
        // An address that was good is better than none while the resolver fails.
        let address = match (self.ask().await, stale) {
            (Ok(address), _) | (Err(_), Some(address)) => address,
            (Err(error), None) => return Err(error),
        };
        self.remember(address);
        Ok(address)
    }

    fn remember(&self, address: SocketAddr) {
        self.known.store(Some(Arc::new(Known {
            address,
            asked: Some(Instant::now()),
        })));
    }

    fn fresh(&self) -> Option<SocketAddr> {
        let known = self.known.load();
        let known = known.as_ref()?;
        match known.asked {
            Some(asked) if asked.elapsed() > FRESH => None,
            _ => Some(known.address),
        }
    }

    async fn ask(&self) -> io::Result<SocketAddr> {
        let lookup = tokio::net::lookup_host((self.host.as_str(), self.port));
        let mut found = tokio::time::timeout(LOOKUP_LIMIT, lookup)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        found.next().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Resolver;

    #[tokio::test]
    async fn an_address_resolves_to_itself() {
        let resolver = Resolver::new("127.0.0.1", 80);
        assert_eq!(
            resolver.address().await.unwrap().to_string(),
            "127.0.0.1:80"
        );
        assert_eq!(
            Resolver::new("[::1]", 80)
                .address()
                .await
                .unwrap()
                .to_string(),
            "[::1]:80"
        );
    }

    #[tokio::test]
    async fn a_name_resolves_and_an_unknown_one_is_an_error() {
        assert!(
            Resolver::new("localhost", 80)
                .address()
                .await
                .unwrap()
                .ip()
                .is_loopback()
        );
        assert!(
            Resolver::new("no-such-host.invalid", 80)
                .address()
                .await
                .is_err()
        );
    }
}

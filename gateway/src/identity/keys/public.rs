//! Where a URL may lead that a document named and no operator did: to public addresses alone (RFC 9728 section 7.7).
//! Never decides about a host that the configuration names.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Gives a name's addresses if every one of them is public. The connection goes to these very addresses, so that a
/// name cannot mean one thing when it is checked and another when it is used.
pub(super) struct PublicNames {
    names: Arc<dyn Resolve>,
}

impl PublicNames {
    /// Checks what `names` says.
    pub(super) fn among(names: Arc<dyn Resolve>) -> Self {
        Self { names }
    }
}

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        let answer = self.names.resolve(name);
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = answer.await?.collect();
            match addresses.iter().find(|address| !is_public(address.ip())) {
                Some(_) => Err(NotPublic.into()),
                None => Ok(Box::new(addresses.into_iter()) as Addrs),
            }
        })
    }
}

/// What the system knows of names.
pub(super) struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// A name leads to an address inside. Which one is not said: the document's author would learn it.
#[derive(Debug)]
pub(super) struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to an address that is not public")
    }
}

impl Error for NotPublic {}

/// Whether the host of `url` could be public: a name that is still to be resolved, or a public address. The parser
/// has read `2130706433` and `0x7f.1` as the addresses that they are.
pub(super) fn may_be_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(_)) => true,
        Some(Host::Ipv4(address)) => is_public(address.into()),
        Some(Host::Ipv6(address)) => is_public(address.into()),
        None => false,
    }
}

/// Whether `address` is one of the open internet (IANA special-purpose address registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let number = address.to_bits();
    let inside = |&(network, length): &(Ipv4Addr, u32)| {
        (number ^ network.to_bits()).leading_zeros() >= length
    };
    !SPECIAL_V4.iter().any(inside)
}

/// Only what is given out as global unicast, and of that nothing that carries another address inside: what stands
/// behind a translator cannot be seen from here. IPv4-mapped addresses and `64:ff9b::/96` are outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let number = address.to_bits();
    let inside = |&(network, length): &(Ipv6Addr, u32)| {
        (number ^ network.to_bits()).leading_zeros() >= length
    };
    inside(&GLOBAL_V6) && !SPECIAL_V6.iter().any(inside)
}

const SPECIAL_V4: [(Ipv4Addr, u32); 14] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, and what is reserved up to the broadcast address.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments, Teredo among them.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use reqwest::dns::{Addrs, Name, Resolve, Resolving};
    use url::Url;

    use super::{NotPublic, PublicNames, is_public, may_be_public};

    const INSIDE: [&str; 27] = [
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.168.1.1",
        "198.19.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "ff02::1",
        "2002:7f00:1::1",
    ];
    const OUTSIDE: [&str; 8] = [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.32.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700::1111",
    ];

    /// A resolver that knows one answer.
    struct Says(Vec<&'static str>);

    impl Resolve for Says {
        fn resolve(&self, _: Name) -> Resolving {
            let parse = |text: &&str| SocketAddr::new(text.parse().unwrap(), 0);
            let found: Vec<_> = self.0.iter().map(parse).collect();
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }

    async fn resolved(addresses: &[&'static str]) -> Option<usize> {
        let names = PublicNames::among(Arc::new(Says(addresses.to_vec())));
        match names.resolve("keys.example".parse().unwrap()).await {
            Ok(found) => Some(found.count()),
            Err(error) => {
                assert!(error.is::<NotPublic>());
                None
            }
        }
    }

    #[test]
    fn j48_an_address_inside_is_not_public() {
        for inside in INSIDE {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in OUTSIDE {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn j48_an_odd_spelling_is_the_address_that_it_means() {
        for inside in [
            "https://2130706433/k",
            "https://0x7f.1/k",
            "https://127.1/k",
            "https://0177.0.0.1/k",
            "https://[::ffff:127.0.0.1]/k",
            "https://[::ffff:7f00:1]/k",
            "https://[64:ff9b::10.0.0.1]/k",
            "https://\u{ff11}27.0.0.1/k",
            "https://169.254.169.254/k",
        ] {
            assert!(!may_be_public(&Url::parse(inside).unwrap()), "{inside}");
        }
        for other in [
            "https://8.8.8.8/k",
            "https://[2606:4700::1111]/k",
            "https://keys.example/k",
        ] {
            assert!(may_be_public(&Url::parse(other).unwrap()), "{other}");
        }
    }

    #[tokio::test]
    async fn j48_a_name_is_public_when_every_address_of_it_is() {
        assert_eq!(resolved(&OUTSIDE).await, Some(OUTSIDE.len()));
        for inside in INSIDE {
            assert_eq!(resolved(&[inside]).await, None, "{inside}");
            assert_eq!(resolved(&["8.8.8.8", inside]).await, None, "{inside}");
        }
    }
}

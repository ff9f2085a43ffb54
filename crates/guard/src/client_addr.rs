//! The address a request really comes from.

use std::net::IpAddr;

use axum::http::HeaderMap;

/// Where a request comes from; the server puts it into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

impl ClientAddr {
    /// The nearest address that is not one of our own proxies.
    ///
    /// Each proxy appends the peer it saw to `x-forwarded-for`, so the header is read from its end,
    /// and only as far as proxies we trust have written it: what lies before is the caller's own
    /// invention.
    pub fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let mut hops = headers
            .get_all("x-forwarded-for")
            .iter()
            .rev()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.rsplit(','))
            .map_while(|hop| hop.trim().parse::<IpAddr>().ok());
        let mut addr = peer.to_canonical();
        while trusted.contains(&addr) {
            match hops.next() {
                Some(hop) => addr = hop.to_canonical(),
                None => break,
            }
        }
        Self(addr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&'static str], expected: &str) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let resolved = ClientAddr::resolve(peer.parse().unwrap(), &headers, &trusted);
        assert_eq!(resolved, ClientAddr(expected.parse().unwrap()));
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check("192.0.2.7", &["198.51.100.1"], "192.0.2.7");
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["203.0.113.9, 198.51.100.1"], "198.51.100.1");
        check(
            "10.0.0.1",
            &["203.0.113.9", "198.51.100.1, 10.0.0.2"],
            "198.51.100.1",
        );
        check("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["unknown"], "10.0.0.1");
    }
}

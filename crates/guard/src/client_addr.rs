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
            // As bytes: what a caller sent may be no text, and the proxies' part stands behind it.
            .flat_map(|value| value.as_bytes().rsplit(|&byte| byte == b','))
            .map_while(address);
        let is_trusted = |addr| trusted.iter().any(|proxy| proxy.to_canonical() == addr);
        let mut addr = peer.to_canonical();
        while is_trusted(addr) {
            match hops.next() {
                Some(hop) => addr = hop,
                None => break,
            }
        }
        Self(addr)
    }
}

fn address(hop: &[u8]) -> Option<IpAddr> {
    let addr: IpAddr = str::from_utf8(hop).ok()?.trim().parse().ok()?;
    Some(addr.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], expected: &str) {
        let forwarded: Vec<_> = forwarded.iter().map(|line| line.as_bytes()).collect();
        check_bytes(peer, &forwarded, expected);
    }

    #[track_caller]
    fn check_bytes(peer: &str, forwarded: &[&[u8]], expected: &str) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(value).unwrap());
        }
        let trusted = ["10.0.0.1", "10.0.0.2", "::ffff:10.0.0.3"].map(|addr| addr.parse().unwrap());
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
        check("10.0.0.3", &["198.51.100.1"], "198.51.100.1");
    }

    #[test]
    fn what_is_no_text_hides_nobody() {
        let caller = b"\xff, 198.51.100.1".as_slice();
        check_bytes("10.0.0.1", &[caller], "198.51.100.1");
        check_bytes("10.0.0.1", &[b"203.0.113.9", caller], "198.51.100.1");
        check_bytes("10.0.0.1", &[b"203.0.113.9", b"\xff"], "10.0.0.1");
    }
}

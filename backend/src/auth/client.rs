//! Where a request comes from.

use actix_web::HttpRequest;
use std::net::{IpAddr, Ipv4Addr};

/// What is known about the way a request took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientOrigin {
    /// The client's address.
    pub(super) address: IpAddr,
    /// Whether the client's own connection is encrypted.
    pub(super) is_https: bool,
}

impl ClientOrigin {
    /// Headers are believed only from a proxy on this machine or in a private network, where containers live, and only
    /// when the settings say that there is one: anybody can write them.
    #[must_use]
    pub(super) fn of(request: &HttpRequest, trust_proxy: bool) -> Self {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
        // Of several headers the last one is the proxy's own.
        let header = |name| request.headers().get_all(name).last().and_then(|value| value.to_str().ok());
        decide(peer, trust_proxy, header("x-forwarded-for"), header("x-forwarded-proto"))
    }
}

fn decide(
    peer: IpAddr,
    trust_proxy: bool,
    forwarded_for: Option<&str>,
    protocol: Option<&str>,
) -> ClientOrigin {
    if !trust_proxy || !is_near(peer) {
        return ClientOrigin { address: peer, is_https: false };
    }
    // The proxy appends the address it saw; what stands before was written by the client.
    let last =
        forwarded_for.and_then(|list| list.rsplit(',').next()).and_then(|text| text.trim().parse().ok());
    ClientOrigin { address: last.unwrap_or(peer), is_https: protocol == Some("https") }
}

fn is_near(peer: IpAddr) -> bool {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn address(peer: &str, trust: bool, forwarded: Option<&str>) -> String {
        decide(peer.parse().unwrap(), trust, forwarded, None).address.to_string()
    }

    #[test]
    fn a_header_is_believed_only_from_the_own_proxy() {
        assert_eq!(address("192.0.2.1", true, Some("198.51.100.7")), "192.0.2.1");
        assert_eq!(address("127.0.0.1", false, Some("198.51.100.7")), "127.0.0.1");
        assert_eq!(address("127.0.0.1", true, Some("198.51.100.7")), "198.51.100.7");
        assert_eq!(address("::ffff:172.18.0.5", true, Some("198.51.100.7")), "198.51.100.7", "a container");
        assert_eq!(address("172.18.0.5", false, Some("198.51.100.7")), "172.18.0.5");
    }

    #[test]
    fn of_two_headers_the_one_the_client_wrote_is_not_believed() {
        let request = TestRequest::default()
            .peer_addr("127.0.0.1:4000".parse().unwrap())
            .append_header(("x-forwarded-for", "10.0.0.1"))
            .append_header(("x-forwarded-for", "198.51.100.7"))
            .to_http_request();
        assert_eq!(ClientOrigin::of(&request, true).address.to_string(), "198.51.100.7");
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        assert_eq!(address("::1", true, Some("10.0.0.1, 198.51.100.7")), "198.51.100.7");
        assert_eq!(address("127.0.0.1", true, Some("nonsense")), "127.0.0.1");
        assert_eq!(address("127.0.0.1", true, None), "127.0.0.1");
    }
}

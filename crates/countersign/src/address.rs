//! Which address a request comes from, where proxies stand in front of the server. Only proxies that the host
//! declared are believed, and only in the one header that it declared.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName, HeaderValue};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose word on a request's address is believed. None by default: then the peer is the client.
///
/// Nothing else is taken from such headers: the site's [`Origin`](crate::Origin) is configured, never read from
/// `Host`, `X-Forwarded-Host` or `Forwarded`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    header: ProxyHeader,
}

/// The header in which the proxies say whom they speak for. Others are not looked at: a proxy that writes one of them
/// hands through what a client wrote into the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl TrustedProxies {
    /// No proxy is believed.
    pub fn none() -> Self {
        Self::default()
    }

    /// Believes the proxies in these networks.
    pub fn new(networks: impl IntoIterator<Item = Network>, header: ProxyHeader) -> Self {
        Self { networks: networks.into_iter().collect(), header }
    }

    /// The address of the client of a request: the peer, or, where that is one of our proxies, the last hop that is
    /// none of them. What stands left of it, anyone may have written.
    ///
    /// A hop that is no address (`unknown`, an obfuscated name, rubbish) ends the chain: then it is the proxy that
    /// reported it.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let mut hops = self.hops(headers).into_iter().rev();
        while self.trusts(client) {
            match hops.next() {
                Some(Some(hop)) => client = hop,
                Some(None) | None => break,
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

impl TrustedProxies {
    /// The hops that proxies noted, the nearest last; [`None`] for one that is no address.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        if self.networks.is_empty() {
            return Vec::new();
        }
        let (name, parse): (_, fn(&str) -> Option<IpAddr>) = match self.header {
            ProxyHeader::XForwardedFor => (X_FORWARDED_FOR, address),
            ProxyHeader::Forwarded => (FORWARDED, forwarded_for),
        };
        let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
        // By bytes: what a client wrote on the left must not make the proxies' own words unreadable.
        let hops = lines.flat_map(|line| line.split(|byte| *byte == b','));
        hops.map(|hop| std::str::from_utf8(hop).ok().and_then(parse)).collect()
    }
}

/// The `for` of one element of `Forwarded` (RFC 7239, section 4). A comma or semicolon within quotes is nothing that
/// an address has: its parts are no addresses.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let node = node.trim();
    address(node.strip_prefix('"').and_then(|node| node.strip_suffix('"')).unwrap_or(node))
}

/// An address as proxies write it: alone, in brackets, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    bare.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

/// A network of addresses, such as `10.0.0.0/8`, `fd00::/8` or `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether an address is in this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

/// A text that is no [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a network: use an address, or one with a prefix length such as 10.0.0.0/8")]
pub struct ParseNetworkError;

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| ParseNetworkError)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| ParseNetworkError)?;
        if prefix <= longest { Ok(Self { address, prefix }) } else { Err(ParseNetworkError) }
    }
}

#[cfg(test)]
mod tests;

//! The networks that an address is in: whoever can take any address of a block counts as one.

use crate::limits::{IPV4_NETWORKS, IPV6_NETWORKS, NETWORKS};
use std::net::IpAddr;

/// The first addresses of the networks that an address is in, the smallest network first: an IPv4 address itself, an IPv6 /64.
pub(crate) fn networks(address: IpAddr) -> [IpAddr; NETWORKS] {
    match address.to_canonical() {
        IpAddr::V4(address) => IPV4_NETWORKS.map(|(bits, _)| {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }),
        IpAddr::V6(address) => IPV6_NETWORKS.map(|(bits, _)| {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }),
    }
}

/// How many times as much each of the [`networks`] may have as the smallest, which is the same for both versions of IP.
pub(crate) const FACTORS: [u32; NETWORKS] = [IPV6_NETWORKS[0].1, IPV6_NETWORKS[1].1, IPV6_NETWORKS[2].1];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_address() {
        let smallest = |text: &str| networks(text.parse().unwrap())[0];
        assert_eq!(smallest("2001:db8::1"), smallest("2001:db8::ffff:1"));
        assert_ne!(smallest("2001:db8::1"), smallest("2001:db8:0:1::1"));
        assert_eq!(smallest("::ffff:192.0.2.1"), smallest("192.0.2.1"));
    }
}

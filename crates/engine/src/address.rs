use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A block of client addresses in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3): `192.0.2.0/24`, `2001:db8::/32`,
/// or one address alone.
///
/// An IPv4 address and its IPv4-mapped twin (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) are the same address.
///
/// ```
/// use tollgate::AddressBlock;
///
/// let block: AddressBlock = "192.0.2.0/24".parse()?;
/// assert!(block.contains("192.0.2.7".parse()?));
/// assert!(block.contains("::ffff:192.0.2.7".parse()?));
/// assert!(!block.contains("192.0.3.7".parse()?));
/// assert_eq!(block.to_string(), "192.0.2.0/24");
/// assert!("192.0.2.1/24".parse::<AddressBlock>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AddressBlock {
    first: IpAddr,
    prefix_length: u8,
}

impl AddressBlock {
    /// Whether the address lies in the block.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let differences = u32::from(first) ^ u32::from(address);
                differences.checked_shr(32 - u32::from(self.prefix_length)).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let differences = u128::from(first) ^ u128::from(address);
                differences.checked_shr(128 - u32::from(self.prefix_length)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// What is no block of addresses: not CIDR notation, or with bits set behind the prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAnAddressBlock;

impl FromStr for AddressBlock {
    type Err = NotAnAddressBlock;

    fn from_str(text: &str) -> Result<Self, NotAnAddressBlock> {
        let (first, length) = match text.split_once('/') {
            Some((first, length)) => (first, Some(length)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().map_err(|_| NotAnAddressBlock)?;
        let width: u8 = if first.is_ipv4() { 32 } else { 128 };
        let prefix_length = match length {
            None => width,
            // One text for each length: neither a sign nor leading zeros.
            Some(digits) => digits.parse().ok().filter(|n: &u8| n.to_string() == digits).ok_or(NotAnAddressBlock)?,
        };
        if prefix_length > width {
            return Err(NotAnAddressBlock);
        }
        // 96 bits of an IPv4-mapped prefix are the mapping itself.
        let (first, prefix_length) = match (first.to_canonical(), first) {
            (IpAddr::V4(v4), IpAddr::V6(_)) if prefix_length >= MAPPING_BITS => {
                (v4.into(), prefix_length - MAPPING_BITS)
            }
            (_, first) => (first, prefix_length),
        };
        let bits_behind = match first {
            IpAddr::V4(first) => u32::from(first).checked_shl(prefix_length.into()).unwrap_or(0) != 0,
            IpAddr::V6(first) => u128::from(first).checked_shl(prefix_length.into()).unwrap_or(0) != 0,
        };
        if bits_behind { Err(NotAnAddressBlock) } else { Ok(AddressBlock { first, prefix_length }) }
    }
}

/// The bits of `::ffff:0:0/96`.
const MAPPING_BITS: u8 = (Ipv6Addr::BITS - 32) as u8;

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_length)
    }
}

impl fmt::Display for NotAnAddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a block of addresses in CIDR notation, such as 192.0.2.0/24")
    }
}

impl std::error::Error for NotAnAddressBlock {}

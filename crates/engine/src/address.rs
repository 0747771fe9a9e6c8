use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

/// A block of addresses in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3): `192.0.2.0/24`, `2001:db8::/32`,
/// or a single address.
///
/// An IPv4 address and its IPv4-mapped form (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) are the same address.
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
pub struct AddressBlock(IpNet);

impl AddressBlock {
    /// Whether the address lies in the block.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// The lowest address of the block.
    #[cfg(feature = "testing")]
    pub(crate) fn first(&self) -> IpAddr {
        self.0.network()
    }

    /// Whether the block is `0.0.0.0/0` or `::/0`, which hold every address of their family.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl From<IpAddr> for AddressBlock {
    fn from(address: IpAddr) -> Self {
        AddressBlock(address.to_canonical().into())
    }
}

/// The error for a text that is not an address block: it is not CIDR notation, or has bits set after the prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAnAddressBlock;

impl FromStr for AddressBlock {
    type Err = NotAnAddressBlock;

    /// Parses the prefix length strictly: `IpNet`'s own parser accepts leading zeros, which some systems read as octal.
    fn from_str(text: &str) -> Result<Self, NotAnAddressBlock> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotAnAddressBlock)?;
        let Some(digits) = length else {
            return Ok(address.into());
        };
        let length = digits.parse().ok().filter(|length: &u8| length.to_string() == digits).ok_or(NotAnAddressBlock)?;
        let block = canonical(IpNet::new(address, length).map_err(|_| NotAnAddressBlock)?);
        if block == block.trunc() { Ok(AddressBlock(block)) } else { Err(NotAnAddressBlock) }
    }
}

/// Converts an IPv4-mapped block to its IPv4 block.
fn canonical(block: IpNet) -> IpNet {
    match block {
        IpNet::V6(mapped) => mapped
            .addr()
            .to_ipv4_mapped()
            .zip(mapped.prefix_len().checked_sub(MAPPING_BITS))
            .and_then(|(address, length)| Ipv4Net::new(address, length).ok())
            .map_or(block, IpNet::V4),
        IpNet::V4(_) => block,
    }
}

/// The prefix length of `::ffff:0:0/96`.
const MAPPING_BITS: u8 = (Ipv6Addr::BITS - 32) as u8;

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for NotAnAddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a block of addresses in CIDR notation, such as 192.0.2.0/24")
    }
}

impl std::error::Error for NotAnAddressBlock {}

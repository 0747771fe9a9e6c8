use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::address::AddressBlock;
use crate::certificate_field::CertificateField;
use crate::limits::MAX_FORWARDED_BYTES;

/// The proxies in front of a server, and the one field in which they name the client: the server learns its client's
/// address from it.
///
/// The client is the peer of the connection, unless the peer is a trusted proxy. Then it is the first address, from the
/// right, in that one field that is not a trusted proxy's: each proxy adds at the right the address that it was reached
/// from, and everything further to the left was written by the sender of the request. No other field is read, since
/// clients can send it too.
///
/// The client's address is unknown (`None`), so that keys with allowed addresses are rejected, if the search meets an
/// entry without an address before it has found the client: `unknown` or an obfuscated identifier (RFC 7239 section
/// 6.3), an empty or malformed entry, or more than [`MAX_FORWARDED_BYTES`]. It is also unknown if the field is absent
/// or names only trusted proxies. So trust the addresses of the proxies, not of the whole network that they are in.
///
/// ```
/// use std::net::IpAddr;
///
/// use tollgate::{ForwardedField, TrustedProxies};
///
/// let proxies = TrustedProxies::new(["192.0.2.0/24".parse()?], ForwardedField::XForwardedFor);
/// let (proxy, client): (IpAddr, IpAddr) = ("192.0.2.1".parse()?, "203.0.113.9".parse()?);
/// assert_eq!(proxies.client_address(proxy, ["198.51.100.7, 203.0.113.9, 192.0.2.2"]), Some(client));
/// assert_eq!(proxies.client_address(client, ["198.51.100.7"]), Some(client));
/// assert_eq!(proxies.client_address(proxy, ["203.0.113.9, unknown"]), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    blocks: Box<[AddressBlock]>,
    /// The field in which they name the client, if any.
    field: Option<ForwardedField>,
    /// The field in which they pass on the client's certificate, if any.
    certificate: Option<CertificateField>,
}

/// The field in which a proxy names the client. Both are lists, over any number of field lines.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ForwardedField {
    /// `X-Forwarded-For: 203.0.113.9, 192.0.2.2`: addresses, also with a port (`203.0.113.9:4711`,
    /// `[2001:db8::1]:4711`). An IPv6 address needs no brackets where it has no port.
    XForwardedFor,
    /// `Forwarded: for=203.0.113.9, for="[2001:db8::1]:4711";proto=https` (RFC 7239).
    Forwarded,
}

impl TrustedProxies {
    /// Trusts the proxies at these addresses to add the address of their client to `field`.
    #[must_use]
    pub fn new(proxies: impl IntoIterator<Item = AddressBlock>, field: ForwardedField) -> Self {
        TrustedProxies { blocks: proxies.into_iter().collect(), field: Some(field), certificate: None }
    }

    /// Trusts the proxies at these addresses, which do not name their client: behind them its address is unknown.
    #[must_use]
    pub fn nameless(proxies: impl IntoIterator<Item = AddressBlock>) -> Self {
        TrustedProxies { blocks: proxies.into_iter().collect(), field: None, certificate: None }
    }

    /// Trusts the proxies to pass on the certificate of their client in `field`, and to let no client write into it. By
    /// default they pass on none.
    #[must_use]
    pub fn client_certificate(self, field: CertificateField) -> Self {
        TrustedProxies { certificate: Some(field), ..self }
    }

    /// Trusts no proxy: the client is the peer.
    #[must_use]
    pub fn none() -> Self {
        Self::nameless([])
    }

    /// The field in which the proxies name their client, if any.
    #[must_use]
    pub fn field(&self) -> Option<ForwardedField> {
        self.field
    }

    /// The field in which the proxies pass on their client's certificate, if any. If `peer` is one of them, read this
    /// field, not the certificate of the connection, which is the proxy's own.
    #[must_use]
    pub fn certificate_field(&self) -> Option<CertificateField> {
        self.certificate
    }

    /// Whether `address` is that of a trusted proxy.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.blocks.iter().any(|block| block.contains(address))
    }

    /// The client's address, an IPv4-mapped one as IPv4; `None` if it is unknown.
    ///
    /// `peer`: the other end of the connection. `lines`: the values of the request's field lines with the name
    /// [`field`](Self::field), in order.
    #[must_use]
    pub fn client_address<'f, L>(
        &self,
        peer: IpAddr,
        lines: impl IntoIterator<Item = &'f L, IntoIter: DoubleEndedIterator>,
    ) -> Option<IpAddr>
    where
        L: AsRef<[u8]> + ?Sized + 'f,
    {
        if !self.contain(peer) {
            return Some(peer.to_canonical());
        }
        let field = self.field?;
        let mut bytes_left = MAX_FORWARDED_BYTES;
        for line in lines.into_iter().rev() {
            let mut rest = Some(line.as_ref());
            while let Some(list) = rest {
                let entry;
                (rest, entry) = field.split_last(list);
                bytes_left = bytes_left.checked_sub(entry.len())?;
                let address = field.address(trimmed(entry))?.to_canonical();
                if !self.contain(address) {
                    return Some(address);
                }
            }
        }
        None
    }
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self::none()
    }
}

impl ForwardedField {
    /// The field's name, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ForwardedField::XForwardedFor => "x-forwarded-for",
            ForwardedField::Forwarded => "forwarded",
        }
    }

    /// The field with that [name](Self::as_str).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [ForwardedField::XForwardedFor, ForwardedField::Forwarded].into_iter().find(|field| field.as_str() == name)
    }

    /// The parts of a list before and after its last comma.
    fn split_last(self, list: &[u8]) -> (Option<&[u8]>, &[u8]) {
        let comma = match self {
            ForwardedField::XForwardedFor => list.iter().rposition(|byte| *byte == b','),
            ForwardedField::Forwarded => last_comma_outside_quotes(list),
        };
        match comma {
            Some(comma) => (Some(&list[..comma]), &list[comma + 1..]),
            None => (None, list),
        }
    }

    /// The address that an entry names.
    fn address(self, entry: &[u8]) -> Option<IpAddr> {
        match self {
            ForwardedField::XForwardedFor => {
                let text = str::from_utf8(entry).ok()?;
                text.parse::<Ipv6Addr>().map(IpAddr::V6).ok().or_else(|| node(text))
            }
            ForwardedField::Forwarded => node(forwarded_for(entry)?),
        }
    }
}

/// Searches from the right, so that nothing a client sent, such as an open quote, changes how the entry of a proxy is
/// read.
pub(crate) fn last_comma_outside_quotes(list: &[u8]) -> Option<usize> {
    let mut in_quotes = false;
    for (position, byte) in list.iter().enumerate().rev() {
        match byte {
            b'"' if !in_quotes => in_quotes = true,
            // A quote that begins the string has no backslash before it; one within it has an odd number.
            b'"' => in_quotes = ends_in_escape(&list[..position]),
            b',' if !in_quotes => return Some(position),
            _ => {}
        }
    }
    None
}

fn ends_in_escape(text: &[u8]) -> bool {
    text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The value of `for` in a forwarded-element (RFC 7239 section 4), which may occur once.
fn forwarded_for(element: &[u8]) -> Option<&str> {
    let mut rest = str::from_utf8(element).ok()?;
    let mut found = None;
    while !rest.is_empty() {
        let (name, value, after) = forwarded_pair(rest)?;
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
        rest = match after.strip_prefix(';') {
            Some(next) => next,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    found
}

/// Name and value of the pair that `text` begins with, and the rest. The value of a quoted-string is returned without
/// its quotes, but with its backslashes, which no address has.
fn forwarded_pair(text: &str) -> Option<(&str, &str, &str)> {
    if text.starts_with(';') {
        return Some(("", "", text));
    }
    let (name, rest) = text.split_at(text.find('=')?);
    let (value, after) = match rest.strip_prefix("=\"") {
        Some(quoted) => {
            let end = quoted.match_indices('"').find(|(end, _)| !ends_in_escape(&quoted.as_bytes()[..*end]))?.0;
            (&quoted[..end], &quoted[end + 1..])
        }
        None => rest[1..].split_at(rest[1..].find(';').unwrap_or(rest.len() - 1)),
    };
    let is_well_formed = is_token(name) && (rest.starts_with("=\"") || is_token(value));
    is_well_formed.then_some((name, value, after))
}

/// token (RFC 9110 section 5.6.2).
fn is_token(text: &str) -> bool {
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_character)
}

/// The address of a node (RFC 7239 section 6). The other nodes, `unknown` and obfuscated identifiers, have none.
fn node(text: &str) -> Option<IpAddr> {
    let (address, port): (IpAddr, &str) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (address.parse::<Ipv6Addr>().ok()?.into(), port)
        }
        None => {
            let (address, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (address.parse::<Ipv4Addr>().ok()?.into(), port)
        }
    };
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_node_port)).then_some(address)
}

/// One to five digits, or an obfuscated port.
fn is_node_port(port: &str) -> bool {
    match port.strip_prefix('_') {
        Some(rest) => {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        None => (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// The text without the optional white space around it (RFC 9110 section 5.6.3).
pub(crate) fn trimmed(mut entry: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = entry {
        entry = rest;
    }
    entry
}

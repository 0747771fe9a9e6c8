//! The URI that a proof is for (RFC 9449 section 4.3, step 9).

use std::fmt::Write;

/// Whether two absolute `http` or `https` URIs are equal apart from query and fragment, after syntax-based and
/// scheme-based normalisation (RFC 3986 sections 6.2.2 and 6.2.3). Any other text equals nothing.
pub(super) fn is_same_target(one: &str, other: &str) -> bool {
    normalised(one).is_some_and(|one| normalised(other).is_some_and(|other| one == other))
}

/// The normalised URI, without query and fragment.
fn normalised(uri: &str) -> Option<String> {
    let uri = &uri[..uri.find(['?', '#']).unwrap_or(uri.len())];
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = ["https", "http"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut normal = String::with_capacity(uri.len() + 1);
    normal.push_str(scheme);
    normal.push_str("://");
    push_authority(&mut normal, authority, scheme)?;
    let mut segments = String::with_capacity(path.len());
    push_decoded(&mut segments, path, |byte| is_path_character(byte).then_some(byte))?;
    push_without_dots(&mut normal, &segments);
    Some(normal)
}

/// Appends host and port. User information is not part of a request's target (RFC 9110 section 4.2.4).
fn push_authority(normal: &mut String, authority: &str, scheme: &str) -> Option<()> {
    let end_of_host = match authority.strip_prefix('[') {
        Some(address) => address.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end_of_host);
    if host.is_empty() {
        return None;
    }
    if host.starts_with('[') {
        let address = host.strip_prefix('[')?.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok()?;
        write!(normal, "[{address}]").ok()?;
    } else {
        push_decoded(normal, host, |byte| is_host_character(byte).then_some(byte.to_ascii_lowercase()))?;
    }
    let digits = if port.is_empty() { port } else { port.strip_prefix(':')? };
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let default = if scheme == "https" { "443" } else { "80" };
    if !digits.is_empty() && digits != default {
        normal.push(':');
        normal.push_str(digits);
    }
    Some(())
}

/// Appends `text`. `plain` maps a character to its normal form, or to `None` if it must be percent-encoded.
/// Percent-encoded octets are decoded if they are unreserved and `plain` maps them, and otherwise get capital letters.
fn push_decoded(normal: &mut String, text: &str, plain: impl Fn(u8) -> Option<u8>) -> Option<()> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
            let octet = (digit()? << 4 | digit()?) as u8;
            match plain(octet).filter(|_| is_unreserved(octet)) {
                Some(plain) => normal.push(plain.into()),
                None => write!(normal, "%{octet:02X}").ok()?,
            }
        } else {
            normal.push(plain(byte)?.into());
        }
    }
    Some(())
}

/// Appends an absolute path without its segments `.` and `..` (RFC 3986 section 5.2.4). An empty path becomes `/`.
fn push_without_dots(normal: &mut String, path: &str) {
    let root = normal.len();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    normal.truncate(root + normal[root..].rfind('/').unwrap_or(0));
                }
                if is_last {
                    normal.push('/');
                }
            }
            other => {
                normal.push('/');
                normal.push_str(other);
            }
        }
    }
    if normal.len() == root {
        normal.push('/');
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_host_character(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=".contains(&byte)
}

fn is_path_character(byte: u8) -> bool {
    is_host_character(byte) || b":@/".contains(&byte)
}

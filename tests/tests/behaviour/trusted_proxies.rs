//! The client's address behind proxies.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;
use tollgate::limits::MAX_FORWARDED_BYTES;
use tollgate::{ApiKey, ApiKeyTable, Engine, ForwardedField, KeyFormat, KeyRecord, Rejection, Request, TrustedProxies};

const PROXY: &str = "192.0.2.1";
const FIELDS: [ForwardedField; 2] = [ForwardedField::XForwardedFor, ForwardedField::Forwarded];

/// Trusts the proxies of 192.0.2.0/24 and 2001:db8:1::/48.
fn proxies(field: ForwardedField) -> TrustedProxies {
    TrustedProxies::new(["192.0.2.0/24", "2001:db8:1::/48"].map(|block| block.parse().unwrap()), field)
}

/// The client of a request that comes from [`PROXY`].
fn client(field: ForwardedField, lines: &[&str]) -> Option<String> {
    proxies(field).client_address(address(PROXY), lines.iter().copied()).map(|address| address.to_string())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn x_forwarded_for(lines: &[&str]) -> Option<String> {
    client(ForwardedField::XForwardedFor, lines)
}

fn forwarded(lines: &[&str]) -> Option<String> {
    client(ForwardedField::Forwarded, lines)
}

#[test]
fn a75_the_field_of_a_peer_that_is_no_trusted_proxy_does_not_count() {
    for field in FIELDS {
        for lines in [&[][..], &["192.0.2.9"], &["for=192.0.2.9"], &["203.0.113.5", "for=203.0.113.5"]] {
            for peer in ["198.51.100.1", "2001:db8:2::1", "::1"] {
                let found = proxies(field).client_address(address(peer), lines.iter().copied());
                assert_eq!(found, Some(address(peer)), "{lines:?}");
                let found = TrustedProxies::none().client_address(address(peer), lines.iter().copied());
                assert_eq!(found, Some(address(peer)), "{lines:?}");
            }
            let mapped = proxies(field).client_address(address("::ffff:198.51.100.1"), lines.iter().copied());
            assert_eq!(mapped, Some(address("198.51.100.1")));
        }
        let from_a_mapped_proxy = proxies(field).client_address(address("::ffff:192.0.2.1"), [""; 0]);
        assert_eq!(from_a_mapped_proxy, None);
    }
}

#[test]
fn a75_the_client_is_the_first_from_the_right_that_is_no_trusted_proxy() {
    let cases: [(&[&str], &str); 10] = [
        (&["203.0.113.5"], "203.0.113.5"),
        (&["198.51.100.7, 203.0.113.5"], "203.0.113.5"),
        (&["198.51.100.7,203.0.113.5,192.0.2.9,192.0.2.8"], "203.0.113.5"),
        (&["198.51.100.7", "203.0.113.5", "192.0.2.9, 192.0.2.8"], "203.0.113.5"),
        (&["198.51.100.7, 203.0.113.5", "192.0.2.9"], "203.0.113.5"),
        (&["192.0.2.9, 203.0.113.5"], "203.0.113.5"),
        (&["garbage, \"',=;unknown,, 203.0.113.5"], "203.0.113.5"),
        (&["unknown", "203.0.113.5, 2001:db8:1::7"], "203.0.113.5"),
        (&["\t 203.0.113.5 \t"], "203.0.113.5"),
        (&["::ffff:203.0.113.5, ::ffff:192.0.2.9"], "203.0.113.5"),
    ];
    for (lines, expected) in cases {
        assert_eq!(x_forwarded_for(lines).as_deref(), Some(expected), "{lines:?}");
    }
    let cases: [(&[&str], &str); 9] = [
        (&["for=203.0.113.5"], "203.0.113.5"),
        (&["for=198.51.100.7, for=203.0.113.5;proto=https;by=192.0.2.1"], "203.0.113.5"),
        (&["for=198.51.100.7, for=203.0.113.5", "for=192.0.2.9,For=\"[2001:db8:1::7]:80\""], "203.0.113.5"),
        (&["for=\"[2001:db8:2::7]\""], "2001:db8:2::7"),
        (&["for=\"unterminated, for=203.0.113.5"], "203.0.113.5"),
        (&["for=198.51.100.7;by=\", for=203.0.113.5;host=\"a,b\""], "203.0.113.5"),
        (&["\\\", for=203.0.113.5;host=\"a\\\",for=198.51.100.7,\\\\\""], "203.0.113.5"),
        (&["for=198.51.100.7", "host=x;FOR=203.0.113.5;"], "203.0.113.5"),
        (&[";;for=203.0.113.5;;by=_x", "for=192.0.2.9"], "203.0.113.5"),
    ];
    for (lines, expected) in cases {
        assert_eq!(forwarded(lines).as_deref(), Some(expected), "{lines:?}");
    }
}

#[test]
fn a75_an_entry_that_names_no_address_leaves_the_client_unknown() {
    let neither = ["", " ", "unknown", "_hidden", "_SEVKISEK", "203.0.113.5 ", "203.0.113.5:80"];
    for entry in
        ["", "unknown", "_hidden", "localhost", "203.0.113", "203.0.113.5.", "203.0.113.05", "0x7f.1", "1", "-"]
    {
        assert_eq!(x_forwarded_for(&[entry]), None, "{entry:?}");
        assert_eq!(x_forwarded_for(&[&format!("203.0.113.5, {entry}")]), None, "{entry:?}");
        assert_eq!(x_forwarded_for(&["203.0.113.5", entry]), None, "{entry:?}");
        assert_eq!(x_forwarded_for(&[&format!("203.0.113.5, {entry}, 192.0.2.9")]), None, "{entry:?}");
    }
    for entry in neither {
        // Without `for` there is no address.
        assert_eq!(forwarded(&["for=203.0.113.5", entry]), None, "{entry:?}");
    }
    for node in ["unknown", "_hidden", "\"_hidden:80\"", "\"\"", "", "\"203.0.113\"", "\"2001:db8::1\"", "2001:db8::1"]
    {
        assert_eq!(forwarded(&["for=203.0.113.5", &format!("for={node}")]), None, "{node}");
        assert_eq!(forwarded(&[&format!("for=203.0.113.5, by=x;for={node}, for=192.0.2.9")]), None, "{node}");
    }
    for element in [
        "for =203.0.113.5",
        "for= 203.0.113.5",
        "for=203.0.113.5 ;by=x",
        "for=203.0.113.5:80",
        "for=[2001:db8::1]",
        "for=\"203.0.113.5",
        "for=203.0.113.5\"",
        "for=\"203.0.113.5\"x",
        "for=\"\\203.0.113.5\"",
        "for=203.0.113.5;for=203.0.113.5",
        "for=203.0.113.5;FOR=203.0.113.6",
        "for=203.0.113.5;by",
        "for=203.0.113.5;=x",
        "for=203.0.113.5;by=",
        "for=203.0.113.5;b(y=x",
        "for",
        "=203.0.113.5",
        "203.0.113.5",
        "for=203.0.113.5\u{e9}",
        ";",
    ] {
        assert_eq!(forwarded(&[element]), None, "{element}");
    }
    assert_eq!(proxies(ForwardedField::XForwardedFor).client_address(address(PROXY), [&b"\xff"[..]]), None);
    assert_eq!(proxies(ForwardedField::Forwarded).client_address(address(PROXY), [&b"for=1.2.3.4\xff"[..]]), None);
}

#[test]
fn a75_where_trusted_proxies_alone_are_named_the_client_is_unknown() {
    assert_eq!((x_forwarded_for(&[]), forwarded(&[])), (None, None));
    assert_eq!(x_forwarded_for(&["192.0.2.9, 2001:db8:1::1", "192.0.2.8"]), None);
    assert_eq!(forwarded(&["for=192.0.2.9, for=\"[2001:db8:1::1]\"", "for=192.0.2.8"]), None);
}

/// RFC 7239 section 6.
#[test]
fn addresses_are_taken_with_ports() {
    for (node, expected) in [
        ("203.0.113.5", Some("203.0.113.5")),
        ("203.0.113.5:0", Some("203.0.113.5")),
        ("203.0.113.5:65535", Some("203.0.113.5")),
        ("203.0.113.5:_a.b-C_", Some("203.0.113.5")),
        ("[2001:db8::1]", Some("2001:db8::1")),
        ("[2001:DB8::1]:4711", Some("2001:db8::1")),
        ("[::ffff:203.0.113.5]:_x", Some("203.0.113.5")),
        ("203.0.113.5:", None),
        ("203.0.113.5:123456", None),
        ("203.0.113.5:+80", None),
        ("203.0.113.5:80a", None),
        ("203.0.113.5:_", None),
        ("203.0.113.5:_a/b", None),
        ("203.0.113.5:80:80", None),
        ("[203.0.113.5]", None),
        ("[2001:db8::1", None),
        ("2001:db8::1]", None),
        ("[2001:db8::1]80", None),
        ("[2001:db8::1]:", None),
        ("[[2001:db8::1]]", None),
        ("[fe80::1%eth0]", None),
        ("fe80::1%eth0", None),
    ] {
        assert_eq!(x_forwarded_for(&[node]).as_deref(), expected, "{node}");
        assert_eq!(forwarded(&[&format!("for=\"{node}\"")]).as_deref(), expected, "{node}");
    }
    // In this field, an IPv6 address has no brackets.
    assert_eq!(x_forwarded_for(&["2001:db8::1"]).as_deref(), Some("2001:db8::1"));
    assert_eq!(forwarded(&["for=\"2001:db8::1\""]), None);
}

#[test]
fn the_search_is_bounded() {
    let hops = |bytes: usize| vec!["192.0.2.9"; bytes / "192.0.2.9".len()].join(",");
    let (short, long) = (hops(MAX_FORWARDED_BYTES), hops(MAX_FORWARDED_BYTES + 9));
    let found = |line: &str| x_forwarded_for(&["203.0.113.5", line]);
    assert_eq!(found(&short).as_deref(), None, "the client's own entry is past the limit");
    assert_eq!(found(&short[.."192.0.2.9,".len() * 400 - 1]).as_deref(), Some("203.0.113.5"));
    assert_eq!(found(&long), None);
    // Text from the client does not use up the limit.
    let line = format!("{},203.0.113.5", "x".repeat(MAX_FORWARDED_BYTES * 4));
    assert_eq!(x_forwarded_for(&[&line]).as_deref(), Some("203.0.113.5"));
    let line = format!("{},for=203.0.113.5", "x,".repeat(MAX_FORWARDED_BYTES * 4));
    assert_eq!(forwarded(&[&line]).as_deref(), Some("203.0.113.5"));
}

#[test]
fn a75_a_key_with_addresses_is_not_accepted_by_what_a_client_writes() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let (key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    let record = KeyRecord::api_key("k", "u").allowed_addresses(["10.0.0.0/8".parse().unwrap()]);
    table.insert(&key, record);
    let engine = Engine::builder().api_keys(table).build().unwrap();
    let proxies = proxies(ForwardedField::XForwardedFor);
    let verdict = |peer: &str, lines: &[&str]| {
        let client = proxies.client_address(address(peer), lines.iter().copied());
        engine.verify_request(&Request::new().authorization(key.as_str()).address(client)).map(drop)
    };
    let not_allowed = |text: &str| Err(Rejection::AddressNotAllowed { address: address(text) });
    assert_eq!(verdict(PROXY, &["10.1.2.3"]), Ok(()));
    assert_eq!(verdict("203.0.113.5", &["10.1.2.3"]), not_allowed("203.0.113.5"));
    assert_eq!(verdict(PROXY, &["10.1.2.3, 203.0.113.5"]), not_allowed("203.0.113.5"));
    assert_eq!(verdict(PROXY, &["10.1.2.3", "203.0.113.5"]), not_allowed("203.0.113.5"));
    assert_eq!(verdict(PROXY, &["10.1.2.3, unknown"]), Err(Rejection::AddressRequired));
    assert_eq!(verdict(PROXY, &[]), Err(Rejection::AddressRequired));
}

/// The model of one hop of a request: an address, or a text that is none, and its spelling.
#[derive(Clone, Debug)]
struct Hop {
    address: Option<IpAddr>,
    port: Option<String>,
    /// The pairs before and after `for`, and the white space around the entry.
    before: String,
    after: String,
    space: String,
    /// Whether a field line begins here.
    begins_line: bool,
}

fn hop_addresses() -> impl Strategy<Value = Option<IpAddr>> {
    let trusted = prop_oneof![
        any::<u8>().prop_map(|n| IpAddr::from(Ipv4Addr::new(192, 0, 2, n))),
        any::<u64>().prop_map(|n| IpAddr::from(Ipv6Addr::from((0x2001_0db8_0001_u128 << 80) | u128::from(n)))),
        any::<u8>().prop_map(|n| IpAddr::from(Ipv4Addr::new(192, 0, 2, n).to_ipv6_mapped())),
    ];
    prop_oneof![
        4 => trusted.prop_map(Some),
        1 => any::<IpAddr>().prop_map(Some),
        1 => Just(None),
    ]
}

fn hops() -> impl Strategy<Value = Hop> {
    let port = proptest::option::of("[0-9]{1,5}|_[A-Za-z0-9._-]{1,4}");
    let pairs = "(by=[a-z_]{1,4};|host=\"(a|,|;|=|\\\\\\\\|\\\\\"){0,6}\";|;){0,2}";
    (hop_addresses(), port, pairs, pairs, "[ \t]{0,2}", any::<bool>()).prop_map(
        |(address, port, before, after, space, begins_line)| Hop { address, port, before, after, space, begins_line },
    )
}

impl Hop {
    fn write(&self, field: ForwardedField) -> String {
        let port = self.port.as_ref().map(|port| format!(":{port}")).unwrap_or_default();
        let node = match self.address {
            None => "unknown".to_owned(),
            Some(IpAddr::V6(v6)) => format!("[{v6}]{port}"),
            Some(IpAddr::V4(v4)) => format!("{v4}{port}"),
        };
        let Hop { before, after, space, .. } = self;
        match field {
            ForwardedField::Forwarded => format!("{space}{before}for=\"{node}\";{after}{space}"),
            _ => format!("{space}{node}{space}"),
        }
    }
}

/// The lines of the field.
fn write(hops: &[Hop], field: ForwardedField) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for hop in hops {
        match lines.last_mut() {
            Some(line) if !hop.begins_line => {
                line.push(',');
                line.push_str(&hop.write(field));
            }
            _ => lines.push(hop.write(field)),
        }
    }
    lines
}

/// The rule alone: from the right, as long as there are trusted proxies.
fn expected(hops: &[Hop]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets()[..3] == [192, 0, 2],
        IpAddr::V6(v6) => v6.segments()[..3] == [0x2001, 0xdb8, 1],
    };
    let first = hops.iter().rev().find(|hop| !hop.address.is_some_and(|address| is_trusted(&address)));
    first.and_then(|hop| hop.address).map(|address| address.to_canonical())
}

proptest! {
    #[test]
    fn the_client_is_whom_the_rule_finds(hops in vec(hops(), 0..8)) {
        for field in FIELDS {
            let lines = write(&hops, field);
            let found = proxies(field).client_address(address(PROXY), &lines);
            prop_assert_eq!(found, expected(&hops), "{:?}", lines);
        }
    }

    /// The entry that the proxy adds decides, whatever the client sends.
    #[test]
    fn a75_nothing_to_the_left_of_the_client_changes_who_it_is(
        garbage in vec(vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\\'), Just(b';'), Just(b'='), any::<u8>()], 0..20), 0..3),
        hops in vec(hops(), 1..4),
        same_line in any::<bool>(),
    ) {
        prop_assume!(expected(&hops).is_some() || hops.iter().any(|hop| hop.address.is_none()));
        for field in FIELDS {
            let mut lines = garbage.clone();
            for (n, line) in write(&hops, field).into_iter().enumerate() {
                match lines.last_mut() {
                    Some(last) if n == 0 && same_line => {
                        last.push(b',');
                        last.extend(line.bytes());
                    }
                    _ => lines.push(line.into_bytes()),
                }
            }
            let found = proxies(field).client_address(address(PROXY), &lines);
            prop_assert_eq!(found, expected(&hops), "{:?}", lines);
        }
    }

    #[test]
    fn whatever_is_in_the_field_the_client_is_no_trusted_proxy(lines in vec(vec(any::<u8>(), 0..40), 0..4)) {
        for field in FIELDS {
            let proxies = proxies(field);
            let found = proxies.client_address(address(PROXY), &lines);
            prop_assert!(found.is_none_or(|client| !proxies.contain(client)));
        }
    }
}

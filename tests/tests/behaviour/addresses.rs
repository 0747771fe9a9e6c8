//! Keys that may be used from certain addresses only, and the address blocks that these are written as.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use tollgate::{
    AddressBlock, ApiKey, ApiKeyTable, Digest, Engine, KeyFormat, KeyRecord, KeyRecordBuilder, KeyState, LastUse,
    PrincipalKind, Rejection, Request, Revocation, Revocations,
};
use tollgate_tests::NOW;

const BLOCKS: [&str; 2] = ["192.0.2.0/24", "2001:db8::/32"];
const INSIDE: [&str; 5] = ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.9", "2001:db8::1", "2001:db8:ffff::"];
const OUTSIDE: [&str; 6] = ["192.0.1.255", "192.0.3.0", "2001:db9::", "::1", "::ffff:192.0.3.1", "0.0.0.0"];

fn blocks() -> [AddressBlock; 2] {
    BLOCKS.map(|block| block.parse().unwrap())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// An engine with one key of each kind, all of them for [`BLOCKS`], and another key for all addresses.
struct World {
    engine: Engine,
    bound: [(PrincipalKind, String); 4],
    digest: Digest,
    free: String,
    revocations: Revocations,
    last_use: std::sync::Arc<LastUse>,
}

fn world() -> World {
    let format = KeyFormat::new("tg", "live").unwrap();
    let table = ApiKeyTable::new(format.clone());
    let add = |record: KeyRecordBuilder<'_>| {
        let key = ApiKey::generate(&format).unwrap();
        table.insert(&key, record);
        key
    };
    let key = add(KeyRecord::api_key("key", "u").allowed_addresses(blocks()));
    let token = add(KeyRecord::access_token("token", "u").allowed_addresses(blocks()));
    let secret = add(KeyRecord::client_secret("secret", "c").allowed_addresses(blocks()));
    let free = add(KeyRecord::api_key("free", "u"));
    let bound = [
        (PrincipalKind::ApiKey, key.as_str().to_owned()),
        (PrincipalKind::ApiKey, format!("Bearer {}", key.as_str())),
        (PrincipalKind::AccessToken, format!("Bearer {}", token.as_str())),
        (PrincipalKind::Client, format!("Basic {}", STANDARD.encode(format!("c:{}", secret.as_str())))),
    ];
    let (revocations, last_use) = (Revocations::new(), std::sync::Arc::new(LastUse::one_in(NonZeroU32::MIN)));
    let (digest, free) = (key.digest(), free.as_str().to_owned());
    let engine = Engine::builder().api_keys(table).revocations(revocations.clone()).last_use(last_use.clone());
    World { engine: engine.build().unwrap(), bound, digest, free, revocations, last_use }
}

#[test]
fn a56_a_key_with_addresses_is_accepted_from_these_alone() {
    let World { engine, bound, .. } = world();
    for (kind, header) in &bound {
        let from = |client: &str| engine.verify_request(&Request::new().authorization(header).address(address(client)));
        for inside in INSIDE {
            assert_eq!(from(inside).unwrap().kind(), *kind, "{header} {inside}");
        }
        for outside in OUTSIDE {
            let rejection = from(outside).unwrap_err();
            let expected = Rejection::AddressNotAllowed { address: address(outside).to_canonical() };
            assert_eq!(rejection, expected, "{header} {outside}");
            assert_eq!((rejection.code(), rejection.status()), ("address-not-allowed", 403));
        }
    }
}

#[test]
fn a56_a_key_with_addresses_is_rejected_where_no_address_is_given() {
    let World { engine, bound, .. } = world();
    for (_, header) in &bound {
        let rejections = [
            engine.verify(header).unwrap_err(),
            engine.verify_at(header, NOW).unwrap_err(),
            engine.verify_request(&Request::new().authorization(header)).unwrap_err(),
            engine.verify_request_at(&Request::new().authorization(header).address(None), NOW).unwrap_err(),
        ];
        for rejection in rejections {
            assert_eq!(rejection, Rejection::AddressRequired, "{header}");
            assert_eq!((rejection.code(), rejection.status()), ("address-required", 403));
            assert_eq!(rejection.challenge().error(), None);
        }
    }
    let key = &bound[0].1;
    assert_eq!(engine.verify_api_key(key).unwrap_err(), Rejection::AddressRequired);
    assert_eq!(engine.verify_api_key_at(key, NOW).unwrap_err(), Rejection::AddressRequired);
    let from_inside = Request::new().api_key(key).address(address(INSIDE[0]));
    assert!(engine.verify_request(&from_inside).is_ok());
}

#[test]
fn a_key_without_addresses_is_accepted_from_everywhere_and_from_nowhere() {
    let World { engine, free, .. } = world();
    assert!(engine.verify(&free).is_ok());
    for client in INSIDE.into_iter().chain(OUTSIDE) {
        assert!(engine.verify_request(&Request::new().authorization(&free).address(address(client))).is_ok());
    }
}

#[test]
fn a_key_that_is_not_good_anywhere_is_not_said_to_be_good_elsewhere() {
    let World { engine, bound, revocations, .. } = world();
    let key = &bound[0].1;
    let outside = Request::new().authorization(key).address(address(OUTSIDE[0]));
    assert_eq!(engine.verify_request(&outside).unwrap_err().status(), 403);
    revocations.revoke(&Revocation::api_key("key"));
    assert_eq!(engine.verify_request(&outside).unwrap_err(), Rejection::Revoked);
    let bound = KeyRecord::api_key("k", "u").allowed_addresses(blocks());
    for (record, code) in [
        (bound.clone().state(KeyState::Disabled), "disabled"),
        (bound.clone().expires_at(NOW), "expired"),
        (bound.not_before(NOW + 1), "not-yet-valid"),
    ] {
        let format = KeyFormat::new("tg", "live").unwrap();
        let (key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
        table.insert(&key, record);
        let engine = Engine::builder().api_keys(table).build().unwrap();
        let rejection = engine.verify_request_at(&Request::new().authorization(key.as_str()), NOW).unwrap_err();
        assert_eq!((rejection.code(), rejection.status()), (code, 401));
    }
}

#[test]
fn a_use_from_a_wrong_address_is_no_use() {
    let World { engine, bound, digest, last_use, .. } = world();
    let from = |client: &str| Request::new().authorization(&bound[0].1).address(address(client));
    engine.verify_request_at(&from(OUTSIDE[0]), NOW).unwrap_err();
    let noted = || last_use.drain().contains(&(digest, NOW));
    assert!(!noted());
    engine.verify_request_at(&from(INSIDE[0]), NOW).unwrap();
    assert!(noted());
}

#[test]
fn address_blocks_have_one_meaning() {
    let parse = |text: &str| text.parse::<AddressBlock>();
    let everything = parse("0.0.0.0/0").unwrap();
    assert!(everything.contains([255, 255, 255, 255].into()) && !everything.contains("::1".parse().unwrap()));
    assert!(parse("::/0").unwrap().contains("ffff::".parse().unwrap()));
    assert_eq!(parse("192.0.2.7").unwrap().to_string(), "192.0.2.7/32");
    assert_eq!(parse("::ffff:192.0.2.0/120"), parse("192.0.2.0/24"));
    for wrong in [
        "",
        "/",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3.4/24",
        "::/129",
        "::1/64",
        "1.2.3.0/+24",
        "1.2.3.0/024",
        "01.2.3.0/24",
        "010.0.0.0/8",
        "a/8",
        "::ffff:1.2.3.4/120",
        "fe80::1%eth0",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

/// Compares bit by bit, as RFC 4632 section 3.1 defines it.
fn has_first_bits_of(block: IpAddr, length: u8, address: IpAddr) -> bool {
    let bits = |address: IpAddr| match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let bit = |bytes: &[u8], n: usize| bytes[n / 8] >> (7 - n % 8) & 1;
    let (block, address) = (bits(block), bits(address));
    block.len() == address.len() && (0..length.into()).all(|n| bit(&block, n) == bit(&address, n))
}

fn first_of(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from(u32::from(v4) & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from(u128::from(v6) & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)).into()
        }
    }
}

/// Addresses that share their first bits more often than random ones.
fn addresses() -> impl Strategy<Value = IpAddr> {
    let near = |bits: u8| 0u8..=bits;
    prop_oneof![
        (any::<u32>(), near(32)).prop_map(|(n, length)| {
            IpAddr::from(Ipv4Addr::from(0xc000_0200 ^ n.checked_shr(length.into()).unwrap_or(0)))
        }),
        (any::<u128>(), near(128)).prop_map(|(n, length)| {
            IpAddr::from(Ipv6Addr::from((0x2001_0db8 << 96) ^ n.checked_shr(length.into()).unwrap_or(0)))
        }),
        (any::<u32>(), near(32)).prop_map(|(n, length)| {
            let v4 = Ipv4Addr::from(0xc000_0200 ^ n.checked_shr(length.into()).unwrap_or(0));
            IpAddr::from(v4.to_ipv6_mapped())
        }),
    ]
}

proptest! {
    #[test]
    fn a_block_holds_the_addresses_that_begin_with_its_bits(block in addresses(), length in 0u8..=128, address in addresses()) {
        let block = block.to_canonical();
        let length = length.min(if block.is_ipv4() { 32 } else { 128 });
        let first = first_of(block, length);
        let parsed: AddressBlock = format!("{first}/{length}").parse().unwrap();
        prop_assert_eq!(parsed.contains(address), has_first_bits_of(first, length, address));
        prop_assert_eq!(parsed.to_string().parse(), Ok(parsed));
        prop_assert_eq!(format!("{block}/{length}").parse::<AddressBlock>().is_ok(), block == first);
        if let IpAddr::V4(first) = first {
            let mapped = format!("{}/{}", first.to_ipv6_mapped(), length + 96);
            prop_assert_eq!(mapped.parse(), Ok(parsed));
        }
    }

    #[test]
    fn no_other_text_is_a_block(text in "[0-9a-f:./+% ]{0,24}") {
        if let Ok(block) = text.parse::<AddressBlock>() {
            let (first, length) = text.split_once('/').map_or((&*text, None), |(first, length)| (first, Some(length)));
            let first: IpAddr = first.parse().unwrap();
            prop_assert!(block.contains(first));
            prop_assert!(length.is_none_or(|length| length.parse::<u8>().unwrap().to_string() == length));
        }
    }
}

//! Configurations that would reject everything, or have a part without effect: errors of `build`.

use std::num::NonZeroU32;
use std::sync::Arc;

use tollgate::keys::{KeyRefresher, Refreshed};
use tollgate::limits::{MAX_CACHE_BYTES, MAX_CACHE_SLOTS_PER_THREAD, MIN_CACHE_BYTES, MIN_HEADER_BYTES_FOR_JWTS};
use tollgate::{
    AcceptedCredentials, Algorithm, ApiKeyTable, BuildError, CacheConfig, Engine, EngineBuilder, Issuer, KeyFormat,
    KeyRecord, KeyRing, KeySet, LastUse, PrincipalKind, SettingsError, TypProfile,
};
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, issuer, key_set, signing_key};

fn table() -> ApiKeyTable<KeyRecord> {
    ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap())
}

fn build(builder: EngineBuilder) -> Result<(), BuildError> {
    builder.build().map(drop)
}

fn build_with(issuer: Issuer) -> Result<(), BuildError> {
    build(Engine::builder().issuer(issuer))
}

/// The error of the settings after `configure` has changed a valid issuer.
fn refusal(configure: impl FnOnce(Issuer) -> Issuer) -> SettingsError {
    match build_with(configure(issuer([&signing_key(Algorithm::ES256, 0)]))) {
        Err(BuildError::Issuer { error, .. }) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a65_a_configuration_that_cannot_work_is_refused_with_the_reason() {
    let key = signing_key(Algorithm::ES256, 0);
    let build = |issuers: Vec<Issuer>| {
        let builder = issuers.into_iter().fold(Engine::builder(), EngineBuilder::issuer);
        build(builder).map_err(|error| error.to_string())
    };
    let refused = |reason: &str| Err(reason.to_owned());
    assert_eq!(
        build(vec![]),
        refused("give the engine an issuer or a table of API keys for a kind of credential that it accepts")
    );
    assert_eq!(build(vec![Issuer::new("")]), refused("an issuer's name must not be empty"));
    assert_eq!(build(vec![Issuer::new("a")]), refused(r#"the issuer "a" needs an audience"#));
    let twice =
        format!("the issuer {ISSUER:?} is configured twice, and neither typ nor audience tells whose a token is");
    assert_eq!(build(vec![issuer([&key]), issuer([&key])]), refused(&twice));
    assert!(build(vec![issuer([&key]).leeway(u32::MAX)]).unwrap_err().contains("leeway of 4294967295 s"));
    assert!(build(vec![issuer([&key]).algorithms(&[])]).unwrap_err().contains("has an empty list of algorithms"));
    assert!(build(vec![issuer([&key]).audience("")]).unwrap_err().contains("has an audience that is empty"));
}

#[test]
fn a65_an_issuer_without_a_source_of_keys_is_refused() {
    let error = build_with(Issuer::new("https://as/").audience(AUDIENCE)).unwrap_err();
    assert_eq!(error, BuildError::NoKeys { issuer: "https://as/".into() });
    assert_eq!(error.to_string(), r#"the issuer "https://as/" needs keys: give it a key set or a key ring"#);
}

#[test]
fn a65_a_key_set_without_a_usable_key_is_refused() {
    let key = signing_key(Algorithm::ES256, 0);
    let with = |keys: KeyRing| issuer([]).keys(keys);
    let refused = build_with(with(KeySet::default().into())).unwrap_err();
    assert_eq!(refused, BuildError::NoUsableKey { issuer: ISSUER.into() });
    assert!(refused.to_string().contains("has no key for an algorithm that it accepts; give it one, or"));

    // The set of a document without usable keys is an empty set, too.
    let of_a_document = KeySet::builder().jwks(br#"{"keys":[{"kty":"new"}]}"#).unwrap().build_with_reports().set;
    assert!(matches!(build_with(with(of_a_document.into())), Err(BuildError::NoUsableKey { .. })));

    let for_others = issuer([&key]).algorithms(&[Algorithm::RS256, Algorithm::EdDSA]);
    assert!(matches!(build_with(for_others), Err(BuildError::NoUsableKey { .. })));
    assert_eq!(build_with(issuer([&key]).algorithms(&[Algorithm::RS256, Algorithm::ES256])), Ok(()));
}

#[test]
fn a65_a_ring_that_is_filled_later_may_be_empty() {
    struct Nobody;
    impl KeyRefresher for Nobody {
        fn unknown_key(&self, _kid: Option<&str>) {}
        fn refreshed<'r>(&'r self, _kid: Option<&'r str>) -> Option<Refreshed<'r>> {
            None
        }
    }
    assert_eq!(build_with(issuer([]).keys(KeyRing::with_refresher(KeySet::default(), Arc::new(Nobody)))), Ok(()));

    let (ring, key) = (KeyRing::new(KeySet::default()), signing_key(Algorithm::ES256, 0));
    let engine = Engine::builder().issuer(issuer([]).keys(ring.clone())).build().unwrap();
    ring.replace(key_set([&key]));
    assert!(engine.verify_at(Draft::new(&key).sign(&key).as_bytes(), NOW).is_ok());
}

#[test]
fn a65_settings_that_no_token_could_satisfy_are_refused() {
    assert_eq!(refusal(|issuer| issuer.audience("a\0b")), SettingsError::Nul);
    let named = Issuer::new("https://as/\0").audience(AUDIENCE).keys(KeyRing::new(KeySet::default()));
    let error = build_with(named).unwrap_err();
    assert!(matches!(error, BuildError::Issuer { error: SettingsError::Nul, .. }), "{error:?}");

    let limit = |configure: fn(Issuer) -> Issuer| match refusal(configure) {
        SettingsError::LimitOutOfRange { name: "max_members", value, min, .. } if value + 1 == min => min,
        other => panic!("{other:?}"),
    };
    // iss, exp and aud.
    assert_eq!(limit(|issuer| issuer.max_members(2)), 3);
    assert_eq!(limit(|issuer| issuer.max_members(1).danger_accept_missing_exp()), 2);
    assert_eq!(limit(|issuer| issuer.max_members(4).require_claim("/a/b").expect_claim("c", true)), 5);
    assert_eq!(limit(|issuer| issuer.max_members(1).audience_claims(&["/iss/x", "aud"])), 2);
}

#[test]
fn a65_the_least_number_of_members_lets_a_token_through() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = Engine::builder().issuer(issuer([&key]).max_members(3)).build().unwrap();
    let claims = format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{}}}"#, NOW + 60);
    let token = Draft::new(&key).payload_text(claims).sign(&key);
    assert_eq!(engine.verify_at(token.as_bytes(), NOW).map(drop), Ok(()));

    let access = issuer([&key]).typ(TypProfile::AccessToken);
    assert!(build_with(access.clone().max_members(7)).is_ok());
    assert!(build_with(access.clone().max_members(6)).is_err());
    assert!(build_with(access.max_members(6).optional_claims(&["jti"])).is_ok());
}

#[test]
fn a65_settings_without_effect_are_refused() {
    let both = refusal(Issuer::danger_accept_any_audience);
    assert_eq!(both, SettingsError::AudiencesWithoutEffect);
    assert!(both.to_string().ends_with("; leave one out"), "{both}");
    let optional = refusal(|issuer| issuer.optional_claims(&["sub"]));
    assert_eq!(optional, SettingsError::OptionalWithoutEffect);
    assert!(optional.to_string().ends_with("expect at+jwt as typ"), "{optional}");

    let error = build(Engine::builder().issuer(issuer([&signing_key(Algorithm::ES256, 0)])).last_use(last_use()));
    assert_eq!(error, Err(BuildError::LastUseWithoutApiKeys));
    assert_eq!(build(Engine::builder().api_keys(table()).last_use(last_use())), Ok(()));
}

fn last_use() -> LastUse {
    LastUse::one_in(NonZeroU32::MIN)
}

/// The backends of this build.
#[test]
fn a65_algorithms_that_cannot_be_verified_are_refused() {
    let ring = || issuer([]).keys(KeyRing::new(KeySet::default()));
    for algorithm in Algorithm::all() {
        let built = build_with(ring().algorithms(&[algorithm]));
        assert_eq!(built.is_ok(), algorithm.is_supported(), "{algorithm:?}: {built:?}");
        assert_eq!(build_with(ring().algorithms(&[algorithm, Algorithm::ES256])), Ok(()));
    }
}

#[test]
fn a65_a_kind_that_is_named_needs_a_source() {
    use PrincipalKind::{AccessToken, ApiKey, Client, Jwt};
    let issuers = || Engine::builder().issuer(issuer([&signing_key(Algorithm::ES256, 0)]));
    let tables = || Engine::builder().api_keys(table());
    let only = |builder: EngineBuilder, kinds: &[PrincipalKind]| {
        build(builder.accept(AcceptedCredentials::only(kinds.iter().copied())))
    };
    for kind in [ApiKey, Client, AccessToken] {
        let error = only(issuers(), &[Jwt, kind]).unwrap_err();
        assert_eq!(error, BuildError::NothingForKind { kind });
        let sentence = "is accepted, and there is no table of API keys; give one, or leave the kind out";
        assert_eq!(error.to_string(), format!("{} {sentence}", kind.as_str()));
    }
    let error = only(tables(), &[ApiKey, Jwt]).unwrap_err();
    assert_eq!(error, BuildError::NothingForKind { kind: Jwt });
    assert_eq!(error.to_string(), "jwt is accepted, and there is no issuer; give one, or leave the kind out");
    for kinds in [&PrincipalKind::ALL[..], &[Jwt]] {
        assert_eq!(only(issuers(), kinds), Ok(()));
    }
    assert_eq!(only(tables(), &[ApiKey, Client]), Ok(()));
    assert_eq!(build(issuers().accept(AcceptedCredentials::ALL.no_bare())), Ok(()));
}

#[test]
fn a65_a_header_limit_below_every_credential_is_refused() {
    let key = signing_key(Algorithm::ES256, 0);
    let jwts = || Engine::builder().issuer(issuer([&key]));
    for bytes in [0, 1, 15, MIN_HEADER_BYTES_FOR_JWTS - 1] {
        let short = jwts().max_header_bytes(bytes).build().unwrap_err();
        assert_eq!(short, BuildError::HeaderLimitTooLow { bytes, min: MIN_HEADER_BYTES_FOR_JWTS });
        assert_eq!(short.to_string(), format!("the header limit is {bytes} bytes; the shortest credential has 80"));
    }
    assert_eq!(build(jwts().max_header_bytes(MIN_HEADER_BYTES_FOR_JWTS)), Ok(()));
    let with_keys = jwts().api_keys(table()).max_header_bytes(15).build().unwrap_err();
    assert_eq!(with_keys, BuildError::HeaderLimitTooLow { bytes: 15, min: 16 });
    assert_eq!(build(jwts().api_keys(table()).max_header_bytes(16)), Ok(()));
    let keys_refused = jwts().api_keys(table()).accept(AcceptedCredentials::only([PrincipalKind::Jwt]));
    assert!(build(keys_refused.max_header_bytes(16)).is_err());

    let long = jwts().max_header_bytes(usize::MAX).build().unwrap_err();
    assert_eq!(long, BuildError::HeaderLimitTooHigh { bytes: usize::MAX });
    assert!(long.to_string().starts_with("the header limit is "));
}

/// The minimum header limit for JWTs leaves room for the shortest one.
#[test]
fn the_shortest_token_is_as_long_as_the_least_header_limit() {
    let key = signing_key(Algorithm::HS256, 0);
    let token = Draft::new(&key).header_text(r#"{"alg":"HS256"}"#).payload_text(r#"{"iss":"i"}"#).sign(&key);
    assert_eq!(token.len(), MIN_HEADER_BYTES_FOR_JWTS);
    let lax = Issuer::new("i").keys(key_set([&key])).danger_accept_any_audience().danger_accept_missing_exp();
    let engine = Engine::builder().issuer(lax).max_header_bytes(MIN_HEADER_BYTES_FOR_JWTS).build().unwrap();
    assert_eq!(engine.verify_at(token.as_bytes(), NOW).map(drop), Ok(()));
}

#[test]
fn a65_sizes_of_the_cache_that_cannot_work_are_refused() {
    let key = signing_key(Algorithm::ES256, 0);
    let build = |config| build(Engine::builder().issuer(issuer([&key])).cache(config));
    let with_bytes = |bytes| build(CacheConfig { bytes, ..CacheConfig::default() });
    let with_slots = |per_thread_slots| build(CacheConfig { per_thread_slots, ..CacheConfig::default() });
    let with_age = |max_token_age| build(CacheConfig { max_token_age, ..CacheConfig::default() });
    for bytes in [0, MIN_CACHE_BYTES - 1, MAX_CACHE_BYTES + 1, usize::MAX] {
        assert_eq!(with_bytes(bytes), Err(BuildError::CacheSize { bytes }));
    }
    for slots in [MAX_CACHE_SLOTS_PER_THREAD + 1, usize::MAX] {
        assert_eq!(with_slots(slots), Err(BuildError::TooManyCacheSlots { slots }));
    }
    assert_eq!(with_age(0), Err(BuildError::NoCachedTokenAge));
    assert!(with_age(0).unwrap_err().to_string().contains("max_token_age"));
    assert_eq!((with_bytes(MIN_CACHE_BYTES), with_slots(0), with_age(1)), (Ok(()), Ok(()), Ok(())));
}

#[test]
fn a65_a_table_for_any_number_of_keys_takes_keys() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let key = tollgate::ApiKey::generate(&format).unwrap();
    let table = ApiKeyTable::builder(format).capacity(usize::MAX).build();
    table.insert(&key, KeyRecord::api_key("key-1", "user-1"));
    let engine = Engine::builder().api_keys(table).build().unwrap();
    assert_eq!(engine.verify_at(key.as_str().as_bytes(), NOW).map(drop), Ok(()));
}

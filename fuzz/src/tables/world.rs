use std::sync::LazyLock;

use ring::hmac;
use serde_json::json;
use tollgate::jwt::base64url;
use tollgate::{Algorithm, CacheConfig, Engine, Issuer, KeyRing, KeySet};

use super::keys::{ApiKeys, KEYS};
use super::operations::Operations;
use super::revoked::{Kind, Name, Revoked};

/// 2025-11-22T16:00:00Z.
pub(super) const NOW: i64 = 1_763_827_200;
pub(super) const ISSUERS: [&str; 2] = ["https://one.example.com/", "https://two.example.com/"];
const AUDIENCE: &str = "https://api.example.com";

/// An engine with a cache and changing tables, and the expected verdict on each credential.
pub(super) struct World {
    engine: Engine,
    rings: [KeyRing; 2],
    /// The published secret for each issuer and `kid`.
    published: [[Option<usize>; 2]; 2],
    keys: ApiKeys,
    revoked: Revoked,
    now: i64,
}

impl World {
    pub(super) fn new() -> Self {
        let (keys, revoked) = (ApiKeys::new(), Revoked::default());
        let rings = [(); 2].map(|()| KeyRing::new(KeySet::default()));
        // Few slots, so that some tokens are found in the shared table only.
        let cache = CacheConfig { bytes: 1 << 20, per_thread_slots: 8, max_token_age: 400 };
        let engine = Engine::builder().api_keys(keys.table.clone()).revocations(revoked.table.clone()).cache(cache);
        let issuer = |index: usize| Issuer::new(ISSUERS[index]).audience(AUDIENCE).leeway(0).keys(rings[index].clone());
        let engine = engine.issuer(issuer(0)).issuer(issuer(1)).build().expect("an engine");
        World { engine, rings, published: [[None; 2]; 2], keys, revoked, now: NOW }
    }

    pub(super) fn apply(&mut self, operations: &mut Operations<'_>) {
        match operations.choose(8) {
            0..=2 => self.keys.apply(operations),
            3..=5 => self.revoked.apply(operations, self.now),
            6 => self.publish(operations),
            _ => self.now = NOW + 100 * operations.choose(9) as i64,
        }
    }

    /// Replaces the keys of an issuer.
    fn publish(&mut self, operations: &mut Operations<'_>) {
        let issuer = operations.choose(2);
        let published = [(); 2].map(|()| operations.choose(3).checked_sub(1));
        let mut set = KeySet::builder();
        for (kid, secret) in published.iter().enumerate() {
            if let Some(secret) = secret {
                set = set.hmac(Some(KIDS[kid]), Algorithm::HS256, &SECRETS[*secret]);
            }
        }
        self.rings[issuer].replace(set.build_with_reports().set);
        self.published[issuer] = published;
    }

    pub(super) fn assert_verdicts(&self) {
        self.keys.assert_contents();
        for token in TOKENS.iter() {
            self.assert_verdict(&token.header, self.verdict(token));
        }
        for key in 0..KEYS {
            let is_revoked = |id: &str| {
                (0..2)
                    .map(|which| Name::new(Kind::ApiKey, 0, which))
                    .any(|name| name.text() == id && self.revoked.concerns(&[name], None))
            };
            self.assert_verdict(&self.keys.header(key), self.keys.verdict(key, self.now, is_revoked));
        }
    }

    fn assert_verdict(&self, header: &str, expected: Result<(), &'static str>) {
        let verdict = self.engine.verify_at(header.as_bytes(), self.now).map(drop);
        assert_eq!(verdict.map_err(|rejection| rejection.code()), expected, "{header} at {}", self.now);
    }

    /// The token's first fault, in the order of the checks.
    fn verdict(&self, token: &Token) -> Result<(), &'static str> {
        if self.now >= token.expires_at {
            return Err("expired");
        }
        match self.published[token.issuer][token.kid] {
            None => return Err("unknown-key"),
            Some(secret) if secret != token.secret => return Err("bad-signature"),
            Some(_) => {}
        }
        if self.revoked.concerns(&token.names, token.issued_at) { Err("revoked") } else { Ok(()) }
    }
}

/// A token and its facts for the model.
struct Token {
    header: String,
    issuer: usize,
    kid: usize,
    secret: usize,
    issued_at: Option<i64>,
    expires_at: i64,
    names: [Name; 5],
}

const KIDS: [&str; 2] = ["k0", "k1"];
const SECRETS: [[u8; 32]; 2] = [[1; 32], [2; 32]];

static TOKENS: LazyLock<Vec<Token>> = LazyLock::new(tokens);

/// For each `kid` and secret: a token of each issuer, equal except for their times of issue, and a token with other names
/// and no time of issue.
fn tokens() -> Vec<Token> {
    let mut tokens = Vec::new();
    for (kid, secret) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for (issuer, which, issued_at, expires_at) in
            [(0, 0, Some(NOW - 100), NOW + 500), (1, 0, Some(NOW - 50), NOW + 600), (0, 1, None, NOW + 700)]
        {
            let kinds = [Kind::Token, Kind::Subject, Kind::Session, Kind::Client, Kind::Issuer];
            let names = kinds.map(|kind| Name::new(kind, issuer, which));
            let name = names[0].text();
            let mut claims = json!({
                "iss": ISSUERS[issuer], "aud": AUDIENCE, "exp": expires_at,
                "jti": name, "sub": name, "sid": name, "client_id": name,
            });
            if let Some(issued_at) = issued_at {
                claims["iat"] = issued_at.into();
            }
            let header = json!({ "alg": "HS256", "kid": KIDS[kid] }).to_string();
            let signing_input = format!("{}.{}", base64url::encode(header), base64url::encode(claims.to_string()));
            let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRETS[secret]);
            let signature = base64url::encode(hmac::sign(&key, signing_input.as_bytes()));
            let header = format!("Bearer {signing_input}.{signature}");
            tokens.push(Token { header, issuer, kid, secret, issued_at, expires_at, names });
        }
    }
    tokens
}

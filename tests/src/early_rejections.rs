use serde_json::json;
use tollgate::jwt::base64url;
use tollgate::{Algorithm, ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord};
use tollgate_issuer::SigningKey;

use crate::draft::Draft;
use crate::fixture::{NOW, issuer, key_set, signing_key};

/// Every way to be rejected before a signature is checked, by a header of any length that is as costly as possible.
pub struct EarlyRejections {
    engine: Engine,
    key: SigningKey,
}

/// One way to be rejected.
#[derive(Clone, Copy)]
pub struct EarlyRejection {
    /// The code, with the cause if one code has several.
    pub name: &'static str,
    /// The [`Rejection::code`](tollgate::Rejection::code).
    pub code: &'static str,
    /// The number of allocations: for the data of the rejection, or for decoded text.
    pub allocations: u64,
    header: fn(&Sender<'_>) -> String,
}

/// The parts that a header is made from.
struct Sender<'k> {
    key: &'k SigningKey,
    /// The length of the filling. base64url adds a third to most of it.
    filling: usize,
    /// The letter of the filling: another one each time, so that nothing is cached from the time before.
    letter: char,
}

impl EarlyRejections {
    /// An engine that accepts every kind of credential.
    ///
    /// # Panics
    /// Never: all its parts are constant.
    #[must_use]
    pub fn new() -> Self {
        let key = signing_key(Algorithm::ES256, 0);
        let crowd: Vec<_> = (0..5).map(|index| signing_key(Algorithm::EdDSA, index)).collect();
        let table = ApiKeyTable::new(KeyFormat::new("tg", "live").expect("a format"));
        // With a foreign key in it, the table hashes every text that may be one.
        let foreign = table.digest_of(b"foreign-key:8d2f0c71b6").expect("a foreign key");
        table.insert(foreign, KeyRecord::api_key("key", "user"));
        let issuer = issuer([]).keys(key_set(crowd.iter().chain([&key])));
        let engine = Engine::builder().issuer(issuer).api_keys(table).build().expect("an engine");
        EarlyRejections { engine, key }
    }

    /// The engine that rejects.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A header of at most `bytes` that is rejected in this way, and nearly as long if its kind can be. Two variants
    /// differ only in their text.
    #[must_use]
    pub fn header(&self, rejection: &EarlyRejection, bytes: usize, variant: usize) -> String {
        let letter = ['a', 'b'][variant % 2];
        let mut filling = bytes;
        loop {
            let header = (rejection.header)(&Sender { key: &self.key, filling, letter });
            if header.len() <= bytes || filling == 0 {
                return header;
            }
            // Most of a header grows with its filling.
            filling = (filling * bytes / header.len()).min(filling - 1);
        }
    }
}

impl Default for EarlyRejections {
    fn default() -> Self {
        Self::new()
    }
}

impl Sender<'_> {
    fn text(&self) -> String {
        self.letter.to_string().repeat(self.filling)
    }

    fn draft(&self) -> Draft {
        Draft::new(self.key)
    }

    /// With an unread claim that contains the filling.
    fn padded(&self) -> Draft {
        self.draft().claim("padding", self.text())
    }

    /// `count` texts that share the filling.
    fn texts(&self, count: usize) -> Vec<String> {
        let text = self.letter.to_string().repeat(self.filling / count);
        (0..count).map(|index| format!("{text}{index:03}{text}")).collect()
    }

    fn object(&self, members: usize, last: &str) -> String {
        let members: Vec<_> = self.texts(members).iter().map(|name| format!("\"{name}\":0")).collect();
        format!("{{{},{last}}}", members.join(","))
    }
}

fn unsigned(draft: &Draft) -> String {
    draft.with_signature([7; 64])
}

/// Nested as deep as the filling allows.
fn nested(sender: &Sender<'_>) -> String {
    let depth = sender.filling / 2;
    format!("{{\"{}\":{}{}}}", sender.letter, "[".repeat(depth), "]".repeat(depth))
}

const fn early(
    name: &'static str,
    code: &'static str,
    allocations: u64,
    header: fn(&Sender<'_>) -> String,
) -> EarlyRejection {
    EarlyRejection { name, code, allocations, header }
}

/// In the order of the checks.
pub const EARLY_REJECTIONS: [EarlyRejection; 45] = [
    early("malformed-credential/scheme-alone", "malformed-credential", 0, |_| "Bearer".to_owned()),
    early("malformed-credential/bare", "malformed-credential", 0, |s| s.text() + "\""),
    early("malformed-credential/bearer", "malformed-credential", 0, |s| format!("Bearer {}\"", s.text())),
    early("malformed-credential/spaces", "malformed-credential", 0, |s| format!("Bearer {}\"", " ".repeat(s.filling))),
    early("malformed-credential/basic", "malformed-credential", 0, |s| format!("Basic {}\"", s.text())),
    early("malformed-credential/basic-control", "malformed-credential", 1, |s| {
        format!("Basic {}", base64(&(s.text() + "\n")))
    }),
    early("unsupported-scheme", "unsupported-scheme", 0, |s| format!("{} x", s.text())),
    early("unknown-client", "unknown-client", 1, |s| format!("Basic {}", base64(&format!("id:{}", s.text())))),
    early("unknown-api-key/native", "unknown-api-key", 0, |s| native_key(s.letter)),
    early("unknown-api-key/foreign", "unknown-api-key", 0, |s| s.letter.to_string().repeat(s.filling.clamp(16, 512))),
    early("malformed-api-key", "malformed-api-key", 0, |s| format!("tg_live_{}", s.text())),
    early("malformed-token/dots", "malformed-token", 0, |s| format!("ey{}", ".".repeat(s.filling + 3))),
    early("malformed-token/two-parts", "malformed-token", 0, |s| format!("ey.{}", s.text())),
    early("encrypted-token", "encrypted-token", 0, |s| format!("eyJ.{}...", s.text())),
    early("malformed-token/header-base64", "malformed-token", 0, |s| format!("ey{}!.e30.c2ln", s.text())),
    early("malformed-token/header-json", "malformed-token", 0, |s| {
        unsigned(&s.draft().header_text(format!("{{\"{}\":", s.text())))
    }),
    early("malformed-token/header-depth", "malformed-token", 0, |s| unsigned(&s.draft().header_text(nested(s)))),
    early("malformed-token/header-duplicates", "malformed-token", 1, |s| {
        // One member fewer than are sorted, all with one fingerprint and equal in half their length.
        unsigned(&s.draft().header_text(s.object(30, "\"x\":0,\"x\":0")))
    }),
    early("malformed-token/no-alg", "malformed-token", 0, |s| {
        unsigned(&s.draft().without_header("alg").header("padding", s.text()))
    }),
    early("critical-header", "critical-header", 0, |s| unsigned(&s.draft().header("crit", s.texts(100)))),
    early("unsupported-header", "unsupported-header", 0, |s| unsigned(&s.draft().header("zip", s.text()))),
    early("algorithm-not-allowed", "algorithm-not-allowed", 0, |s| unsigned(&s.draft().header("alg", s.text()))),
    early("malformed-token/payload-base64", "malformed-token", 0, |s| {
        format!("eyJhbGciOiJFUzI1NiJ9.{}!.c2ln", s.text())
    }),
    early("malformed-token/payload-json", "malformed-token", 0, |s| {
        unsigned(&s.draft().payload_text(format!("{{\"a\":[{}0", "0,".repeat(s.filling / 2))))
    }),
    early("malformed-token/payload-depth", "malformed-token", 0, |s| unsigned(&s.draft().payload_text(nested(s)))),
    early("too-many-members", "too-many-members", 0, |s| unsigned(&s.draft().payload_text(s.object(257, "\"x\":0")))),
    early("malformed-token/payload-duplicates", "malformed-token", 1, |s| {
        unsigned(&s.draft().payload_text(s.object(200, "\"x\":0,\"x\":0")))
    }),
    early("invalid-claim", "invalid-claim", 0, |s| {
        unsigned(&s.draft().payload_text(format!("{{\"padding\":\"{}\",\"scope\":1}}", s.text())))
    }),
    early("too-many-entries", "too-many-entries", 0, |s| {
        unsigned(&s.draft().claim("aud", vec!["x"; (s.filling / 4).max(129)]))
    }),
    early("missing-claim/iss", "missing-claim", 1, |s| unsigned(&s.padded().without_claim("iss"))),
    early("unknown-issuer", "unknown-issuer", 1, |s| unsigned(&s.draft().claim("iss", s.text()))),
    early("type-not-allowed", "type-not-allowed", 1, |s| unsigned(&s.draft().header("typ", s.text()))),
    early("missing-claim/aud", "missing-claim", 1, |s| unsigned(&s.padded().without_claim("aud"))),
    early("wrong-audience", "wrong-audience", 1, |s| unsigned(&s.draft().claim("aud", s.texts(100)))),
    early("sender-constrained", "sender-constrained", 1, |s| unsigned(&s.draft().claim("cnf", json!({ s.text(): 1 })))),
    early("invalid-confirmation", "invalid-confirmation", 0, |s| {
        unsigned(&s.draft().claim("cnf", json!({ "x5t#S256": s.text() })))
    }),
    early("proof-required", "proof-required", 1, |s| {
        unsigned(&s.padded().claim("cnf", json!({ "jkt": base64url::encode([7; 32]) })))
    }),
    early("certificate-required", "certificate-required", 0, |s| {
        unsigned(&s.padded().claim("cnf", json!({ "x5t#S256": base64url::encode([7; 32]) })))
    }),
    early("expired", "expired", 0, |s| unsigned(&s.padded().claim("exp", NOW - 100))),
    early("not-yet-valid", "not-yet-valid", 0, |s| unsigned(&s.padded().claim("nbf", NOW + 100))),
    early("unknown-key", "unknown-key", 1, |s| unsigned(&s.draft().header("kid", s.text()))),
    early("ambiguous-key", "ambiguous-key", 0, |s| unsigned(&s.padded().header("alg", "EdDSA").without_header("kid"))),
    early("algorithm-mismatch", "algorithm-mismatch", 0, |s| unsigned(&s.padded().header("alg", "EdDSA"))),
    early("malformed-signature/base64", "malformed-signature", 0, |s| {
        format!("{}.{}!", s.draft().signing_input(), s.text())
    }),
    early("malformed-signature/length", "malformed-signature", 0, |s| s.draft().with_signature(s.text())),
];

fn native_key(letter: char) -> String {
    let format = KeyFormat::new("tg", "live").expect("a format");
    ApiKey::danger_from_entropy(&format, &[letter as u8; 32]).as_str().to_owned()
}

fn base64(text: &str) -> String {
    let text = base64url::encode(text).replace('-', "+").replace('_', "/");
    let padding = (4 - text.len() % 4) % 4;
    text + &"=".repeat(padding)
}

use std::collections::BTreeSet;
use std::fmt;

use crate::base64::encode_url;
use crate::key::Key;
use crate::plan::Random;
use crate::setting::NOW;
use crate::signer::Signer;
use crate::world::{ExpectedValue, Issuer, Typ, World};

/// A configuration of up to three issuers and a token for it, from a few bytes. Any bytes are a plan.
pub struct PolicyPlan {
    /// The configuration. It may [contradict itself](PolicyPlan::is_contradictory).
    pub world: World,
    /// The value of the Authorization header.
    pub header: Vec<u8>,
    /// When it is presented, and when once more.
    pub times: [i64; 2],
    claims: String,
}

/// The keys of the issuers, by their `kid`.
const KEYS: [&str; 3] = ["k0", "k1", "k2"];

impl PolicyPlan {
    /// Reads a plan.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> PolicyPlan {
        let mut choices = Choices(bytes);
        let count = 1 + choices.below(3);
        let issuers: Vec<Issuer> = (0..count).map(|index| choices.issuer(index)).collect();
        let target = choices.below(count);
        let typ = choices.one_of(&TYPES);
        let claims = choices.claims(&issuers[target]);
        let kid = KEYS[if choices.rarely() { choices.below(KEYS.len()) } else { target }];
        let typ = if typ.is_empty() { String::new() } else { format!(r#","typ":"{typ}""#) };
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"{typ}}}"#);
        let signing_input = format!("{}.{}", encode_url(header.as_bytes()), encode_url(claims.as_bytes()));
        let mut signature = key(kid).sign(signing_input.as_bytes());
        if choices.rarely() {
            signature[0] ^= 1;
        }
        let signature = encode_url(&signature);
        let later = [0, 59, 60, 599, 600, 660, -60, -61];
        PolicyPlan {
            world: World { issuers, prefix: "tg", env: "live", credentials: Vec::new(), max_header_bytes: 8192 },
            header: format!("Bearer {signing_input}.{signature}").into_bytes(),
            times: [NOW, NOW + later[choices.below(later.len())]],
            claims,
        }
    }

    /// The plan of that number.
    #[must_use]
    pub fn random(number: u64) -> PolicyPlan {
        let mut random = Random::new(number);
        PolicyPlan::from_bytes(&(0..160).map(|_| random.byte()).collect::<Vec<_>>())
    }

    /// Whether an engine has to refuse the configuration, by what the documentation says of each setting.
    #[must_use]
    pub fn is_contradictory(&self) -> bool {
        let issuers = &self.world.issuers;
        let pairs =
            || issuers.iter().enumerate().flat_map(|(n, one)| issuers[n + 1..].iter().map(move |two| (one, two)));
        issuers.iter().any(contradicts_itself) || pairs().any(|(one, two)| overlap(one, two))
    }
}

impl fmt::Debug for PolicyPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for issuer in &self.world.issuers {
            writeln!(f, "{:#?}", Issuer { keys: Vec::new(), secrets: Vec::new(), ..issuer.clone() })?;
        }
        writeln!(f, "{}\n{:?} {:?}", self.claims, String::from_utf8_lossy(&self.header), self.times)
    }
}

fn key(kid: &str) -> Signer {
    Signer::new("HS256", 20 + KEYS.iter().position(|one| *one == kid).unwrap_or(0))
}

fn contradicts_itself(issuer: &Issuer) -> bool {
    let is_twice = |paths: &[&str]| {
        let steps: Vec<_> = paths.iter().map(|path| steps(path)).collect();
        (1..steps.len()).any(|n| steps[..n].contains(&steps[n]))
    };
    let scope_claims: Vec<_> = issuer.scope_claims.iter().map(|(path, _)| *path).collect();
    let prefixes = || issuer.scope_claims.iter().map(|(_, prefix)| *prefix).filter(|prefix| !prefix.is_empty());
    issuer.audiences.is_empty() != issuer.any_audience
        || issuer.audiences.contains(&"")
        || issuer.audience_claims.is_empty()
        || [&issuer.audience_claims, &issuer.client_claims, &issuer.subject_claims, &scope_claims]
            .into_iter()
            .any(|paths| is_twice(paths))
        || prefixes().any(|one| prefixes().any(|two| one != two && two.starts_with(one)))
        || issuer.optional.iter().any(|name| !["sub", "client_id", "iat", "jti"].contains(name))
        || (!issuer.optional.is_empty() && !matches!(issuer.typ, Typ::AccessToken | Typ::Both))
        || issuer.optional.iter().any(|name| issuer.required.iter().any(|path| steps(path) == [*name]))
        || issuer.expected.iter().any(|(_, values)| values.is_empty())
        || issuer.max_list_entries == 0
        || issuer.max_members < least_members(issuer)
        || issuer.leeway > 300
}

/// How many members the claims of a token have that `issuer` could accept.
fn least_members(issuer: &Issuer) -> usize {
    let mut names: BTreeSet<String> = ["iss".to_owned()].into();
    if !issuer.missing_exp {
        names.insert("exp".to_owned());
    }
    let looked_at = issuer.required.iter().chain(issuer.expected.iter().map(|(path, _)| path));
    names.extend(looked_at.map(|path| steps(path).remove(0)));
    if matches!(issuer.typ, Typ::AccessToken) {
        let required = ["sub", "client_id", "iat", "jti"].into_iter().filter(|name| !issuer.optional.contains(name));
        names.extend(required.map(str::to_owned));
    }
    let has_audience = issuer.audience_claims.iter().any(|path| names.contains(&steps(path)[0]));
    names.len() + usize::from(!has_audience && !issuer.any_audience)
}

/// Whether a token could belong to both.
fn overlap(one: &Issuer, two: &Issuer) -> bool {
    let sources = |issuer: &Issuer| issuer.audience_claims.iter().map(|path| steps(path)).collect::<Vec<_>>();
    one.name == two.name
        && types(&one.typ).iter().any(|typ| types(&two.typ).contains(typ))
        && (one.any_audience
            || two.any_audience
            || sources(one) != sources(two)
            || one.audiences.iter().any(|audience| two.audiences.contains(audience)))
}

fn types(typ: &Typ) -> Vec<String> {
    let plain = |typ: &&str| typ.to_ascii_lowercase().trim_start_matches("application/").to_owned();
    match typ {
        Typ::Jwt => vec![String::new(), "jwt".into()],
        Typ::AccessToken => vec!["at+jwt".into()],
        Typ::Both => vec![String::new(), "jwt".into(), "at+jwt".into()],
        Typ::OneOf(types) => types.iter().map(plain).collect(),
    }
}

/// The steps of a JSON Pointer, or the one of a name.
fn steps(path: &str) -> Vec<String> {
    let unescape = |step: &str| step.replace("~1", "/").replace("~0", "~");
    match path.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(unescape).collect(),
        None => vec![path.to_owned()],
    }
}

/// One choice after the other from the bytes; at their end always the first.
struct Choices<'b>(&'b [u8]);

impl Choices<'_> {
    fn below(&mut self, end: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % end
    }

    /// In one of eight cases.
    fn rarely(&mut self) -> bool {
        self.below(8) == 7
    }

    /// In one of 64 cases.
    fn very_rarely(&mut self) -> bool {
        self.below(64) == 63
    }

    fn sometimes(&mut self) -> bool {
        self.below(3) == 2
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Each of them once, but for rare cases.
    fn some_of<T: Copy + PartialEq>(&mut self, all: &[T], most: usize) -> Vec<T> {
        let mut some = Vec::new();
        for _ in 0..self.below(most + 1) {
            let one = self.one_of(all);
            if !some.contains(&one) || self.very_rarely() {
                some.push(one);
            }
        }
        some
    }

    fn issuer(&mut self, index: usize) -> Issuer {
        let mut issuer =
            Issuer::new(self.one_of(&["https://a.example", "https://a.example", "https://b.example"]), vec![]);
        issuer.audiences = match self.below(8) {
            0..5 => vec![AUDIENCES[index]],
            5 => AUDIENCES.to_vec(),
            6 => vec![AUDIENCES[0]],
            _ => self.some_of(&AUDIENCES, 2),
        };
        issuer.any_audience = self.rarely();
        if issuer.any_audience && !self.rarely() {
            issuer.audiences.clear();
        }
        issuer.missing_exp = self.rarely();
        issuer.typ = match self.below(8) {
            0 | 1 => Typ::Jwt,
            2 => Typ::AccessToken,
            3 => Typ::Both,
            _ => Typ::OneOf([vec![self.one_of(&TYPES)], self.some_of(&TYPES, 2)].concat()),
        };
        if self.sometimes() {
            // `aud` may stand last, where it stands first in most configurations.
            issuer.audience_claims = self.some_of(&PATHS, 2);
            if !self.rarely() && !issuer.audience_claims.contains(&"aud") {
                issuer.audience_claims.push("aud");
            }
        }
        if self.sometimes() {
            issuer.client_claims = self.some_of(&PATHS, 4);
        }
        if self.sometimes() {
            issuer.subject_claims = self.some_of(&PATHS, 3);
        }
        if self.sometimes() {
            let paths = self.some_of(&PATHS, 4);
            issuer.scope_claims = paths.into_iter().map(|path| (path, self.one_of(&PREFIXES))).collect();
        }
        issuer.all_scopes = self.below(2) == 1;
        if self.sometimes() {
            let paths = self.some_of(&PATHS, 1);
            issuer.expected = paths.into_iter().map(|path| (path, self.expected_values())).collect();
        }
        if self.sometimes() {
            issuer.required = self.some_of(&PATHS, 1);
        }
        let has_access_tokens = matches!(issuer.typ, Typ::AccessToken | Typ::Both);
        if self.sometimes() && (has_access_tokens || self.rarely()) {
            issuer.optional = self.some_of(&["sub", "client_id", "iat", "jti"], 3);
            if self.rarely() {
                issuer.optional.push("exp");
            }
        }
        issuer.max_list_entries = self.one_of(&[128, 128, 128, 2, 1, 300]);
        issuer.max_members = self.one_of(&[256, 256, 256, 12, 10, 300]);
        issuer.leeway = self.one_of(&[60, 60, 0, 300]);
        if self.very_rarely() {
            (issuer.max_list_entries, issuer.max_members) = (self.below(2), 256 - 256 * self.below(2));
        }
        if self.very_rarely() {
            issuer.leeway = 301;
        }
        let (kid, secret) = (KEYS[index], key(KEYS[index]).hmac_secret().unwrap_or_default().to_vec());
        issuer.keys = vec![Key::secret(Some(kid.into()), "HS256", &secret)];
        issuer.secrets = vec![(Some(kid.into()), "HS256", secret)];
        issuer.jwks = r#"{"keys":[]}"#.into();
        issuer
    }

    fn expected_values(&mut self) -> Vec<ExpectedValue> {
        let values = [
            ExpectedValue::String("a"),
            ExpectedValue::String("app-1"),
            ExpectedValue::Bool(true),
            ExpectedValue::Integer(1),
            ExpectedValue::Integer(9_007_199_254_740_993),
        ];
        let count = if self.very_rarely() { 0 } else { 1 + self.below(3) };
        (0..count).map(|_| values[self.below(values.len())].clone()).collect()
    }

    /// Claims that are mostly good for `issuer`.
    fn claims(&mut self, issuer: &Issuer) -> String {
        let mut claims: Vec<(&str, String)> = vec![
            ("iss", format!("\"{}\"", issuer.name)),
            ("exp", (NOW + 600).to_string()),
            ("aud", format!("\"{}\"", issuer.audiences.first().unwrap_or(&"x"))),
        ];
        if !self.rarely() {
            for (name, value) in [("sub", "\"s\""), ("client_id", "\"app-1\""), ("iat", "1"), ("jti", "\"t\"")] {
                claims.push((name, value.into()));
            }
        }
        for _ in 0..self.below(6) {
            let name = self.one_of(&NAMES);
            // A registered claim of another type makes the rest of no account.
            let fitting = if name == "exp" || name == "iat" { &NUMBERS[..] } else { &STRINGS };
            let value =
                if REGISTERED.contains(&name) && !self.rarely() { self.one_of(fitting) } else { self.one_of(&VALUES) };
            if REGISTERED.contains(&name) {
                claims.retain(|(claim, _)| *claim != name);
                claims.push((name, value.to_owned()));
                continue;
            }
            let value = if self.rarely() { format!("[{}]", [value; 3].join(",")) } else { value.to_owned() };
            let value =
                if self.rarely() { format!(r#"{{"roles":{value},"0":{value},"b":{{"c":{value}}}}}"#) } else { value };
            claims.retain(|(claim, _)| *claim != name);
            claims.push((name, value));
        }
        if self.rarely() {
            let wide = (0..self.one_of(&[5, 11, 12, 255, 256, 257, 300])).map(|n| format!("\"{n}\":0"));
            claims.push(("wide", format!("{{{}}}", wide.collect::<Vec<_>>().join(","))));
        }
        if self.rarely() {
            let (name, count) = (self.one_of(&NAMES), self.one_of(&[127, 128, 129, 300]));
            claims.retain(|(claim, _)| *claim != name);
            claims.push((name, format!("[{}]", vec!["\"app-1\""; count].join(","))));
        }
        let members: Vec<_> = claims.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }
}

const AUDIENCES: [&str; 3] = ["app-1", "app-2", "https://api.example"];

const TYPES: [&str; 8] = ["", "JWT", "at+jwt", "JOSE", "application/jose", "Application/JWT", "secevent+jwt", "text/x"];

const PREFIXES: [&str; 5] = ["", "", "role:", "r", "g/"];

const PATHS: [&str; 22] = [
    "aud",
    "client_id",
    "azp",
    "cid",
    "appid",
    "sub",
    "scope",
    "scp",
    "/scope",
    "permissions",
    "roles",
    "/realm_access/roles",
    "/realm_access/0",
    "/roles/0",
    "/roles/b/c",
    "https://example.com/roles",
    "/https:~1~1example.com~1roles",
    "/a~0b",
    "jti",
    "iat",
    "exp",
    "/aud/0",
];

const NAMES: [&str; 18] = [
    "aud",
    "client_id",
    "azp",
    "cid",
    "appid",
    "sub",
    "scope",
    "scp",
    "permissions",
    "roles",
    "realm_access",
    "https://example.com/roles",
    "a~b",
    "jti",
    "iat",
    "exp",
    "iss",
    "sid",
];

/// Of a type that their specifications give them.
const REGISTERED: [&str; 11] = ["aud", "client_id", "azp", "sub", "scope", "scp", "jti", "iat", "exp", "iss", "sid"];

const STRINGS: [&str; 8] = [
    "\"a\"",
    "\"app-1\"",
    "\"app-2\"",
    "\"https://api.example\"",
    "\"https://a.example\"",
    "\"read\"",
    "\"role:admin\"",
    "\"\\u0061\"",
];

const NUMBERS: [&str; 4] = ["1763800600", "1763800000", "1763800600.5", "1"];

const VALUES: [&str; 30] = [
    "\"a\"",
    "\"app-1\"",
    "\"app-2\"",
    "\"https://api.example\"",
    "\"https://b.example\"",
    "\"read\"",
    "\"read write\"",
    "\"role:admin\"",
    "\"read role:admin\"",
    "\"\"",
    "\"a\\u0000b\"",
    "\"\\u0061\"",
    "\" \"",
    "\"a\\\"b\"",
    "null",
    "true",
    "false",
    "1",
    "1.0",
    "10e-1",
    "9007199254740993",
    "9007199254740993.0",
    "-1",
    "[]",
    "{}",
    "[\"a\",\"app-1\",\"read\"]",
    "[\"a\",\"two words\",7]",
    "[1,true]",
    "{\"roles\":[\"admin\",\"role:x\"]}",
    "{\"roles\":\"admin\",\"0\":\"app-1\",\"b\":{\"c\":[\"read\"]}}",
];

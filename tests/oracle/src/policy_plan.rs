use std::fmt;

use crate::base64::encode_url;
use crate::contradiction::contradict;
use crate::key::Key;
use crate::plan::Random;
use crate::setting::NOW;
use crate::signer::Signer;
use crate::template::Template;
use crate::world::{ExpectedValue, Issuer, Rule, Typ, Validator, World};

/// A configuration of up to three issuers, a token for it, and events, from a few bytes. Any bytes are a plan.
pub struct PolicyPlan {
    /// The configuration. It may [contradict itself](PolicyPlan::is_contradictory).
    pub world: World,
    /// The value of the Authorization header.
    pub header: Vec<u8>,
    /// The events, in order.
    pub steps: Vec<Step>,
    claims: String,
}

/// An event in the life of an engine.
#[derive(Clone, Debug)]
pub enum Step {
    /// The token is presented, at this time in seconds since the Unix epoch.
    Verify(i64),
    /// An issuer is added.
    Add(Box<Issuer>),
    /// Issuers replace those with the same names.
    Replace(Vec<Issuer>),
    /// The issuers of this name are removed.
    Remove(String),
}

/// The keys of the issuers, by their `kid`: an HMAC secret and an elliptic-curve key of each.
const KEYS: [[&str; 3]; 2] = [["k0", "k1", "k2"], ["e0", "e1", "e2"]];

impl PolicyPlan {
    /// Reads a plan.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> PolicyPlan {
        let mut choices = Choices(bytes);
        let count = 1 + choices.below(3);
        let issuers: Vec<Issuer> = (0..count).map(|index| choices.issuer(index)).collect();
        let target = choices.below(count);
        let typ = choices.typ(&issuers[target].typ);
        let (iss, claims) = choices.claims(&issuers[target]);
        let kinds = KEYS[usize::from(issuers[target].secrets.is_empty() && issuers[target].keys[0].alg == "ES256")];
        let kid = if choices.rarely() { choices.one_of(&KEYS.concat()) } else { kinds[target] };
        let typ = if typ.is_empty() { String::new() } else { format!(r#","typ":"{typ}""#) };
        let named = if choices.rarely() { String::new() } else { format!(r#","kid":"{kid}""#) };
        let signer = key(kid);
        let header = format!(r#"{{"alg":"{}"{named}{typ}}}"#, signer.alg);
        let signing_input = format!("{}.{}", encode_url(header.as_bytes()), encode_url(claims.as_bytes()));
        let mut signature = signer.sign(signing_input.as_bytes());
        if choices.rarely() {
            signature[0] ^= 1;
        }
        let signature = encode_url(&signature);
        PolicyPlan {
            steps: choices.steps(&issuers, target, &iss),
            world: World { issuers, prefix: "tg", env: "live", credentials: Vec::new(), max_header_bytes: 8192 },
            header: format!("Bearer {signing_input}.{signature}").into_bytes(),
            claims,
        }
    }

    /// The plan of that number.
    #[must_use]
    pub fn random(number: u64) -> PolicyPlan {
        let mut random = Random::new(number);
        PolicyPlan::from_bytes(&(0..400).map(|_| random.byte()).collect::<Vec<_>>())
    }

    /// Whether an engine must refuse the configuration, according to the documentation of each setting.
    #[must_use]
    pub fn is_contradictory(&self) -> bool {
        contradict(&self.world.issuers)
    }
}

impl fmt::Debug for PolicyPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let without_keys = |issuer: &Issuer| Issuer { keys: Vec::new(), secrets: Vec::new(), ..issuer.clone() };
        for issuer in &self.world.issuers {
            writeln!(f, "{:#?}", without_keys(issuer))?;
        }
        for step in &self.steps {
            let step = match step {
                Step::Add(issuer) => Step::Add(Box::new(without_keys(issuer))),
                Step::Replace(issuers) => Step::Replace(issuers.iter().map(without_keys).collect()),
                step => step.clone(),
            };
            writeln!(f, "{step:?}")?;
        }
        writeln!(f, "{}\n{:?}", self.claims, String::from_utf8_lossy(&self.header))
    }
}

fn key(kid: &str) -> Signer {
    let [secrets, elliptic] = KEYS.map(|kids| kids.iter().position(|one| *one == kid));
    match (secrets, elliptic) {
        (None, Some(number)) => Signer::new("ES256", 30 + number),
        (number, _) => Signer::new("HS256", 20 + number.unwrap_or(0)),
    }
}

/// The `use` values of loaded keys when all are loaded.
const ALL_USES: [&str; 3] = ["sig", "jwt-svid", "x509-svid"];

/// Choices taken from the bytes one by one; after their end always the first.
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

    /// Each at most once, with rare exceptions.
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

    /// The token is presented twice, again after each change, and once more at another time.
    fn steps(&mut self, issuers: &[Issuer], target: usize, iss: &str) -> Vec<Step> {
        let mut now = NOW;
        let mut steps = vec![Step::Verify(now), Step::Verify(now)];
        for _ in 0..self.one_of(&[0, 0, 0, 1, 1, 2, 3]) {
            steps.push(self.change(issuers, target, iss));
            now += self.one_of(&[0, 0, 29, 31, 59, 3600]);
            steps.extend(vec![Step::Verify(now); self.below(3)]);
        }
        // A clock that goes back is a cache miss.
        steps.push(Step::Verify(now + self.one_of(&[0, 59, 60, 599, 600, 660, -60, -61])));
        steps
    }

    fn change(&mut self, issuers: &[Issuer], target: usize, iss: &str) -> Step {
        let of_target = || issuers.iter().filter(|issuer| issuer.name == issuers[target].name).cloned();
        let mut changed = issuers[target].clone();
        match self.below(8) {
            0 => Step::Remove(changed.name),
            1 => Step::Remove(self.issuer(0).name),
            2 => Step::Add(Box::new(self.issuer(target))),
            // An issuer with the name of the trust domain: it may replace the trust domain, but not be added
            // beside it.
            3 if changed.is_trust_domain => {
                changed.is_trust_domain = false;
                if self.sometimes() { Step::Add(Box::new(changed)) } else { Step::Replace(vec![changed]) }
            }
            // A full name takes precedence over a template.
            3 => {
                (changed.tenant_claim, changed.tenants) = (None, None);
                Step::Add(Box::new(Issuer { name: iss.into(), ..changed }))
            }
            4 => Step::Replace(of_target().collect()),
            5 => {
                changed.validators = self.some_of(&VALIDATORS, 2);
                Step::Replace(vec![changed])
            }
            6 => {
                changed.audiences = self.some_of(&AUDIENCES, 2);
                Step::Replace(vec![changed])
            }
            _ => Step::Replace((0..self.below(3)).map(|index| self.issuer(index)).collect()),
        }
    }

    /// Mostly an accepted one.
    fn typ(&mut self, taken: &Typ) -> &'static str {
        if self.sometimes() {
            return self.one_of(&TYPES);
        }
        match taken {
            Typ::Jwt => self.one_of(&["JWT", ""]),
            Typ::AccessToken => "at+jwt",
            Typ::Both => self.one_of(&["at+jwt", "JWT", ""]),
            Typ::OneOf(types) => types.first().copied().unwrap_or_default(),
        }
    }

    fn issuer_name(&mut self) -> String {
        if self.below(8) < 5 {
            return self.one_of(&["https://a.example", "https://a.example", "https://b.example"]).into();
        }
        if self.rarely() {
            return self.one_of(&STRANGE_NAMES).into();
        }
        if self.rarely() {
            return self.one_of(&TRUST_DOMAINS).into();
        }
        let variable = if self.rarely() { "other" } else { "tenant" };
        let (before, after) = (self.one_of(&BEFORE), self.one_of(&AFTER));
        if self.rarely() {
            return format!("https://t.example/{before}{}{after}", self.one_of(&TENANTS));
        }
        format!("https://t.example/{before}{{{variable}}}{after}")
    }

    fn set_tenants(&mut self, issuer: &mut Issuer) {
        let has_variable = issuer.name.contains('{') != self.very_rarely();
        if !has_variable {
            return;
        }
        issuer.tenant_claim = if self.very_rarely() { None } else { Some(self.one_of(&TENANT_CLAIMS)) };
        if self.sometimes() {
            let all: &[&str] = if self.rarely() { &BAD_TENANTS } else { &TENANTS };
            let mut tenants = self.some_of(all, 3);
            if !self.rarely() {
                tenants.push("a.b-c");
            }
            issuer.tenants = Some(tenants.into_iter().map(Into::into).collect());
        }
    }

    /// `iss`, and the tenant in it if the issuer is a template.
    fn iss(&mut self, issuer: &Issuer) -> (String, Option<String>) {
        let Ok(Some(_)) = Template::of(&issuer.name) else { return (issuer.name.clone(), None) };
        let listed: Vec<&str> = issuer.tenants.iter().flatten().map(String::as_str).collect();
        let tenant = match self.below(16) {
            0 => self.one_of(&BAD_TENANTS),
            1..5 => self.one_of(&TENANTS),
            _ => listed.first().copied().unwrap_or("a"),
        };
        let (before, rest) = issuer.name.split_once('{').unwrap_or_default();
        let (_, after) = rest.split_once('}').unwrap_or_default();
        (format!("{before}{tenant}{after}"), Some(tenant.to_owned()))
    }

    fn issuer(&mut self, index: usize) -> Issuer {
        let mut issuer = Issuer::new(&self.issuer_name(), vec![]);
        self.set_tenants(&mut issuer);
        issuer.audiences = match self.below(8) {
            0..5 => vec![AUDIENCES[index]],
            5 => AUDIENCES.to_vec(),
            6 => vec![AUDIENCES[0]],
            _ => [vec![AUDIENCES[index]], self.some_of(&AUDIENCES, 2)].concat(),
        };
        if self.very_rarely() {
            issuer.audiences = self.some_of(&["", "app-1"], 1);
        }
        issuer.any_audience = self.rarely();
        if issuer.any_audience && !self.rarely() {
            issuer.audiences.clear();
        }
        issuer.missing_exp = self.rarely();
        if self.below(16) == 15 {
            issuer.is_trust_domain = true;
            issuer.name = self.one_of(&TRUST_DOMAINS).into();
            (issuer.tenant_claim, issuer.tenants) = (None, None);
            if self.very_rarely() {
                issuer.name = self.one_of(&STRANGE_TRUST_DOMAINS).into();
            }
        }
        // Settings that JWT-SVID fixes mostly stay unchanged.
        let is_fixed = issuer.is_trust_domain && !self.rarely();
        if is_fixed {
            (issuer.any_audience, issuer.missing_exp) = (false, false);
            if issuer.audiences.is_empty() {
                issuer.audiences = vec![AUDIENCES[index]];
            }
        }
        issuer.typ = match self.below(8) {
            _ if is_fixed => Typ::Jwt,
            0 | 1 => Typ::Jwt,
            2 => Typ::AccessToken,
            3 => Typ::Both,
            _ => Typ::OneOf([vec![self.one_of(&TYPES)], self.some_of(&TYPES, 2)].concat()),
        };
        if self.sometimes() && !is_fixed {
            // `aud` may be the last source, although it is first in most configurations.
            issuer.audience_claims = self.some_of(&PATHS, 2);
            if !self.rarely() && !issuer.audience_claims.contains(&"aud") {
                issuer.audience_claims.push("aud");
            }
        }
        if self.sometimes() {
            issuer.client_claims = self.some_of(&PATHS, 4);
        }
        if self.sometimes() && !is_fixed {
            issuer.subject_claims = self.some_of(&PATHS, 3);
        }
        if self.sometimes() {
            let paths = self.some_of(&PATHS, 4);
            let prefixes: &[&str] = if self.rarely() { &PREFIXES } else { &["", "role:", "g/"] };
            issuer.scope_claims = paths.into_iter().map(|path| (path, self.one_of(prefixes))).collect();
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
        issuer.max_members = self.one_of(&[256, 256, 256, 16, 12, 300]);
        issuer.leeway = self.one_of(&[60, 60, 0, 300]);
        if self.very_rarely() {
            (issuer.max_list_entries, issuer.max_members) = (self.below(2), 256 - 256 * self.below(2));
        }
        if self.very_rarely() {
            issuer.leeway = 301;
        }
        if self.sometimes() {
            issuer.validators = self.some_of(&VALIDATORS, 2);
        }
        self.set_keys(&mut issuer, index);
        issuer
    }

    /// An HMAC secret, or the JWK set of one key, symmetric or elliptic: under one name or two, for one purpose or
    /// several.
    fn set_keys(&mut self, issuer: &mut Issuer, index: usize) {
        let is_elliptic = issuer.is_trust_domain || self.very_rarely();
        let kid = KEYS[usize::from(is_elliptic)][index];
        let signer = key(kid);
        if !is_elliptic && !self.sometimes() {
            let secret = signer.hmac_secret().unwrap_or_default().to_vec();
            issuer.keys = vec![Key::secret(Some(kid.into()), "HS256", &secret)];
            issuer.secrets = vec![(Some(kid.into()), "HS256", secret)];
            issuer.jwks = r#"{"keys":[]}"#.into();
            return;
        }
        let usual = if issuer.is_trust_domain { "jwt-svid" } else { "sig" };
        if self.sometimes() {
            issuer.key_use = Some(self.some_of(&ALL_USES, 2));
            if !self.rarely() {
                issuer.key_use.get_or_insert_default().push(usual);
            }
        }
        issuer.loaded_uses = if self.rarely() { vec![usual] } else { ALL_USES.to_vec() };
        let (mut jwks, count) = (Vec::new(), self.one_of(&[1, 1, 2, 2, 3, 6]));
        for number in 0..count {
            let kid = match self.below(8) {
                _ if number == 0 => kid.to_owned(),
                0..4 => kid.to_owned(),
                _ => format!("{kid}-{number}"),
            };
            let key_use = match self.below(8) {
                0 => self.one_of(&["", "enc", "x509-svid"]),
                1 => self.one_of(&["sig", "jwt-svid"]),
                _ => usual,
            };
            let key_use = if key_use.is_empty() { String::new() } else { format!(r#","use":"{key_use}""#) };
            let meant = if self.sometimes() { self.key_issuer(&issuer.name) } else { String::new() };
            let meant = if meant.is_empty() { String::new() } else { format!(r#","issuer":"{meant}""#) };
            let jwk = signer.jwk(Some(&kid), true).unwrap_or_else(|| {
                let secret = encode_url(signer.hmac_secret().unwrap_or_default());
                format!(r#"{{"kty":"oct","alg":"HS256","kid":"{kid}","k":"{secret}"}}"#)
            });
            jwks.push(format!("{}{key_use}{meant}}}", &jwk[..jwk.len() - 1]));
        }
        issuer.jwks = format!(r#"{{"keys":[{}]}}"#, jwks.join(","));
        issuer.keys = Key::read_set(&issuer.jwks, &issuer.loaded_uses);
        if issuer.keys.is_empty() {
            issuer.loaded_uses = [&ALL_USES[..], &["enc"]].concat();
            issuer.keys = Key::read_set(&issuer.jwks, &issuer.loaded_uses);
        }
    }

    /// The `issuer` member in a JWK of an issuer with this name.
    fn key_issuer(&mut self, name: &str) -> String {
        match self.below(8) {
            0 => self.issuer_name(),
            1 => self.one_of(&TRUST_DOMAINS).into(),
            // One of its tenants' names.
            2..5 if name.contains('{') => {
                let (before, rest) = name.split_once('{').unwrap_or_default();
                let after = rest.split_once('}').map_or("", |(_, after)| after);
                format!("{before}{}{after}", self.one_of(&TENANTS))
            }
            _ => name.to_owned(),
        }
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

    /// `iss`, and all claims, mostly valid for `issuer`.
    fn claims(&mut self, issuer: &Issuer) -> (String, String) {
        let (iss, tenant) = self.iss(issuer);
        let mut claims: Vec<(&str, String)> = vec![
            ("iss", format!("\"{iss}\"")),
            ("exp", (NOW + 600).to_string()),
            ("aud", format!("\"{}\"", issuer.audiences.first().unwrap_or(&"x"))),
        ];
        let workload = match self.below(8) {
            _ if !issuer.is_trust_domain && !self.very_rarely() => None,
            0 => Some(self.one_of(&STRANGE_WORKLOADS).to_owned()),
            1 => Some(format!("{}/a", self.one_of(&TRUST_DOMAINS))),
            _ => Some(format!("{}{}", issuer.name, self.one_of(&["/a", "/ns/shop/sa/orders", "/a.b-c_D"]))),
        };
        if issuer.is_trust_domain && !self.sometimes() {
            claims.remove(0);
            if self.rarely() {
                claims.push(("iss", "\"https://a.example\"".to_owned()));
            }
        }
        if let Some(workload) = &workload {
            claims.push(("sub", format!("\"{workload}\"")));
        }
        if !self.rarely() {
            let (subject, client) = (self.one_of(&["\"s\"", "\"a\""]), self.one_of(&["\"app-1\"", "\"app-2\""]));
            for (name, value) in [("sub", subject), ("client_id", client), ("iat", "1"), ("jti", "\"t\"")] {
                if name != "sub" || workload.is_none() {
                    claims.push((name, value.into()));
                }
            }
            if self.below(2) == 1 {
                claims.push(("scope", "\"read role:admin\"".into()));
            }
            if self.rarely() {
                claims.retain(|(claim, _)| *claim != "jti");
            }
        }
        if let (Some(tenant), Some(claim)) = (tenant, issuer.tenant_claim) {
            let claim: &'static str = claim;
            let (name, value) = match claim {
                "/ext/tid" => ("ext", format!(r#"{{"tid":"{tenant}"}}"#)),
                "/groups/0" => ("groups", format!(r#"["{tenant}"]"#)),
                name => (name, format!("\"{tenant}\"")),
            };
            claims.retain(|(claim, _)| *claim != name);
            claims.push((name, value));
        }
        for _ in 0..self.below(5) {
            let name = self.one_of(&NAMES);
            // A registered claim of another type makes all other claims irrelevant.
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
            let wide = (0..self.one_of(&[5, 11, 12, 13, 16, 17, 255, 256, 257, 300])).map(|n| format!("\"{n}\":0"));
            claims.push(("wide", format!("{{{}}}", wide.collect::<Vec<_>>().join(","))));
        }
        if self.rarely() {
            let (name, count) = (self.one_of(&NAMES), self.one_of(&[127, 128, 129, 300]));
            claims.retain(|(claim, _)| *claim != name);
            claims.push((name, format!("[{}]", vec!["\"app-1\""; count].join(","))));
        }
        let members: Vec<_> = claims.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        (iss, format!("{{{}}}", members.join(",")))
    }
}

/// The part of a name before its variable.
const BEFORE: [&str; 10] = ["", "", "", "", "a", "a-", "b/", "./", "a/v2/", LONG];

/// The part after its variable.
const AFTER: [&str; 9] = ["", "/v2", "/v2", "/v2", "/", "-b", "a", "b/v2", LONG];

const STRANGE_NAMES: [&str; 10] = [
    "https://{tenant}.example/v2",
    "https://t.example/{a}/{b}",
    "https://t.example/{}",
    "https://t.example/}a{",
    "https://t.example/{a",
    "https://t.example/{a b}",
    "urn:t:{tenant}",
    "http://t.example/{tenant}",
    "https://t.example:8443/{tenant}",
    "//t.example/{tenant}",
];

const TRUST_DOMAINS: [&str; 3] = ["spiffe://example.org", "spiffe://example.org", "spiffe://a-b.c_d"];

const STRANGE_TRUST_DOMAINS: [&str; 5] =
    ["spiffe://", "spiffe://Example.org", "spiffe://example.org:8443", "spiffe://example.org/a", "spiffe://{tenant}"];

const STRANGE_WORKLOADS: [&str; 8] = [
    "spiffe://example.org",
    "spiffe://example.org/",
    "spiffe://example.org/a/",
    "spiffe://example.org/../a",
    "spiffe://example.org/a b",
    "spiffe://example.org.evil/a",
    "spiffe://example.org:8443/a",
    "SPIFFE://example.org/a",
];

const TENANTS: [&str; 6] = ["a", "b", "a.b", "A_-9", "v2", LONG];

const BAD_TENANTS: [&str; 8] = ["", ".", "..", "a/b", "a b", "a%2Fb", "{a}", TOO_LONG];

const LONG: &str = TOO_LONG.split_at(128).0;

/// One byte longer than a tenant may be.
const TOO_LONG: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
                        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefg";

const TENANT_CLAIMS: [&str; 7] = ["tid", "tid", "tid", "/ext/tid", "/groups/0", "sub", "client_id"];

const VALIDATORS: [Validator; 8] = [
    once("validator-subject", Rule::NotOfSubject("a")),
    once("validator-scope", Rule::OfScope("read")),
    once("validator-text", Rule::WithText("jti")),
    once("validator-before", Rule::Before(NOW + 30)),
    each_time("validator-client-each-time", Rule::NotOfClient("app-2")),
    each_time("validator-scope-each-time", Rule::OfScope("role:admin")),
    each_time("validator-text-each-time", Rule::WithText("sub")),
    each_time("validator-before-each-time", Rule::Before(NOW + 30)),
];

const fn once(code: &'static str, rule: Rule) -> Validator {
    Validator { code, on_each_hit: false, rule }
}

const fn each_time(code: &'static str, rule: Rule) -> Validator {
    Validator { code, on_each_hit: true, rule }
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

const NAMES: [&str; 21] = [
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
    "tid",
    "ext",
    "groups",
];

/// Of the types in their specifications.
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

//! `tollgate verify`: values of an Authorization header, or whole requests, as the engine takes them.

mod request_line;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use serde::Serialize;
use tollgate::limits::{DEFAULT_LEEWAY, MAX_LEEWAY};
use tollgate::{Algorithm, IssuerSettings, Principal, Rejection, Request};
use tollgate_remote::Verifier;
use toml::Spanned;

use self::request_line::RequestLine;
use super::Outcome;
use crate::configuration::{
    AcceptConfiguration, Configuration, Configured, DpopConfiguration, IssuerConfiguration, KeySources,
};
use crate::error::CommandError;
use crate::followed::StoreConfiguration;
use crate::limits::MAX_LINE_BYTES;
use crate::reason::Reason;
use crate::stream::{InputFormat, Item, JsonLines, NOT_A_JSON_ITEM, answer_each, with_input_help};
use crate::values::{self, Typ};

/// Verify credentials: each line is the value of an Authorization header, or a request.
///
/// The answer is `{"ok":true,"principal":{...}}` or `{"ok":false,"status":401,"error":...,"challenge":...,"detail":...}`. The members of a
/// principal: `kind` (jwt, api-key, client, access-token), `issuer`, `subject`, `audience`, `scopes`, `client_id`, `credential_id`,
/// `key_id`, `expires_at`; those that do not apply are null. `error` is a code for programs, `detail` a sentence for people. What cannot be decided now has the status 503 and `retry_after`, in
/// seconds.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("accepted").args(["issuer", "api_keys", "store", "config"]).multiple(true).required(true),
    after_help = with_input_help!("\
The file of --config is TOML; paths in it are relative to it. All it may hold:
  max_header_bytes = 8192                      # at most 65536
  api_keys = \"keys.jsonl\"                      # or store
  store.file = \"/var/lib/tollgate\"
  store.pepper_file = \"pepper\"                # and store.prefix, store.env
  store.max_staleness = 60                     # seconds without a change or heartbeat of the store after which its keys are 503
  [[issuer]]                                   # once for each issuer; twice of one name where typ or audience differ
  name = \"https://as.example/{tenant}/\"        # its tokens' iss; it may hold one {variable}, after the authority
  spiffe_trust_domain = \"example.org\"          # in place of name: JWT-SVIDs, found by their sub, under keys of use \"jwt-svid\"
  tenant_claim = \"tid\"                         # with a {variable}: the claim that has to equal what stands in its place
  tenants = [\"contoso\", \"fabrikam\"]          # with a {variable}: these alone; any whose claim agrees without it
  audiences = [\"https://api.example\"]          # one of them has to be in aud
  jwks = \"jwks.json\"                          # or remote or secret; of remote the first three exclude each other:
  remote.jwks_uri = \"https://as.example/jwks\"
  remote.discovery = \"openid\"                  # or \"oauth\": the metadata of this issuer names its jwks_uri
  remote.x509 = \"https://as.example/x509\"      # a JSON object from key ids to certificates in PEM
  remote.failover = [\"https://cdn.example/jwks\"]
  remote.saved_in = \"jwks.saved\"               # the last good set, for when nothing can be fetched at the start
  remote.headers = { authorization = { file = \"token\", prefix = \"Bearer \" } }  # or a string; sent to that URI's origin alone
  remote.ca = \"ca.pem\"                       # the certificates to trust, and no others
  remote.proxy = \"http://127.0.0.1:3128\"      # or \"env\": HTTPS_PROXY and NO_PROXY
  remote.danger_accept_any_content_type = false
  remote.danger_accept_plain_http = false      # from private addresses
  secret.file = \"secret.txt\"                  # an HMAC secret: algorithms has to name one of HS256, HS384, HS512
  secret.encoding = \"utf8\"                    # or \"base64\", \"base64url\", \"hex\"; a line feed at the end is left out
  status_lists.prefixes = [\"https://as.example/statuslists/\"]  # where its tokens may refer to for their status: up to a /
  status_lists.required = false                # whether each token has to refer to one
  status_lists.max_age = 300                   # seconds that a list serves, whatever its ttl; and ca, proxy, headers as in remote
  introspection.endpoint = \"https://as.example/introspect\"  # its JWTs that are good here are asked about there too (RFC 7662)
  introspection.client_id = \"rs1\"             # who asks, and all else about the endpoint as in [introspection.\"NAME\"] below
  introspection.client_secret_file = \"secret\"
  introspection.max_age = 30                   # seconds that an answer serves, never past its exp
  algorithms = [\"ES256\"]                       # all of the keys' without it
  key_use = [\"sig\", \"jwt-svid\"]             # of the keys' JWKs; \"sig\" or none without it
  typ = \"at+jwt\"                               # or \"JWT\" (also without it), \"either\", or a list such as [\"JOSE\", \"\"]
  optional_claims = [\"sub\"]                    # of those that at+jwt requires: sub, client_id, iat, jti
  leeway = 60                                  # seconds, at most 300
  require_claims = [\"sub\", \"/resource/tier\"]  # names, or JSON Pointers
  expect.token_use = \"access\"                  # a string, number or boolean, or a list of which one has to be equal
  expect.\"/resource/tier\" = [\"gold\", \"silver\"]
  claims.audience = [\"aud\", \"client_id\"]     # where each stands; the first that is there counts
  claims.client = [\"client_id\", \"azp\", \"cid\", \"appid\"]
  claims.subject = [\"sub\"]
  claims.scopes = [\"scope\", \"scp\", { at = \"/realm_access/roles\", prefix = \"role:\" }]
  claims.scopes_from = \"first\"                 # or \"all\": all of them together
  max_list_entries = 128                       # of aud, scp and the like
  max_members = 256                            # of one JSON object
  require_fresh_revocations = false            # true: its tokens are 503 while what is known of the store is stale
  danger_accept_any_audience = false
  danger_accept_missing_exp = false
  [introspection.\"https://as.example/\"]       # opaque tokens that no table knows: their issuer, which is asked (RFC 7662)
  token_prefix = \"ory_at_\"                    # which ones; at most one section lacks it, and no prefix begins with another
  endpoint = \"https://as.example/introspect\"
  client_id = \"rs1\"                           # who asks; or headers = { authorization = \"Bearer ...\" }
  client_secret_file = \"secret\"              # Basic; or client_key_file, a private JWK, and client_assertion_audience; or
                                               # client_certificate_file and client_certificate_key_file (PEM), which TLS shows it
  audiences = [\"https://api.example\"]
  max_age = 30                                 # seconds that an answer serves, never past its exp
  requests_per_second = 100                    # sent to the endpoint at most; the tokens beyond are answered with 503
  # and ca, proxy, headers, danger_accept_plain_http as in remote; claims, expect and require_fresh_revocations as for an
  # issuer
  [accept]                                     # everything without it
  kinds = [\"jwt\", \"api-key\", \"client\", \"access-token\"]
  bare = true                                  # values without a scheme
  [dpop]                                       # proofs of possession for --input request; as here without it
  algorithms = [\"ES256\", \"EdDSA\", \"RS256\", \"PS256\"]
  max_age = 60                                 # seconds that a proof's iat may lie back, at most 600; 5 ahead
  nonce = \"off\"                               # or \"required\": one that the engine gave
  replay_bytes = 16777216                      # memory of the proofs that were used
  [request]                                    # for --input request; trusted_proxies, and at least one of the headers
  trusted_proxies = [\"10.0.0.1\"]             # addresses and blocks; then the client is the first address, from the right, in
  client_address = \"x-forwarded-for\"         # this header, or \"forwarded\", that is not one of these; and its certificate is in
  client_certificate = \"client-cert\"         # this one, or \"x-forwarded-client-cert\" or \"x-ssl-client-cert\"
  public_origins = [\"https://api.example\"]     # for `tollgate gateway`, which reads this file and its [gateway]; the uri of a line is absolute

With --input request a line is a JSON object, the request as the server sees it. Every member may be left out:
  {\"authorization\":\"Bearer ...\",\"address\":\"192.0.2.7\",\"headers\":{\"x-api-key\":\"...\"},
   \"method\":\"POST\",\"uri\":\"https://api.example/x?y\",\"dpop\":[\"eyJ...\"],\"certificate\":\"<base64url of DER>\"}
`address` is the other end of the connection, `certificate` is its own. Of `headers`, the API key, an Authorization and those of
[request] are read. More than one credential is rejected with \"multiple-credentials\", a key with allowed addresses without `address` with
\"address-required\", a line with an unknown member or one of another type with \"malformed-input\". A token that is
bound to a certificate or to a key is rejected without it, or without a proof in `dpop` for `method` and `uri`, which is absolute.

Examples:
  echo \"Bearer $TOKEN\" |
    tollgate verify --issuer https://as.example --audience https://api.example --jwks jwks.json
  tollgate verify --config tollgate.toml < headers.txt
  tollgate verify --api-keys keys.jsonl --input json < headers.jsonl
  tollgate verify --config tollgate.toml --input request < requests.jsonl
  tollgate verify --store /var/lib/tollgate < headers.txt"))]
pub(crate) struct Arguments {
    /// Accept JWTs of this issuer: those with exactly this `iss`
    #[arg(long, value_name = "ISS", requires_all = ["audience", "jwks"])]
    issuer: Option<String>,

    /// Accept tokens whose `aud` holds this one, or another one given
    #[arg(long = "audience", value_name = "AUD", requires = "issuer")]
    audience: Vec<String>,

    /// The issuer's keys: a JWKS, or any key file that `tollgate keys` reads
    #[arg(long, value_name = "FILE", requires = "issuer")]
    jwks: Option<PathBuf>,

    /// Accept this algorithm alone, or these. A key that does not say what it is for is then for them; else an RSA key is for RS256,
    /// and an `oct` key is refused
    #[arg(long = "alg", value_name = "ALG", requires = "issuer", value_parser = values::algorithm(), hide_possible_values = true)]
    algorithms: Vec<Algorithm>,

    /// Which `typ` the issuer's tokens bear; JWT otherwise
    #[arg(long, value_enum, requires = "issuer", ignore_case = true)]
    typ: Option<Typ>,

    #[arg(long, value_name = "SECONDS", requires = "issuer", help = format!("Forgive this much clock skew at `exp` and `nbf`: {DEFAULT_LEEWAY} otherwise, at most {MAX_LEEWAY}"))]
    leeway: Option<u32>,

    /// Verify as of this time, in seconds since the Unix epoch; otherwise as of now
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,

    /// Accept the API keys, client secrets and opaque tokens of this file, which `tollgate api-key new` writes
    #[arg(long, value_name = "FILE")]
    api_keys: Option<PathBuf>,

    /// Accept the API keys, client secrets and opaque tokens of this store, but what is revoked in it, and follow it: what another
    /// process changes there counts within 200 ms. The file, or the folder that it is in
    #[arg(long, value_name = "FILE", conflicts_with = "api_keys")]
    store: Option<PathBuf>,

    /// The pepper of the keys in the store that other systems made, as it was given to `tollgate api-key import`
    #[arg(long, value_name = "FILE", requires = "store")]
    pepper_file: Option<PathBuf>,

    /// What the operator's own keys in the store begin with; otherwise as the first one does
    #[arg(long, requires = "store")]
    prefix: Option<String>,

    /// What follows the prefix
    #[arg(long, requires = "store")]
    env: Option<String>,

    /// Take all of this from a file, and any number of issuers
    #[arg(long, value_name = "FILE", conflicts_with_all = ["issuer", "api_keys", "store"])]
    config: Option<PathBuf>,

    /// How a line of standard input is read.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Input::Lines)]
    input: Input,
}

/// What a line of standard input holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Input {
    /// The value of the header: every byte up to the line feed, a carriage return included
    Lines,
    /// The value as a JSON string, or {"base64":"..."} for any bytes
    Json,
    /// A request as a JSON object
    Request,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let configuration = match &self.config {
            Some(path) => Configuration::read(path)?,
            None => self.configuration(),
        };
        // Dropped at the end: until then the store is followed.
        // Whoever runs the command has used none of the proofs in its input.
        let dpop = configuration.dpop.dpop().started_at(i64::MIN);
        let Configured { engine, remote, followed: _followed, .. } = configuration.engine(dpop)?;
        let proxies = configuration.trusted_proxies();
        let verifier = Verifier::new(engine);
        remote.wait();
        let format = if self.input == Input::Json { InputFormat::Json } else { InputFormat::Lines };
        answer_each(format, |item, output| match item {
            Item::Bytes(line) if self.input == Input::Request => match RequestLine::parse(line) {
                Ok(line) => {
                    let verdict = line.certificate(&proxies).and_then(|certificate| {
                        remote.verify(&verifier, &line.request(&proxies, certificate), self.now)
                    });
                    answer(verdict, output)
                }
                Err(reason) => reject(reason, &Rejection::MalformedCredential, output),
            },
            Item::Bytes(header) => {
                answer(remote.verify(&verifier, &Request::new().authorization(header), self.now), output)
            }
            Item::TooLong { length } => answer(Err(Rejection::HeaderTooLong { length, max: MAX_LINE_BYTES }), output),
            Item::Malformed => {
                reject(Reason::malformed_input(NOT_A_JSON_ITEM), &Rejection::MalformedCredential, output)
            }
        })
    }

    fn configuration(&self) -> Configuration {
        let issuer = self.issuer.as_ref().map(|name| {
            let mut settings = IssuerSettings::new(name);
            settings.audiences.clone_from(&self.audience);
            if !self.algorithms.is_empty() {
                settings.algorithms = Some(self.algorithms.clone());
            }
            settings.typ = self.typ.map_or(settings.typ, Into::into);
            settings.leeway = self.leeway.unwrap_or(settings.leeway);
            let keys = KeySources { jwks: self.jwks.clone(), ..KeySources::default() };
            Spanned::new(0..0, IssuerConfiguration { settings, keys })
        });
        let store = self.store.as_ref().map(|file| StoreConfiguration {
            file: file.clone(),
            pepper_file: self.pepper_file.clone(),
            prefix: self.prefix.clone(),
            env: self.env.clone(),
            max_staleness: None,
        });
        Configuration {
            issuers: issuer.into_iter().collect(),
            introspection: BTreeMap::new(),
            api_keys: self.api_keys.clone(),
            store,
            max_header_bytes: None,
            accept: AcceptConfiguration::default(),
            dpop: DpopConfiguration::default(),
            request: None,
            gateway: None,
            file: None,
        }
    }
}

fn answer(verdict: Result<Principal, Rejection>, output: &mut JsonLines) -> io::Result<Outcome> {
    match verdict {
        Ok(principal) => {
            output.write(&Accepted { ok: true, principal: Known::from(&principal) })?;
            Ok(Outcome::Accepted)
        }
        Err(rejection) => reject((&rejection).into(), &rejection, output),
    }
}

fn reject(reason: Reason, rejection: &Rejection, output: &mut JsonLines) -> io::Result<Outcome> {
    let (Reason { error, detail }, challenge) = (reason, rejection.challenge().to_string());
    let (status, retry_after) = (rejection.status(), rejection.retry_after());
    output.write(&Rejected { ok: false, status, error, challenge, retry_after, detail })?;
    Ok(Outcome::Rejected)
}

#[derive(Serialize)]
struct Accepted<'p> {
    ok: bool,
    principal: Known<'p>,
}

/// What is known of the caller.
#[derive(Serialize)]
struct Known<'p> {
    kind: &'static str,
    issuer: Option<&'p str>,
    subject: Option<&'p str>,
    /// Only an issuer's token is meant for somebody.
    audience: Option<Vec<&'p str>>,
    scopes: Vec<&'p str>,
    client_id: Option<&'p str>,
    credential_id: Option<&'p str>,
    key_id: Option<&'p str>,
    expires_at: Option<i64>,
}

impl<'p> From<&'p Principal> for Known<'p> {
    fn from(principal: &'p Principal) -> Self {
        let is_token = principal.issuer().is_some();
        Known {
            kind: principal.kind().as_str(),
            issuer: principal.issuer(),
            subject: principal.subject(),
            audience: is_token.then(|| principal.audience().collect()),
            scopes: principal.scopes().iter().collect(),
            client_id: principal.client_id(),
            credential_id: principal.credential_id(),
            key_id: principal.key_id(),
            expires_at: principal.expires_at(),
        }
    }
}

#[derive(Serialize)]
struct Rejected {
    ok: bool,
    status: u16,
    error: &'static str,
    challenge: String,
    /// Seconds, with a status of 503.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    detail: String,
}

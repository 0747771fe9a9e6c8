//! `tollgate verify`: values of an Authorization header, or whole requests, verified by the engine.

use std::io;

use clap::{Args, ValueEnum};
use tollgate::{Principal, Rejection, Request};
use tollgate_remote::Verifier;

use super::Outcome;
use crate::configuration::Configured;
use crate::engine_options::EngineOptions;
use crate::error::CommandError;
use crate::limits::MAX_LINE_BYTES;
use crate::reason::Reason;
use crate::request_line::RequestLine;
use crate::stream::{InputFormat, Item, JsonLines, NOT_A_JSON_ITEM, answer_each, with_input_help};
use crate::verdict::VerdictLine;

/// Verify credentials: each line is the value of an Authorization header, or a request.
///
/// The answer is `{"ok":true,"principal":{...}}` or `{"ok":false,"status":401,"error":...,"challenge":...,"detail":...}`. The members of a
/// principal: `kind` (jwt, api-key, client, access-token), `issuer`, `subject`, `audience`, `scopes`, `client_id`, `credential_id`,
/// `key_id`, `expires_at`; those that do not apply are null. `error` is a code for programs, `detail` a sentence for people. What cannot be decided now has the status 503 and `retry_after`, in
/// seconds.
#[derive(Args, Debug)]
#[command(
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
    #[command(flatten)]
    engine: EngineOptions,

    /// Verify as of this time, in seconds since the Unix epoch; otherwise as of now
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,

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
        let configuration = self.engine.configuration()?;
        // Dropped at the end: until then the store is followed.
        // The caller of the command has used none of the proofs in its input.
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
                    answer(&verdict, output)
                }
                Err(reason) => reject(reason, output),
            },
            Item::Bytes(header) => {
                answer(&remote.verify(&verifier, &Request::new().authorization(header), self.now), output)
            }
            Item::TooLong { length } => answer(&Err(Rejection::HeaderTooLong { length, max: MAX_LINE_BYTES }), output),
            Item::Malformed => reject(Reason::malformed_input(NOT_A_JSON_ITEM), output),
        })
    }
}

fn answer(verdict: &Result<Principal, Rejection>, output: &mut JsonLines) -> io::Result<Outcome> {
    output.write(&VerdictLine::of(verdict))?;
    Ok(if verdict.is_ok() { Outcome::Accepted } else { Outcome::Rejected })
}

fn reject(reason: Reason, output: &mut JsonLines) -> io::Result<Outcome> {
    output.write(&VerdictLine::malformed(reason))?;
    Ok(Outcome::Rejected)
}

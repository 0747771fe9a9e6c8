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
/// The answer is `{"ok":true,"principal":{...}}` or `{"ok":false,"status":401,"error":...,"challenge":...,"detail":...}`. The
/// members of a principal: `kind` (jwt, api-key, client, access-token), `issuer`, `subject`, `audience`, `scopes`,
/// `client_id`, `credential_id`, `key_id`, `expires_at`; those that do not apply are null. `error` is a code for programs,
/// `detail` a sentence for people. A credential that cannot be decided now has the status 503 and `retry_after`, in seconds.
#[derive(Args, Debug)]
#[command(
    after_help = with_input_help!("\
The file of --config is TOML; paths in it are relative to the file. All settings:
  max_header_bytes = 8192                      # at most 65536
  api_keys = \"keys.jsonl\"                      # or store
  store.file = \"/var/lib/tollgate\"
  store.pepper_file = \"pepper\"                # and store.prefix, store.env
  store.max_staleness = 60                     # seconds without a change or heartbeat of the store after which its keys are 503
  [[issuer]]                                   # one for each issuer; two may share a name if their typ or audiences differ
  name = \"https://as.example/{tenant}/\"        # the iss of its tokens; may hold one {variable}, after the authority
  spiffe_trust_domain = \"example.org\"          # instead of name: JWT-SVIDs, selected by their sub, under keys of use \"jwt-svid\"
  tenant_claim = \"tid\"                         # with a {variable}: the claim that must equal its value
  tenants = [\"contoso\", \"fabrikam\"]          # with a {variable}: its allowed values; default: any that equals the claim
  audiences = [\"https://api.example\"]          # aud must contain one of them
  jwks = \"jwks.json\"                          # or remote or secret; the first three of remote exclude each other:
  remote.jwks_uri = \"https://as.example/jwks\"
  remote.discovery = \"openid\"                  # or \"oauth\": the metadata of this issuer names its jwks_uri
  remote.x509 = \"https://as.example/x509\"      # a JSON object from key ids to certificates in PEM
  remote.failover = [\"https://cdn.example/jwks\"]
  remote.saved_in = \"jwks.saved\"               # the last good set, used if nothing can be fetched at the start
  remote.headers = { authorization = { file = \"token\", prefix = \"Bearer \" } }  # or a string; sent only to the origin of that URI
  remote.ca = \"ca.pem\"                       # the only trusted certificates
  remote.proxy = \"http://127.0.0.1:3128\"      # or \"env\": HTTPS_PROXY and NO_PROXY
  remote.danger_accept_any_content_type = false
  remote.danger_accept_plain_http = false      # from private addresses
  secret.file = \"secret.txt\"                  # an HMAC secret: algorithms must name one of HS256, HS384, HS512
  secret.encoding = \"utf8\"                    # or \"base64\", \"base64url\", \"hex\"; a line feed at the end is ignored
  status_lists.prefixes = [\"https://as.example/statuslists/\"]  # allowed prefixes of status list URIs in its tokens; each ends with a /
  status_lists.required = false                # whether each token must refer to one
  status_lists.max_age = 300                   # seconds for which a list is used, whatever its ttl; and ca, proxy, headers as in remote
  introspection.endpoint = \"https://as.example/introspect\"  # also asked about each of its valid JWTs (RFC 7662)
  introspection.client_id = \"rs1\"             # all settings of the endpoint as in [introspection.\"NAME\"] below
  introspection.client_secret_file = \"secret\"
  introspection.max_age = 30                   # seconds for which an answer is used, never past its exp
  algorithms = [\"ES256\"]                       # default: all algorithms of the keys
  key_use = [\"sig\", \"jwt-svid\"]             # of the keys' JWKs; default: \"sig\" or none
  typ = \"at+jwt\"                               # or \"JWT\" (the default), \"either\", or a list such as [\"JOSE\", \"\"]
  optional_claims = [\"sub\"]                    # may be absent although at+jwt requires them: sub, client_id, iat, jti
  leeway = 60                                  # seconds, at most 300
  require_claims = [\"sub\", \"/resource/tier\"]  # names, or JSON Pointers
  expect.token_use = \"access\"                  # a string, number or boolean, or a list of accepted values
  expect.\"/resource/tier\" = [\"gold\", \"silver\"]
  claims.audience = [\"aud\", \"client_id\"]     # the sources of each; the first present one counts
  claims.client = [\"client_id\", \"azp\", \"cid\", \"appid\"]
  claims.subject = [\"sub\"]
  claims.scopes = [\"scope\", \"scp\", { at = \"/realm_access/roles\", prefix = \"role:\" }]
  claims.scopes_from = \"first\"                 # or \"all\": all of them together
  max_list_entries = 128                       # of aud, scp and the like
  max_members = 256                            # of one JSON object
  require_fresh_revocations = false            # true: 503 for its tokens while the store's state is stale
  danger_accept_any_audience = false
  danger_accept_missing_exp = false
  [introspection.\"https://as.example/\"]       # the issuer of opaque tokens that are in no table, asked about each (RFC 7662)
  token_prefix = \"ory_at_\"                    # of its tokens; at most one section may omit it; no prefix begins with another
  endpoint = \"https://as.example/introspect\"
  client_id = \"rs1\"                           # or headers = { authorization = \"Bearer ...\" }
  client_secret_file = \"secret\"              # Basic; or client_key_file, a private JWK, and client_assertion_audience; or
                                               # client_certificate_file and client_certificate_key_file (PEM), for TLS
  audiences = [\"https://api.example\"]
  max_age = 30                                 # seconds for which an answer is used, never past its exp
  requests_per_second = 100                    # the most requests to the endpoint; further tokens are answered with 503
  # and ca, proxy, headers, danger_accept_plain_http as in remote; claims, expect and require_fresh_revocations as for an
  # issuer
  [accept]                                     # default: everything
  kinds = [\"jwt\", \"api-key\", \"client\", \"access-token\"]
  bare = true                                  # values without a scheme
  [dpop]                                       # proofs of possession for --input request; the defaults are shown
  algorithms = [\"ES256\", \"EdDSA\", \"RS256\", \"PS256\"]
  max_age = 60                                 # the age of a proof by its iat, in seconds, at most 600; 5 ahead
  nonce = \"off\"                               # or \"required\": a nonce from the engine
  replay_bytes = 16777216                      # bytes for the record of used proofs
  [request]                                    # for --input request; trusted_proxies, and at least one of the headers
  trusted_proxies = [\"10.0.0.1\"]             # addresses and blocks; the client is then the first address from the right in
  client_address = \"x-forwarded-for\"         # this header, or \"forwarded\", that is not one of these; its certificate is in
  client_certificate = \"client-cert\"         # this one, or \"x-forwarded-client-cert\" or \"x-ssl-client-cert\"
  public_origins = [\"https://api.example\"]     # for `tollgate gateway`, which reads this file and its [gateway]; the uri of a line is absolute

With --input request a line is a JSON object, the request as the server sees it. Every member is optional:
  {\"authorization\":\"Bearer ...\",\"address\":\"192.0.2.7\",\"headers\":{\"x-api-key\":\"...\"},
   \"method\":\"POST\",\"uri\":\"https://api.example/x?y\",\"dpop\":[\"eyJ...\"],\"certificate\":\"<base64url of DER>\"}
`address` is the peer of the connection, `certificate` the peer's certificate. The API key, an Authorization and the headers of [request]
are read from `headers`. More than one credential is rejected with \"multiple-credentials\", a key with allowed addresses without `address` with
\"address-required\", a line with an unknown member or one of another type with \"malformed-input\". A token that is
bound to a certificate is rejected without that certificate, a token that is bound to a key without a proof in `dpop` for `method` and
the absolute `uri`.

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

    /// Verify at this time, in seconds since the Unix epoch. Default: now
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,

    /// The format of a line of standard input.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Input::Lines)]
    input: Input,
}

/// The format of a line of standard input.
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
        // Proofs from before the start of this process are accepted: none in its input was used before.
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

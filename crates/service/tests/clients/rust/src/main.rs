//! The flows of openidconnect and oauth2 (crates.io), by discovery alone. One line for each. The person at the browser is `visit.mjs`, in the
//! folder where this runs.

#![forbid(unsafe_code)]

use oauth2::basic::{BasicClient, BasicTokenType};
use oauth2::{
    DeviceAuthorizationUrl, EmptyExtraTokenFields, IntrospectionUrl, RevocationUrl,
    StandardDeviceAuthorizationResponse, StandardTokenIntrospectionResponse, TokenIntrospectionResponse,
};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
    CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, ProviderMetadata, RedirectUrl,
    RefreshToken, RequestTokenError, Scope, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use std::env;
use std::error::Error;
use std::process::Command;
use std::time::Duration;

const SITE: &str = "https://site.example/callback";

/// The endpoints that Discovery 1.0 does not have.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Further {
    device_authorization_endpoint: DeviceAuthorizationUrl,
    introspection_endpoint: IntrospectionUrl,
    revocation_endpoint: String,
}

impl AdditionalProviderMetadata for Further {}

type Metadata = ProviderMetadata<
    Further,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

fn main() -> Result<(), Box<dyn Error>> {
    let origin = env::var("ORIGIN")?;
    let metadata = Metadata::discover(&IssuerUrl::new(origin.clone())?, &send)?;
    println!("discovery: {}", metadata.issuer().as_str() == origin);

    let (id, secret) = (ClientId::new("site".to_owned()), ClientSecret::new(env::var("SITE_SECRET")?));
    let further = metadata.additional_metadata().clone();
    let token_url = TokenUrl::new(metadata.token_endpoint().ok_or("no token endpoint")?.to_string())?;
    let site = CoreClient::from_provider_metadata(metadata, id.clone(), Some(secret.clone()))
        .set_redirect_uri(RedirectUrl::new(SITE.to_owned())?);
    let log_in = || -> Result<(CoreTokenResponse, Nonce), Box<dyn Error>> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = site.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let (url, state, nonce) = request.add_scope(scope("read:sites")).set_pkce_challenge(challenge).url();
        let back = openidconnect::url::Url::parse(&visit(url.as_str(), SITE, "")?)?;
        let parameter = |name| back.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        assert_eq!(parameter("state").as_ref(), Some(state.secret()));
        let code = AuthorizationCode::new(parameter("code").ok_or("no code")?);
        Ok((site.exchange_code(code)?.set_pkce_verifier(verifier).request(&send)?, nonce))
    };

    let (tokens, nonce) = log_in()?;
    let id_token = tokens.id_token().ok_or("no ID token")?;
    let verifier = site.id_token_verifier();
    let claims = id_token.claims(&verifier, &nonce)?;
    let (algorithm, key) = (id_token.signing_alg()?, id_token.signing_key(&verifier)?);
    let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)?;
    println!("code: {} {}", sites(tokens.access_token())?, claims.access_token_hash() == Some(&hash));
    // The library compares the subject.
    let subject = Some(claims.subject().clone());
    let user: CoreUserInfoClaims = site.user_info(tokens.access_token().clone(), subject)?.request(&send)?;
    println!("userinfo: {}", user.subject() == claims.subject());

    let machine = BasicClient::new(id)
        .set_client_secret(secret)
        .set_token_uri(token_url.clone())
        .set_introspection_url(further.introspection_endpoint)
        // The library takes https alone, and what it sends here goes to the address of the service all the same.
        .set_revocation_url(RevocationUrl::new(further.revocation_endpoint.replacen("http:", "https:", 1))?);
    type Introspected = StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>;
    let introspect =
        |token: &AccessToken| -> Result<Introspected, Box<dyn Error>> { Ok(machine.introspect(token).request(&send)?) };
    let introspected = introspect(tokens.access_token())?;
    println!("introspection: {} {}", introspected.active(), introspected.sub() == Some(claims.subject().as_str()));

    let refresh = |token: &RefreshToken| site.exchange_refresh_token(token).map(|request| request.request(&send));
    let first = tokens.refresh_token().ok_or("no refresh token")?;
    let second = refresh(first)??;
    let third = refresh(second.refresh_token().ok_or("no second refresh token")?)??;
    let good = sites(third.access_token())?;
    let reused = match refresh(first)? {
        Err(RequestTokenError::ServerResponse(answer)) => answer.error().to_string(),
        other => return Err(format!("{other:?}").into()),
    };
    println!("refresh: {good} {reused} {}", sites(third.access_token())?);

    let (tokens, _) = log_in()?;
    let refresh_token = tokens.refresh_token().ok_or("no refresh token")?.clone();
    machine.revoke_token(refresh_token.into())?.request(&send)?;
    let is_active = introspect(tokens.access_token())?.active();
    println!("revocation: {} {is_active}", sites(tokens.access_token())?);

    let tv = BasicClient::new(ClientId::new("tv".to_owned()))
        .set_token_uri(token_url)
        .set_device_authorization_url(further.device_authorization_endpoint)
        // A public client's id is in the form.
        .set_auth_type(oauth2::AuthType::RequestBody);
    let device: StandardDeviceAuthorizationResponse =
        tv.exchange_device_code().add_scope(scope("read:sites")).request(&send)?;
    visit(device.verification_uri().as_str(), "nowhere:", device.user_code().secret())?;
    let connected =
        tv.exchange_device_access_token(&device).request(&send, std::thread::sleep, Some(Duration::from_secs(60)))?;
    println!("device: {}", sites(connected.access_token())?);

    let granted = machine.exchange_client_credentials().add_scope(scope("read:reports")).request(&send)?;
    let scopes: Vec<&str> = granted.scopes().into_iter().flatten().map(|scope| scope.as_str()).collect();
    println!("client credentials: {}", scopes.join(" "));
    Ok(())
}

fn scope(name: &str) -> Scope {
    Scope::new(name.to_owned())
}

/// What both libraries send their requests with.
fn send(request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let (mut parts, body) = request.into_parts();
    let uri = parts.uri.to_string().replacen("https://127.0.0.1", "http://127.0.0.1", 1);
    parts.uri = uri.parse().map_err(ureq::http::Error::from)?;
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
    let agent = config.new_agent();
    let answer = match parts.method.as_str() {
        "GET" => agent.run(ureq::http::Request::from_parts(parts, ()))?,
        _ => agent.run(ureq::http::Request::from_parts(parts, body))?,
    };
    let (parts, mut body) = answer.into_parts();
    Ok(HttpResponse::from_parts(parts, body.read_to_vec()?))
}

/// Where the person who opens `url` ends, who allows whatever is asked.
fn visit(url: &str, target: &str, user_code: &str) -> Result<String, Box<dyn Error>> {
    let mut visit = Command::new("node");
    let output = visit.args(["visit.mjs", url]).env("TARGET", target).env("USER_CODE", user_code).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The status of a request for the user's sites.
fn sites(token: &AccessToken) -> Result<u16, Box<dyn Error>> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let url = format!("{}/api/v2/sites", env::var("ORIGIN")?);
    let request = config.new_agent().get(url).header("authorization", format!("Bearer {}", token.secret()));
    Ok(request.call()?.status().as_u16())
}

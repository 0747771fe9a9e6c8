// The same by oauth4webapi, which checks each answer strictly. One line for each flow.
import * as oauth from 'oauth4webapi'
import { EMAIL, ORIGIN, PASSWORD, Person, SITE_SECRET, proofsAreTaken, robotKey, sites, told } from './person.mjs'

const SITE = 'https://site.example/callback'
const APP = 'http://127.0.0.1:5678/callback'
const options = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(ORIGIN)
const person = new Person(EMAIL, PASSWORD)

async function discover(algorithm) {
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...options })
  return oauth.processDiscoveryResponse(issuer, response)
}
const [server, plain] = [await discover('oidc'), await discover('oauth2')]
told('discovery', server.issuer === plain.issuer, plain.code_challenge_methods_supported.includes('S256'))

const site = { client_id: 'site' }
const secret = oauth.ClientSecretPost(SITE_SECRET)
const app = { client_id: 'app' }

// Repeats a request whose proof lacks the nonce that the server asks for (RFC 9449 section 8); the proof of the second has it.
async function withNonce(request) {
  try {
    return await request()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return request()
  }
}

async function logIn(client, authentication, redirect_uri, scope, { isPushed, ...bound } = {}) {
  const verifier = oauth.generateRandomCodeVerifier()
  const [nonce, state] = [oauth.generateRandomNonce(), oauth.generateRandomState()]
  const parameters = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri,
    response_type: 'code',
    scope,
    nonce,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const url = new URL(server.authorization_endpoint)
  url.search = isPushed ? await push(client, authentication, parameters, bound) : parameters
  const back = oauth.validateAuthResponse(server, client, await person.follow(url, redirect_uri), state)
  return withNonce(async () => {
    const answer = await oauth.authorizationCodeGrantRequest(
      server, client, authentication, back, redirect_uri, verifier, { ...options, ...bound },
    )
    const checks = { expectedNonce: nonce, requireIdToken: true }
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, checks)
    await oauth.validateApplicationLevelSignature(server, answer, options)
    return tokens
  })
}

function push(client, authentication, parameters, bound) {
  return withNonce(async () => {
    const asked = { ...options, ...bound }
    const answer = await oauth.pushedAuthorizationRequest(server, client, authentication, parameters, asked)
    const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, answer)
    return new URLSearchParams({ client_id: client.client_id, request_uri })
  })
}

// The third refresh token of a grant, and what its first one is still good for.
async function rotate(client, authentication, { refresh_token }, use, bound) {
  const refresh = token => withNonce(async () => {
    const asked = { ...options, ...bound }
    const answer = await oauth.refreshTokenGrantRequest(server, client, authentication, token, asked)
    return oauth.processRefreshTokenResponse(server, client, answer)
  })
  const second = await refresh(refresh_token)
  const third = await refresh(second.refresh_token)
  const good = await use(third.access_token)
  const { error } = await refresh(refresh_token).catch(error => error)
  return [good, error, await use(third.access_token)]
}

async function userinfo(client, { access_token }, sub, bound) {
  return withNonce(async () => {
    const answer = await oauth.userInfoRequest(server, client, access_token, { ...options, ...bound })
    return oauth.processUserInfoResponse(server, client, sub, answer)
  })
}

async function introspect(token) {
  const answer = await oauth.introspectionRequest(server, site, secret, token, options)
  return oauth.processIntrospectionResponse(server, site, answer)
}

// What a server elsewhere knows of a request with that token (RFC 9068), by the public keys.
async function asResourceServer(token) {
  const request = new Request('https://api.example/', { headers: { authorization: `Bearer ${token}` } })
  return oauth.validateJwtAccessToken(server, request, ORIGIN, options)
}

const tokens = await logIn(site, secret, SITE, 'openid email read:sites')
const { sub } = oauth.getValidatedIdTokenClaims(tokens)
told('code', await sites(tokens.access_token))
told('userinfo', (await userinfo(site, tokens, sub)).email)
told('resource server', (await asResourceServer(tokens.access_token)).sub === sub)
const introspected = await introspect(tokens.access_token)
told('introspection', introspected.active, introspected.sub === sub)
told('refresh', ...await rotate(site, secret, tokens, sites))

const pushed = await logIn(site, secret, SITE, 'openid read:sites', { isPushed: true })
told('pushed request', await sites(pushed.access_token))
await oauth.processRevocationResponse(await oauth.revocationRequest(server, site, secret, pushed.refresh_token, options))
told('revocation', await sites(pushed.access_token), (await introspect(pushed.access_token)).active)

const native = await logIn(app, oauth.None(), APP, 'openid read:sites')
told('native', await sites(native.access_token), ...await rotate(app, oauth.None(), native, sites))

const tv = { client_id: 'tv' }
const scope = new URLSearchParams({ scope: 'read:sites' })
const asked = await oauth.deviceAuthorizationRequest(server, tv, oauth.None(), scope, options)
const device = await oauth.processDeviceAuthorizationResponse(server, tv, asked)
async function poll() {
  const polled = await oauth.deviceCodeGrantRequest(server, tv, oauth.None(), device.device_code, options)
  try {
    return await oauth.processDeviceCodeResponse(server, tv, polled)
  } catch (error) {
    return error
  }
}
const [pending, early] = [await poll(), await poll()]
await person.follow(device.verification_uri, 'nowhere:', { user_code: device.user_code.toLowerCase() })
const connected = await poll()
told('device', pending.error, early.error, await sites(connected.access_token), (await poll()).error)

async function credentials(client, authentication) {
  const parameters = { scope: 'read:reports' }
  const answer = await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, options)
  return (await oauth.processClientCredentialsResponse(server, client, answer)).scope
}
told('client credentials', await credentials(site, secret))
told('private_key_jwt', await credentials({ client_id: 'robot' }, oauth.PrivateKeyJwt(await robotKey())))

await proofsAreTaken()
const bound = { DPoP: oauth.DPoP(app, await oauth.generateKeyPair('ES256')) }
const boundSites = async token => {
  const url = new URL('/api/v2/sites', ORIGIN)
  const ask = () => oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, { ...options, ...bound })
  return (await withNonce(ask).catch(error => error.response ?? error)).status
}
const own = await logIn(app, oauth.None(), APP, 'openid read:sites', { isPushed: true, ...bound })
const ownUser = await userinfo(app, own, oauth.getValidatedIdTokenClaims(own).sub, bound)
const accepted = [await sites(own.access_token), await boundSites(own.access_token), ownUser.sub === sub]
told('DPoP', own.token_type, ...accepted, ...await rotate(app, oauth.None(), own, boundSites, bound))

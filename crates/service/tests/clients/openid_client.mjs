// Each flow of openid-client, by discovery alone. One line for each.
import * as client from 'openid-client'
import { EMAIL, ORIGIN, PASSWORD, Person, SITE_SECRET, proofsAreTaken, robotKey, sites, told } from './person.mjs'

const SITE = 'https://site.example/callback'
const APP = 'http://127.0.0.1:5678/callback'
const execute = [client.allowInsecureRequests]
const discover = (id, authentication) => client.discovery(new URL(ORIGIN), id, undefined, authentication, { execute })
const person = new Person(EMAIL, PASSWORD)

async function logIn(config, redirect_uri, scope, authorizationUrl, options) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const [nonce, state] = [client.randomNonce(), client.randomState()]
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
  const parameters = { redirect_uri, scope, nonce, state, code_challenge, code_challenge_method: 'S256' }
  const back = await person.follow(await authorizationUrl(config, parameters, options), redirect_uri)
  const checks = { pkceCodeVerifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true }
  return client.authorizationCodeGrant(config, back, checks, undefined, options)
}

// The third refresh token of a grant, and what its first one is still good for.
async function rotate(config, { refresh_token }, use, options) {
  const refresh = token => client.refreshTokenGrant(config, token, undefined, options)
  const second = await refresh(refresh_token)
  const third = await refresh(second.refresh_token)
  const good = await use(third.access_token)
  const { error } = await refresh(refresh_token).catch(error => error)
  return [good, error, await use(third.access_token)]
}

// A web site.
const site = await discover('site', client.ClientSecretBasic(SITE_SECRET))
told('discovery', site.serverMetadata().issuer === ORIGIN)
const tokens = await logIn(site, SITE, 'openid email read:sites', client.buildAuthorizationUrl)
const { sub } = tokens.claims()
told('code', await sites(tokens.access_token))
told('userinfo', (await client.fetchUserInfo(site, tokens.access_token, sub)).email)
const introspected = await client.tokenIntrospection(site, tokens.access_token)
told('introspection', introspected.active, introspected.sub === sub)
told('refresh', ...await rotate(site, tokens, sites))

const pushed = await logIn(site, SITE, 'openid read:sites', client.buildAuthorizationUrlWithPAR)
told('pushed request', await sites(pushed.access_token))
await client.tokenRevocation(site, pushed.refresh_token)
told('revocation', await sites(pushed.access_token), (await client.tokenIntrospection(site, pushed.access_token)).active)

// A program on a device: a public client, sent back to a port of its own.
const app = await discover('app', client.None())
const native = await logIn(app, APP, 'openid read:sites', client.buildAuthorizationUrl)
told('native', await sites(native.access_token), ...await rotate(app, native, sites))

// The same, with a scheme of its own (RFC 8252 section 7.1).
const OWN = 'com.example.app:/callback'
told('own scheme', await sites((await logIn(app, OWN, 'openid read:sites', client.buildAuthorizationUrl)).access_token))

// A television.
const tv = await discover('tv', client.None())
const device = await client.initiateDeviceAuthorization(tv, { scope: 'read:sites' })
const page = await person.follow(device.verification_uri_complete, 'nowhere:', { user_code: device.user_code })
const connected = await client.pollDeviceAuthorizationGrant(tv, { ...device, interval: 0 })
told('device', /The device is connected/.test(page), await sites(connected.access_token))

// A machine with a secret, and one with a key.
told('client credentials', (await client.clientCredentialsGrant(site, { scope: 'read:reports' })).scope)
const robot = await discover('robot', client.PrivateKeyJwt(await robotKey()))
told('private_key_jwt', (await client.clientCredentialsGrant(robot, { scope: 'read:reports' })).scope)

// Tokens that are bound to a key, with a nonce where the server asks for one.
await proofsAreTaken()
const DPoP = client.getDPoPHandle(app, await client.randomDPoPKeyPair('ES256'))
const boundSites = async token => {
  const url = new URL('/api/v2/sites', ORIGIN)
  const request = client.fetchProtectedResource(app, token, url, 'GET', undefined, undefined, { DPoP })
  return (await request.catch(error => error.response ?? error)).status
}
const bound = await logIn(app, APP, 'openid read:sites', client.buildAuthorizationUrlWithPAR, { DPoP })
const boundUser = await client.fetchUserInfo(app, bound.access_token, bound.claims().sub, { DPoP })
const accepted = [await sites(bound.access_token), await boundSites(bound.access_token), boundUser.sub === sub]
told('DPoP', bound.token_type, ...accepted, ...await rotate(app, bound, boundSites, { DPoP }))

const end = client.buildEndSessionUrl(site, {
  id_token_hint: pushed.id_token,
  post_logout_redirect_uri: 'https://site.example/bye',
  state: 'done',
})
const bye = await person.follow(end, 'https://site.example/bye')
told('logout', bye.searchParams.get('state'), await sites(connected.access_token))

// Each flow of openid-client, by discovery alone. One line for each.
import * as client from 'openid-client'
import { EMAIL, ORIGIN, PASSWORD, Person, SITE_SECRET, robotKey, sites } from './person.mjs'

const SITE = 'https://site.example/callback'
const APP = 'http://127.0.0.1:5678/callback'
const execute = [client.allowInsecureRequests]
const discover = (id, authentication) => client.discovery(new URL(ORIGIN), id, undefined, authentication, { execute })
const person = new Person(EMAIL, PASSWORD)

// A web site: code with PKCE, ID token, userinfo, logout.
const site = await discover('site', client.ClientSecretBasic(SITE_SECRET))
async function logIn(config, redirect_uri, scope, authorizationUrl) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const [nonce, state] = [client.randomNonce(), client.randomState()]
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
  const parameters = { redirect_uri, scope, nonce, state, code_challenge, code_challenge_method: 'S256' }
  const back = await person.follow(await authorizationUrl(config, parameters), redirect_uri)
  const checks = { pkceCodeVerifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true }
  return client.authorizationCodeGrant(config, back, checks)
}
const tokens = await logIn(site, SITE, 'openid email read:sites', client.buildAuthorizationUrl)
const user = await client.fetchUserInfo(site, tokens.access_token, tokens.claims().sub)
console.log('code', user.email, await sites(tokens.access_token))

const pushed = await logIn(site, SITE, 'openid read:sites', client.buildAuthorizationUrlWithPAR)
console.log('pushed', await sites(pushed.access_token))

// A program on a device: a public client, sent back to a port of its own.
const app = await logIn(await discover('app', client.None()), APP, 'openid read:sites', client.buildAuthorizationUrl)
console.log('native', await sites(app.access_token))

// A television.
const tv = await discover('tv', client.None())
const device = await client.initiateDeviceAuthorization(tv, { scope: 'read:sites' })
const page = await person.follow(device.verification_uri_complete, 'nowhere:', { user_code: device.user_code })
const connected = await client.pollDeviceAuthorizationGrant(tv, { ...device, interval: 0 })
console.log('device', /The device is connected/.test(page), await sites(connected.access_token))

// A machine with a secret, and one with a key.
const machine = await client.clientCredentialsGrant(site, { scope: 'read:reports' })
const robot = await discover('robot', client.PrivateKeyJwt(await robotKey()))
const signed = await client.clientCredentialsGrant(robot, { scope: 'read:reports' })
console.log('machine', machine.scope, signed.scope)

const end = client.buildEndSessionUrl(site, {
  id_token_hint: pushed.id_token,
  post_logout_redirect_uri: 'https://site.example/bye',
  state: 'done',
})
const bye = await person.follow(end, 'https://site.example/bye')
console.log('logout', bye.searchParams.get('state'), await sites(tokens.access_token), await sites(connected.access_token))

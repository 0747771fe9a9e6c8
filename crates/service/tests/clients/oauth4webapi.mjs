// The same by oauth4webapi, which checks each answer strictly. One line for each flow.
import * as oauth from 'oauth4webapi'
import { EMAIL, ORIGIN, PASSWORD, Person, SITE_SECRET, robotKey, sites } from './person.mjs'

const SITE = 'https://site.example/callback'
const options = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(ORIGIN)
const person = new Person(EMAIL, PASSWORD)

async function discover(algorithm) {
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...options })
  return oauth.processDiscoveryResponse(issuer, response)
}
const [server, plain] = [await discover('oidc'), await discover('oauth2')]
console.log('discovery', server.issuer === plain.issuer, plain.code_challenge_methods_supported.includes('S256'))

const site = { client_id: 'site' }
const secret = oauth.ClientSecretPost(SITE_SECRET)
const verifier = oauth.generateRandomCodeVerifier()
const [nonce, state] = [oauth.generateRandomNonce(), oauth.generateRandomState()]
const url = new URL(server.authorization_endpoint)
url.search = new URLSearchParams({
  client_id: 'site',
  redirect_uri: SITE,
  response_type: 'code',
  scope: 'openid read:sites',
  nonce,
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
const back = oauth.validateAuthResponse(server, site, await person.follow(url, SITE), state)
const answer = await oauth.authorizationCodeGrantRequest(server, site, secret, back, SITE, verifier, options)
const checks = { expectedNonce: nonce, requireIdToken: true }
const tokens = await oauth.processAuthorizationCodeResponse(server, site, answer, checks)
await oauth.validateApplicationLevelSignature(server, answer, options)
const { sub } = oauth.getValidatedIdTokenClaims(tokens)
const info = await oauth.userInfoRequest(server, site, tokens.access_token, options)
const user = await oauth.processUserInfoResponse(server, site, sub, info)
console.log('code', user.sub === sub, await sites(tokens.access_token))

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
console.log('device', pending.error, early.error, await sites(connected.access_token), (await poll()).error)

const robot = { client_id: 'robot' }
const signed = await oauth.clientCredentialsGrantRequest(
  server,
  robot,
  oauth.PrivateKeyJwt(await robotKey()),
  new URLSearchParams({ scope: 'read:reports' }),
  options,
)
console.log('machine', (await oauth.processClientCredentialsResponse(server, robot, signed)).scope)

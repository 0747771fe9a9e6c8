// Clients of the Model Context Protocol find their way from a resource that refuses them to a token: challenge, metadata of the resource, metadata
// of the authorization server, then code with PKCE for a person, or credentials for a machine. One line for each flow.
import { auth, extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js'
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { EMAIL, ORIGIN, PASSWORD, Person, ROBOT_KEY, SITE_SECRET, sites, told } from './person.mjs'

const REDIRECT = 'http://127.0.0.1:5678/callback'
const person = new Person(EMAIL, PASSWORD)
const serverUrl = new URL('/api/v2/sites', ORIGIN)
const refused = await fetch(serverUrl)
const { resourceMetadataUrl } = extractWWWAuthenticateParams(refused)
told('discovery', refused.status, resourceMetadataUrl.pathname)

let back, verifier, tokens
const provider = {
  redirectUrl: REDIRECT,
  clientMetadata: { redirect_uris: [REDIRECT], scope: 'read:sites' },
  clientInformation: () => ({ client_id: 'app' }),
  tokens: () => tokens,
  saveTokens: saved => { tokens = saved },
  redirectToAuthorization: async url => { back = await person.follow(url, REDIRECT) },
  saveCodeVerifier: saved => { verifier = saved },
  codeVerifier: () => verifier,
}
const first = await auth(provider, { serverUrl, resourceMetadataUrl, scope: 'read:sites' })
const iss = back.searchParams.get('iss') ?? undefined
const authorizationCode = back.searchParams.get('code')
const second = await auth(provider, { serverUrl, resourceMetadataUrl, authorizationCode, iss })
told('native', first, second, tokens.scope, await sites(tokens.access_token))

// With a refresh token nobody is asked. One that was used before ends the grant.
const before = tokens
const third = await auth(provider, { serverUrl, resourceMetadataUrl })
const refreshed = [third, tokens.refresh_token !== before.refresh_token, await sites(tokens.access_token)]
await auth(provider, { serverUrl, resourceMetadataUrl })
const last = tokens
tokens = before
const { errorCode } = await auth(provider, { serverUrl, resourceMetadataUrl }).catch(error => error)
told('refresh', ...refreshed, errorCode, await sites(last.access_token))

async function machine(provider) {
  await auth(provider, { serverUrl, resourceMetadataUrl, scope: 'read:reports' })
  return provider.tokens().scope
}
const ofSite = { clientId: 'site', clientSecret: SITE_SECRET, scope: 'read:reports', expectedIssuer: ORIGIN }
told('client credentials', await machine(new ClientCredentialsProvider(ofSite)))
const ofRobot = { clientId: 'robot', privateKey: JSON.parse(ROBOT_KEY), algorithm: 'ES256', scope: 'read:reports', expectedIssuer: ORIGIN }
told('private_key_jwt', await machine(new PrivateKeyJwtProvider(ofRobot)))

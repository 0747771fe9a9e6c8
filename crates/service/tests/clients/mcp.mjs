// A client of the Model Context Protocol finds its way from a resource that refuses it to a token: challenge, metadata of the resource, metadata of the
// authorization server, code with PKCE, token for the resource.
import { auth, extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js'
import { EMAIL, ORIGIN, PASSWORD, Person, sites } from './person.mjs'

const REDIRECT = 'http://127.0.0.1:5678/callback'
const person = new Person(EMAIL, PASSWORD)
const serverUrl = new URL('/api/v2/sites', ORIGIN)
const refused = await fetch(serverUrl)
const { resourceMetadataUrl } = extractWWWAuthenticateParams(refused)
console.log('challenge', refused.status, resourceMetadataUrl.pathname)

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
console.log('token', first, second, tokens.scope, await sites(tokens.access_token))

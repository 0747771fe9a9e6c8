// A client of a DPoP-protected resource, by oauth4webapi. It writes its key's thumbprint, reads an access token and the resource's URI, a
// line each, and writes the status of each of its requests.
import { createInterface } from 'node:readline/promises'
import * as oauth from 'oauth4webapi'

const keys = await oauth.generateKeyPair('ES256')
const client = { client_id: 'client-1' }
const proofs = oauth.DPoP(client, keys)
console.log(await proofs.calculateThumbprint())

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const token = (await lines.next()).value
const url = new URL((await lines.next()).value)

async function request(method, url, dpop) {
  const options = { DPoP: dpop, [oauth.allowInsecureRequests]: true }
  try {
    const response = await oauth.protectedResourceRequest(token, method, url, undefined, undefined, options)
    return response.status
  } catch (error) {
    if (oauth.isDPoPNonceError(error)) return 'nonce'
    const challenge = error.cause?.[0]
    return challenge ? `${error.status} ${challenge.scheme} ${challenge.parameters.error}` : String(error)
  }
}

// The server requires a nonce, which the first answer brings.
console.log(await request('GET', url, proofs))
console.log(await request('GET', url, proofs))
console.log(await request('POST', new URL('?page=2', url), proofs))
// The key is not the one that the token is bound to.
console.log(await request('GET', url, oauth.DPoP(client, await oauth.generateKeyPair('ES256'))))
// Nor is the token good without a proof.
console.log(await request('GET', url, undefined))
process.exit(0)

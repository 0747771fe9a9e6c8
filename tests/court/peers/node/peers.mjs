// Puts the corpus to a library of Node: `id`, a tab, and `accept`, `reject` or `unsupported` for each case.
//
// Usage: peers.mjs CORPUS LIBRARY

import { createPublicKey, createSecretKey } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier } from 'fast-jwt'
import * as jose from 'jose'
import jsonwebtoken from 'jsonwebtoken'

const RFC_7518 = 'HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512'
const typ = (policy) => (policy.typ === 'at+jwt' ? 'at+jwt' : undefined)

class Unsupported extends Error {}

// The key that a header names, or the only one there is, for libraries that know nothing of key sets.
function pick(keys, header) {
  if (header.kid === undefined && keys.length > 1) throw new Unsupported()
  const found = header.kid === undefined ? keys[0] : keys.find((key) => key.kid === header.kid)
  if (found === undefined) throw new Error('unknown kid')
  return found.kty === 'oct'
    ? createSecretKey(Buffer.from(found.k, 'base64url'))
    : createPublicKey({ key: found, format: 'jwk' })
}

const libraries = {
  jose: [`${RFC_7518} EdDSA Ed25519`, async ({ keys }, token, policy) => {
    const options = {
      algorithms: policy.algorithms,
      issuer: policy.iss,
      audience: policy.aud,
      clockTolerance: policy.leeway,
      currentDate: new Date(policy.now * 1000),
      requiredClaims: ['exp'],
      typ: typ(policy)
    }
    // Key sets are for public keys.
    if (keys[0].kty === 'oct') return jose.jwtVerify(token, (header) => pick(keys, header), options)
    try {
      return await jose.jwtVerify(token, jose.createLocalJWKSet({ keys }), options)
    } catch (error) {
      // As its documentation proposes where several keys match.
      if (error?.code !== 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') throw error
      for await (const key of error) {
        try {
          return await jose.jwtVerify(token, key, options)
        } catch (failed) {
          if (failed?.code !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') throw failed
        }
      }
      throw error
    }
  }],

  'fast-jwt': [`${RFC_7518} EdDSA`, async ({ keys }, token, policy) => {
    const verify = createVerifier({
      key: async ({ header }) => {
        const key = pick(keys, header)
        return key.type === 'secret' ? key.export() : key.export({ type: 'spki', format: 'pem' })
      },
      algorithms: policy.algorithms,
      allowedIss: policy.iss,
      allowedAud: policy.aud,
      clockTolerance: policy.leeway * 1000,
      clockTimestamp: policy.now * 1000,
      requiredClaims: ['exp', 'iss', 'aud'],
      checkTyp: typ(policy)
    })
    await verify(token)
  }],

  jsonwebtoken: [RFC_7518, ({ keys }, token, policy) => new Promise((resolve, reject) => {
    let thrown
    const key = (header, done) => {
      try { done(null, pick(keys, header)) } catch (error) { done(thrown = error) }
    }
    jsonwebtoken.verify(token, key, {
      algorithms: policy.algorithms,
      issuer: policy.iss,
      audience: policy.aud,
      clockTolerance: policy.leeway,
      clockTimestamp: policy.now
    }, (error, payload) => (error ? reject(thrown ?? error) : resolve(payload)))
  })],

  'aws-jwt-verify': ['RS256 RS384 RS512 ES256 ES384 ES512 EdDSA', async (set, token, policy) => {
    Date.now = () => policy.now * 1000
    const verifier = JwtVerifier.create({
      issuer: policy.iss,
      audience: policy.aud,
      jwksUri: 'https://as.example/jwks',
      graceSeconds: policy.leeway
    })
    verifier.cacheJwks(set)
    verifier.verifySync(token)
  }]
}

// Some wrap what a callback throws.
function unsupported(error) {
  return error instanceof Unsupported || (error?.cause ?? error?.originalError) instanceof Unsupported
}

function * cases(corpus) {
  for (const name of readdirSync(corpus).sort()) {
    if (!name.endsWith('.jsonl')) continue
    for (const line of readFileSync(join(corpus, name), 'utf8').split('\n')) {
      if (line === '') continue
      const stored = JSON.parse(line)
      const token = typeof stored.token === 'string'
        ? stored.token
        : stored.token.map(([text, count]) => text.repeat(count)).join('')
      yield { ...stored, token }
    }
  }
}

const [corpus, library] = process.argv.slice(2)
const [algorithms, verify] = libraries[library]
const sets = JSON.parse(readFileSync(join(corpus, 'keys.json'), 'utf8'))
const output = []
for (const { id, keys, token, policy } of cases(corpus)) {
  let verdict = 'unsupported'
  if (algorithms.split(' ').includes(id.split('/')[1])) {
    try {
      await verify(structuredClone(sets[keys]), token, policy)
      verdict = 'accept'
    } catch (error) {
      verdict = unsupported(error) ? 'unsupported' : 'reject'
    }
  }
  output.push(`${id}\t${verdict}`)
}
console.log(output.join('\n'))

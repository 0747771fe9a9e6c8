// Two libraries of Node.js with the same task: `node verify.mjs FILE`, where FILE is JSON with the keys and tokens of
// each algorithm. Prints one JSON object: nanoseconds a verify, by library and algorithm, the median of some rounds.
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createVerifier } from 'fast-jwt'
import { importJWK, jwtVerify } from 'jose'

const ROUNDS = 7
const ROUND_NS = 250_000_000n

const { issuer, audience, algorithms } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const results = {}

for (const { alg, jwk, tokens } of algorithms) {
  const key = jwk.kty === 'oct'
    ? Buffer.from(jwk.k, 'base64url')
    : createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const claims = { key, algorithms: [alg], allowedIss: issuer, allowedAud: audience }
  const fastJwt = createVerifier({ ...claims, cache: false })
  const fastJwtCached = createVerifier({ ...claims, cache: tokens.length, cacheTTL: 3_600_000 })
  const joseKey = await importJWK(jwk, alg)

  await measure('fast-jwt', alg, tokens, (token) => fastJwt(token))
  await measure('fast-jwt, cached', alg, tokens, (token) => fastJwtCached(token))
  await measure('jose', alg, tokens, (token) => jwtVerify(token, joseKey, { issuer, audience, algorithms: [alg] }))
}
console.log(JSON.stringify(results))

async function measure(library, alg, tokens, verify) {
  // One pass to warm up, which also fills the cache.
  for (const token of tokens) await verify(token)
  const isAsync = verify(tokens[0]) instanceof Promise
  const times = []
  for (let round = 0; round < ROUNDS; round++) {
    let count = 0
    const start = process.hrtime.bigint()
    let elapsed
    do {
      for (let n = 0; n < 32; n++) {
        const token = tokens[count++ % tokens.length]
        // Only a promise is awaited.
        if (isAsync) await verify(token)
        else verify(token)
      }
      elapsed = process.hrtime.bigint() - start
    } while (elapsed < ROUND_NS)
    times.push(Number(elapsed) / count)
  }
  times.sort((one, other) => one - other)
  results[`${library}/${alg}`] = times[ROUNDS >> 1]
}

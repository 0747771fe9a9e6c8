// oidc-provider with the client `app` and everything in memory, for the measurement of token endpoints. GET /codes?users=NUMBER&of_each=NUMBER
// makes authorization codes of so many users, which takes no login here. Prints where it listens.
import { Provider } from 'oidc-provider';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';

// RFC 7636 appendix B.
const codeChallenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const redirectUri = 'https://app.example/callback';
const resource = 'https://api.example';
const scope = 'read:sites';

// The default one keeps a thousand entries.
class Memory {
  static #entries = new Map();
  static #byGrant = new Map();
  #model;
  constructor(model) { this.#model = model; }
  #key(id) { return `${this.#model}:${id}`; }
  async upsert(id, payload) {
    Memory.#entries.set(this.#key(id), payload);
    if (payload.grantId) {
      const keys = Memory.#byGrant.get(payload.grantId) ?? [];
      Memory.#byGrant.set(payload.grantId, [...keys.slice(-8), this.#key(id)]);
    }
  }
  async find(id) { return Memory.#entries.get(this.#key(id)); }
  async findByUid() {}
  async findByUserCode() {}
  async consume(id) { Memory.#entries.get(this.#key(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { Memory.#entries.delete(this.#key(id)); }
  async revokeByGrantId(grantId) {
    for (const key of Memory.#byGrant.get(grantId) ?? []) Memory.#entries.delete(key);
  }
}

const server = http.createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const origin = `http://127.0.0.1:${server.address().port}`;
const secret = randomBytes(32).toString('base64url');
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const provider = new Provider(origin, {
  adapter: Memory,
  clients: [{
    client_id: 'app', client_secret: secret, redirect_uris: [redirectUri], id_token_signed_response_alg: 'ES256',
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] },
  scopes: ['openid', 'offline_access', scope],
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  rotateRefreshToken: () => true,
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope, audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
    },
  },
});

async function codes(accountId, count) {
  const client = await provider.Client.find('app');
  const made = [];
  for (let i = 0; i < count; i++) {
    // A grant each, as after an authorization request.
    const grant = new provider.Grant({ accountId, clientId: 'app' });
    grant.addResourceScope(resource, scope);
    const grantId = await grant.save();
    const code = new provider.AuthorizationCode({
      accountId, client, grantId, redirectUri, resource, scope, codeChallenge, codeChallengeMethod: 'S256', gty: 'authorization_code',
    });
    made.push(await code.save());
  }
  return made;
}

const callback = provider.callback();
server.on('request', (request, response) => {
  const url = new URL(request.url, origin);
  if (url.pathname !== '/codes') return callback(request, response);
  const [users, ofEach] = ['users', 'of_each'].map((name) => Number(url.searchParams.get(name)));
  Promise.all(Array.from({ length: users }, (_, n) => codes(`user${n}@example.com`, ofEach))).then((made) => {
    const body = JSON.stringify(made);
    response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body);
  });
});
console.log(JSON.stringify({ origin, secret, token_endpoint: '/token' }));

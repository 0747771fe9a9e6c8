// An authorization server for tests: opaque tokens and JWTs for two resources, introspection and revocation. Prints its issuer.
import { Provider } from 'oidc-provider';
import http from 'node:http';

const server = http.createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const resources = {
  'https://api.example.com': { scope: 'read write', accessTokenFormat: 'opaque' },
  'https://jwt.example.com': { scope: 'read write', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } },
  'https://other.example.com': { scope: 'read write', accessTokenFormat: 'opaque' },
};
const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
const provider = new Provider(issuer, {
  clients: [
    { client_id: 'app', client_secret: 'app-secret', ...machine },
    { client_id: 'rs 1', client_secret: 's%cret:+ of the resource server', ...machine },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (context, resource) => ({ audience: resource, ...resources[resource] }),
    },
  },
  ttl: { ClientCredentials: 600 },
});
server.on('request', provider.callback());
console.log(issuer);

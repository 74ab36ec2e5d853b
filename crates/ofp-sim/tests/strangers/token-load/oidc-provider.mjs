// npm oidc-provider with the same client as ofp-sim's first DC: private_key_jwt with PS256, access tokens
// bound to its certificate, everything in memory. WORLD: the JSON line of `ofp-sim up`. Prints its URL.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Provider } from 'oidc-provider';

const world = JSON.parse(readFileSync(process.env.WORLD));
const [dc] = world.dcs;
const pem = (folder, name) => readFileSync(`${folder}/${name}.pem`);
const tls = {
  key: pem(world.paynet.certificates, 'server-key'),
  cert: pem(world.paynet.certificates, 'server'),
  ca: readFileSync(world.ca),
  requestCert: true,
};
const signing = createPrivateKey(pem(world.paynet.certificates, 'signing-key'));

const server = https.createServer(tls).listen(0, '127.0.0.1', () => {
  const issuer = `https://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: dc.client_id,
      redirect_uris: dc.redirect_uris,
      response_types: [],
      id_token_signed_response_alg: 'PS256',
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'PS256',
      tls_client_certificate_bound_access_tokens: true,
      jwks: JSON.parse(readFileSync(`${dc.certificates}/jwks.json`)),
      scope: 'accounts',
    }],
    jwks: { keys: [{ ...signing.export({ format: 'jwk' }), alg: 'PS256', use: 'sig' }] },
    cookies: { keys: ['throwaway'] },
    scopes: ['accounts'],
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['PS256'], idTokenSigningAlgValues: ['PS256'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      fapi: { enabled: true, profile: '2.0' },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: (ctx) => new X509Certificate(ctx.req.socket.getPeerCertificate().raw).toString(),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer, token_endpoint: `${issuer}/token` }));
});

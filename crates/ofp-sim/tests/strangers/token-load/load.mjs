// Asks two token endpoints for tokens by turns, each request with a fresh assertion signed before the clock
// starts, over 8 connections that are kept alive. WORLD, OTHER: JSON lines of `ofp-sim up` and oidc-provider.mjs.
// Prints requests a second of each turn, and the ratio.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createPrivateKey, constants, randomUUID, sign } from 'node:crypto';

const TURNS = 3, EACH = 3000, AT_ONCE = 8;
const world = JSON.parse(readFileSync(process.env.WORLD));
const other = JSON.parse(readFileSync(process.env.OTHER));
const [dc] = world.dcs;
const pem = (name) => readFileSync(`${dc.certificates}/${name}.pem`);
const key = { key: createPrivateKey(pem('signing-key')), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
const base64 = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');

function form(issuer) {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: dc.client_id, sub: dc.client_id, aud: issuer, iat, exp: iat + 250, jti: randomUUID() };
  const input = `${base64({ alg: 'PS256', kid: dc.signing_kid })}.${base64(claims)}`;
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: dc.client_id,
    scope: 'accounts',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`,
  }).toString();
}

const ask = (url, agent, body) => new Promise((done, fail) => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length };
  const request = https.request(url, { agent, method: 'POST', headers }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => {
      if (answer.statusCode === 200 && JSON.parse(text).access_token) return done();
      return fail(new Error(`${url}: ${answer.statusCode} ${text}`));
    });
  });
  request.on('error', fail).end(body);
});

async function rate({ issuer, token_endpoint: url }) {
  const agent = new https.Agent({
    keepAlive: true, maxSockets: AT_ONCE, ca: readFileSync(world.ca), cert: pem('client'), key: pem('client-key'),
  });
  const forms = Array.from({ length: EACH }, () => form(issuer));
  await Promise.all(forms.splice(0, AT_ONCE).map((body) => ask(url, agent, body))); // connect
  const [count, started] = [forms.length, performance.now()];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (forms.length) await ask(url, agent, forms.pop());
  }));
  agent.destroy();
  return count / (performance.now() - started) * 1000;
}

const ours = { issuer: world.paynet.issuer, token_endpoint: `${world.paynet.as_mtls}/v1/oauth/token` };
const ratios = [];
for (let turn = 0; turn < TURNS; turn += 1) {
  const [theirs, own] = [await rate(other), await rate(ours)];
  ratios.push(own / theirs);
  console.log(`tokens a second: ofp-sim ${own.toFixed(0)}, oidc-provider ${theirs.toFixed(0)}, ratio ${(own / theirs).toFixed(2)}`);
}
console.log(`median ratio ${ratios.sort((a, b) => a - b)[TURNS >> 1].toFixed(2)}`);

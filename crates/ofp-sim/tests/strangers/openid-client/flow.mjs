// npm openid-client, a certified FAPI 2.0 client, against `ofp-sim up`: PAR with a signed request object,
// authorize, code, token, refresh, introspection, userinfo, revocation, over mutual TLS, with private_key_jwt and
// with tls_client_auth, plain and with JARM; then probes that must be refused, each with the right error.
//
// WORLD names a file with what `ofp-sim up --json` printed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import * as client from 'openid-client';
import { Agent, fetch } from 'undici';

const world = JSON.parse(fs.readFileSync(process.env.WORLD, 'utf8'));
const issuer = world.paynet.issuer;
const ca = fs.readFileSync(world.ca);
const rar = 'urn:openfinance-ml:account-access-consent:v1.2';
const browserAgent = new Agent({ connect: { ca } });
const agents = [browserAgent];

/** Everything of one DC: its client, its keys, its connections. */
async function participant(dc) {
  const read = (name) => fs.readFileSync(`${dc.certificates}/${name}`);
  const agent = new Agent({ connect: { ca, cert: read('client.pem'), key: read('client-key.pem') } });
  agents.push(agent);
  const pkcs8 = createPrivateKey(read('signing-key.pem')).export({ type: 'pkcs8', format: 'der' });
  const importKey = (name) =>
    crypto.subtle.importKey('pkcs8', pkcs8, { name, hash: 'SHA-256' }, false, ['sign']);
  return {
    ...dc,
    agent,
    ps256: { key: await importKey('RSA-PSS'), kid: dc.signing_kid },
    rs256: { key: await importKey('RSASSA-PKCS1-v1_5'), kid: dc.signing_kid },
    fetch: (url, options) => fetch(url, { ...options, dispatcher: agent }),
  };
}

const dcs = await Promise.all(world.dcs.map(participant));
const byKey = dcs.find((dc) => dc.token_endpoint_auth_method === 'private_key_jwt');
const byCertificate = dcs.find((dc) => dc.token_endpoint_auth_method === 'tls_client_auth');

async function configured(dc, { auth, jarm = false, fetcher = dc.fetch } = {}) {
  const usual = dc === byKey ? client.PrivateKeyJwt(dc.ps256) : client.TlsClientAuth();
  const config = await client.discovery(
    new URL(issuer),
    dc.client_id,
    {
      use_mtls_endpoint_aliases: true,
      id_token_signed_response_alg: 'PS256',
      authorization_signed_response_alg: 'PS256',
    },
    auth ?? usual,
    { [client.customFetch]: fetcher },
  );
  client.enableNonRepudiationChecks(config);
  if (jarm) client.useJwtResponseMode(config);
  return config;
}

async function authorization(dc, change = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const expiration = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const consent = {
    dc_id: dc.dc_id,
    dp_id: world.dp.dp_id,
    consent_type: rar,
    consent_purpose: 'pfm',
    permissions: ['read_accounts', 'read_balances'],
    expiration_datetime: expiration,
  };
  const parameters = {
    redirect_uri: dc.redirect_uris[0],
    scope: 'openid accounts profile',
    state: client.randomState(),
    nonce: client.randomNonce(),
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify([{ type: rar, consent }]),
    ...change,
  };
  for (const [name, value] of Object.entries(parameters)) if (value === undefined) delete parameters[name];
  return { verifier, parameters };
}

async function pushed(config, dc, parameters, options) {
  const url = await client.buildAuthorizationUrlWithJAR(config, parameters, dc.ps256, options);
  return client.buildAuthorizationUrlWithPAR(config, { request: url.searchParams.get('request') });
}

/** A customer without JavaScript: logs in, ticks the first account, approves or rejects. */
async function browse(start, dc, decision = 'approve') {
  const cookies = new Map();
  let url = new URL(start);
  let init = { method: 'GET' };
  for (let hops = 0; hops < 30; hops += 1) {
    const cookie = [...cookies.values()]
      .filter((c) => c.host === url.host && url.pathname.startsWith(c.path))
      .map((c) => c.pair)
      .join('; ');
    const response = await fetch(url, {
      ...init,
      headers: cookie ? { cookie } : {},
      redirect: 'manual',
      dispatcher: browserAgent,
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split('; ');
      const path = attributes.find((a) => a.startsWith('Path='))?.slice(5) ?? '/';
      cookies.set(`${url.host} ${path} ${pair.split('=')[0]}`, { host: url.host, path, pair });
    }
    const html = await response.text();
    const location = response.headers.get('location');
    if (location) {
      const next = new URL(location, url);
      if (next.href.startsWith(dc.redirect_uris[0])) return next;
      url = next;
      init = { method: 'GET' };
      continue;
    }
    assert.equal(response.status, 200, `${url}: ${html.slice(0, 300)}`);
    const back = /href="([^"]+)" data-testid="back"/.exec(html);
    if (back) {
      url = new URL(back[1].replaceAll('&#38;', '&').replaceAll('&amp;', '&'));
      init = { method: 'GET' };
      continue;
    }
    const form = /<form[^>]*action="([^"]+)"[^>]*>([\s\S]*?)<\/form>/.exec(html);
    const fields = new URLSearchParams();
    let ticked = false;
    for (const [tag] of form[2].matchAll(/<input[^>]*>/g)) {
      const attribute = (name) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
      const name = attribute('name');
      if (name === 'username' || name === 'password') fields.set(name, 'paynet');
      else if (attribute('type') === 'checkbox') {
        if (!ticked) fields.set(name, attribute('value'));
        ticked = true;
      } else fields.set(name, attribute('value'));
    }
    if (html.includes('name="decision"')) fields.set('decision', decision);
    url = new URL(form[1], url);
    init = { method: 'POST', body: fields };
  }
  throw new Error('too many redirects');
}

let passed = 0;
async function test(name, body) {
  try {
    await body();
  } catch (error) {
    console.error(`not ok  ${name}`);
    throw error;
  }
  passed += 1;
  console.log(`ok  ${name}`);
}

/** OAuth errors: with `WWW-Authenticate` the library has another class for them. */
const refused = (status, code) => (error) => {
  const found = error.error ?? error.cause?.[0]?.parameters?.error ?? error.cause?.error;
  assert.equal(`${error.status} ${found}`, `${status} ${code}`, String(error.cause ?? error));
  return true;
};

// ---------------------------------------------------------------- the whole flow, four ways
for (const dc of [byKey, byCertificate]) {
  for (const jarm of [false, true]) {
    await test(`${dc.token_endpoint_auth_method}, ${jarm ? 'JARM' : 'plain'}`, async () => {
      const config = await configured(dc, { jarm });
      const { verifier, parameters } = await authorization(dc);
      const url = await pushed(config, dc, parameters);
      assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
      const callback = await browse(url, dc);
      const expected = jarm ? ['response'] : ['code', 'iss', 'state'];
      assert.deepEqual([...callback.searchParams.keys()].sort(), expected);
      const checks = () => ({
        expectedState: parameters.state,
        expectedNonce: parameters.nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const tokens = await client.authorizationCodeGrant(config, callback, checks());
      assert.equal(tokens.expires_in, 600);
      const claims = tokens.claims();
      assert.equal(claims.aud, dc.client_id);
      assert.equal(tokens.authorization_details[0].consent.status, 'authorized');

      const customer = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
      assert.equal(customer.preferred_username, 'paynet');
      const known = await client.tokenIntrospection(config, tokens.access_token);
      assert.equal(known.active, true);
      assert.ok(known.cnf['x5t#S256']);
      const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
      assert.notEqual(fresh.access_token, tokens.access_token);
      assert.equal(fresh.refresh_token, tokens.refresh_token, 'not rotated');
      await client.tokenRevocation(config, fresh.access_token);
      assert.equal((await client.tokenIntrospection(config, fresh.access_token)).active, false);
      const userinfo = new URL(config.serverMetadata().userinfo_endpoint);
      await assert.rejects(
        client.fetchProtectedResource(config, fresh.access_token, userinfo, 'GET'),
        refused(401, 'invalid_token'),
      );

      const own = await client.clientCredentialsGrant(config, { scope: 'accounts' });
      const consent = `${world.paynet.rs}/v1/consents/${tokens.authorization_details[0].consent.consent_id}`;
      const read = await client.fetchProtectedResource(config, own.access_token, new URL(consent), 'GET');
      assert.equal((await read.json()).status, 'authorized');

      await assert.rejects(
        client.authorizationCodeGrant(config, callback, checks()),
        refused(400, 'invalid_grant'),
        'a code works once',
      );
      assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false);
      await assert.rejects(
        client.refreshTokenGrant(config, tokens.refresh_token),
        refused(400, 'invalid_grant'),
        'and a second use takes the tokens along',
      );
    });
  }
}

await test('a rejection comes back as access_denied, plain and with JARM', async () => {
  for (const jarm of [false, true]) {
    const config = await configured(byKey, { jarm });
    const { verifier, parameters } = await authorization(byKey);
    const callback = await browse(await pushed(config, byKey, parameters), byKey, 'reject');
    const grant = client.authorizationCodeGrant(config, callback, {
      expectedState: parameters.state,
      pkceCodeVerifier: verifier,
    });
    await assert.rejects(grant, { error: 'access_denied' });
  }
});

// ---------------------------------------------------------------- what must be refused
const invalidObject = (name, change, options, code = 'invalid_request_object') =>
  test(`PAR refuses ${name}`, async () => {
    const config = await configured(byKey);
    const { parameters } = await authorization(byKey, change);
    await assert.rejects(pushed(config, byKey, parameters, options), refused(400, code));
  });
const amended = (amend) => ({ [client.modifyAssertion]: (header, payload) => amend(header, payload) });

await invalidObject('a request object for another audience', {}, amended((_, p) => { p.aud = 'https://elsewhere.test'; }));
await invalidObject('an old request object', {}, amended((_, p) => { p.nbf -= 3660; p.exp -= 3600; }));
await invalidObject('a request object without end', {}, amended((_, p) => { delete p.exp; }));
await invalidObject('a request object of another client', {}, amended((_, p) => { p.iss = byCertificate.client_id; }));
await invalidObject('a redirect_uri that is not registered', { redirect_uri: 'https://evil.test/' }, undefined, 'invalid_request');
await invalidObject('plain PKCE', { code_challenge_method: 'plain' }, undefined, 'invalid_request');
await invalidObject('no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, undefined, 'invalid_request');
await invalidObject('response_mode fragment.jwt', { response_mode: 'fragment.jwt' }, undefined, 'invalid_request');
await invalidObject('unknown authorization details', { authorization_details: '[{"type":"payment"}]' }, undefined, 'invalid_authorization_details');
await invalidObject('no authorization details', { authorization_details: undefined }, undefined, 'invalid_authorization_details');
await invalidObject('a scope that there is not', { scope: 'openid everything' }, undefined, 'invalid_scope');

await test('PAR refuses parameters without a signed request object', async () => {
  const config = await configured(byKey);
  const { parameters } = await authorization(byKey);
  await assert.rejects(client.buildAuthorizationUrlWithPAR(config, parameters), refused(400, 'invalid_request'));
});

for (const [name, auth] of [
  ['RS256', client.PrivateKeyJwt(byKey.rs256)],
  ['a list as audience', client.PrivateKeyJwt(byKey.ps256, amended((_, p) => { p.aud = [p.aud]; }))],
  ['the token endpoint as audience', client.PrivateKeyJwt(byKey.ps256, amended((_, p) => { p.aud = `${world.paynet.as_mtls}/v1/oauth/token`; }))],
  ['another kid', client.PrivateKeyJwt({ ...byKey.ps256, kid: 'nobody' })],
  ['an hour to live', client.PrivateKeyJwt(byKey.ps256, amended((_, p) => { p.exp = p.iat + 3600; }))],
  ['another subject', client.PrivateKeyJwt(byKey.ps256, amended((_, p) => { p.sub = byCertificate.client_id; }))],
  ['no assertion', client.None()],
]) {
  await test(`client authentication is refused with ${name}`, async () => {
    const config = await configured(byKey, { auth });
    await assert.rejects(client.clientCredentialsGrant(config, { scope: 'accounts' }), refused(401, 'invalid_client'));
  });
}

await test("a client's id over another's certificate is refused", async () => {
  const config = await configured(byCertificate, { fetcher: byKey.fetch });
  await assert.rejects(client.clientCredentialsGrant(config), refused(401, 'invalid_client'));
});

await test('a request_uri works once, and for its client', async () => {
  const config = await configured(byKey);
  const { parameters } = await authorization(byKey);
  const url = await pushed(config, byKey, parameters);
  const open = async (target) => {
    const response = await fetch(target, { redirect: 'manual', dispatcher: browserAgent });
    await response.text();
    return response.status;
  };
  const foreign = new URL(url);
  foreign.searchParams.set('client_id', byCertificate.client_id);
  assert.deepEqual([await open(foreign), await open(url), await open(url)], [400, 303, 400]);
});

await test('a code is bound to its verifier and its redirect_uri', async () => {
  const config = await configured(byKey);
  const { verifier, parameters } = await authorization(byKey);
  const callback = await browse(await pushed(config, byKey, parameters), byKey);
  const grant = (url, pkceCodeVerifier) => client.authorizationCodeGrant(config, url, {
    expectedState: parameters.state, expectedNonce: parameters.nonce, pkceCodeVerifier,
  });
  await assert.rejects(grant(callback, client.randomPKCECodeVerifier()), refused(400, 'invalid_grant'));
  const elsewhere = new URL(callback.search, 'https://evil.test/');
  await assert.rejects(grant(elsewhere, verifier), refused(400, 'invalid_grant'));
  assert.ok((await grant(callback, verifier)).access_token, 'and still works for who has both');
});

await test('a token over another certificate, or in the URL, is refused', async () => {
  const config = await configured(byKey);
  const { access_token: token } = await client.clientCredentialsGrant(config, { scope: 'accounts' });
  const providers = `${world.paynet.rs}/v1/providers`;
  const headers = { authorization: `Bearer ${token}` };
  const stolen = await byCertificate.fetch(providers, { headers });
  assert.equal(stolen.status, 401);
  assert.match(stolen.headers.get('www-authenticate'), /invalid_token/);
  const inUrl = await byKey.fetch(`${providers}?access_token=${token}`, { headers });
  assert.equal(inUrl.status, 400);
  assert.equal((await byKey.fetch(providers, { headers })).status, 200);
});

await Promise.all(agents.map((agent) => agent.close()));
console.log(`${passed} passed, 0 failed`);

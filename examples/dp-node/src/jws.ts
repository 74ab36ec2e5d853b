// Signatures (RFC 7515). PS256 and nothing else, keys from published sets and nowhere else.

import { createHash, randomUUID } from 'node:crypto';
import {
  FlattenedSign, SignJWT, base64url, compactVerify, decodeProtectedHeader, errors, flattenedVerify, jwtVerify,
  type CryptoKey, type JWSHeaderParameters, type JWTPayload,
} from 'jose';
import type { Config } from './config.js';
import { Expiring } from './expiring.js';
import { Refusal } from './http.js';
import type { KeySet } from './jwks.js';

const ALGORITHMS = ['PS256'];
const MAX_AGE = 300; // a request is five minutes old at most, in seconds
const SKEW = 45; // clocks differ: ten seconds must pass, a minute must not (FAPI 2.0 §5.3.2.1)

const invalidSignature = (message: string) => new Refusal(400, 'JWS.InvalidSignature', message);
const invalidClaim = (message: string) => new Refusal(400, 'JWS.InvalidClaim', message);
const now = () => Math.floor(Date.now() / 1000);

// ---- verify ----

/** Runs a verification of jose, and puts its errors into PayNet's words. */
async function verify<T>(jws: string | undefined, name: string, work: (jws: string) => Promise<T>): Promise<T> {
  if (jws === undefined) throw invalidSignature(`${name} is missing`);
  try {
    return await work(jws);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
      throw invalidClaim(`${name}: ${error.message}`);
    }
    throw invalidSignature(`${name} is not a JWS that holds`);
  }
}

/** Finds the key for a header; jose has refused every algorithm but PS256 and every unknown `crit` by then. */
const keyFrom = (keys: KeySet) => async (header?: JWSHeaderParameters): Promise<CryptoKey> => {
  const foreign = ['jwk', 'jku', 'x5c', 'x5u'].find((name) => header && name in header);
  if (foreign) throw invalidSignature(`${foreign} is not used: keys are published`);
  const key = typeof header?.kid === 'string' ? await keys.find(header.kid, 'sig') : undefined;
  if (!key) throw invalidSignature('kid names no key of the party that must sign');
  return key;
};

/** An attached JWS over plain text: the `signature` of authorize. */
export function verifyText(jws: string | undefined, keys: KeySet): Promise<string> {
  return verify(jws, 'signature', async (jws) => {
    const { payload } = await compactVerify(jws, keyFrom(keys), { algorithms: ALGORITHMS });
    return Buffer.from(payload).toString();
  });
}

/** A detached JWS over the bytes of a body (`header..signature`), with iat and jti in its header. */
export function verifyDetached(jws: string | undefined, body: Buffer, keys: KeySet, replay: ReplayGuard): Promise<void> {
  return verify(jws, 'x-fapi-signature', async (jws) => {
    const [header, between, signature, ...more] = jws.split('.');
    if (!header || between !== '' || !signature || more.length > 0) throw invalidSignature('x-fapi-signature is not detached');
    const unencoded = decodeProtectedHeader({ protected: header }).b64 === false; // RFC 7797
    const detached = { protected: header, payload: unencoded ? body : base64url.encode(body), signature };
    const { protectedHeader } = await flattenedVerify(detached, keyFrom(keys), { algorithms: ALGORITHMS });
    const { iat, jti } = protectedHeader ?? {};
    if (typeof iat !== 'number' || typeof jti !== 'string') throw invalidClaim('iat and jti belong in the header');
    if (iat > now() + SKEW) throw invalidClaim('iat is in the future');
    if (iat < now() - MAX_AGE) throw invalidClaim('iat is more than five minutes old');
    replay.once('body', jti, createHash('sha256').update(body).digest('base64'));
  });
}

export interface Claims extends JWTPayload {
  iss: string;
  jti: string;
}

/** An attached JWS of claims: what signs a request without a body. `name` is the header that it came in. */
export function verifyClaims(jws: string | undefined, name: string, keys: KeySet, issuer: string, dpId: string): Promise<Claims> {
  return verify(jws, name, async (jws) => {
    const { payload } = await jwtVerify(jws, keyFrom(keys), {
      algorithms: ALGORITHMS,
      issuer,
      audience: dpId,
      clockTolerance: SKEW,
      maxTokenAge: MAX_AGE,
      requiredClaims: ['exp', 'jti'],
    });
    if (typeof payload.jti !== 'string') throw invalidClaim(`${name}: jti is text`);
    return payload as Claims;
  });
}

/** Such claims are good for one request: its path, its query and its consent. PayNet adds consent_id to the DC's query. */
export function checkRequest(claims: Claims, path: string, query: URLSearchParams, subjects: string[]): void {
  const { sub, url, qpm } = claims;
  if (!subjects.includes(sub ?? '')) throw invalidClaim('sub is another consent');
  // The host is PayNet's, not ours. One sandbox writes http://https://host/path.
  const claimed = typeof url === 'string' ? /^https?:\/\/(?:https?:\/\/)?[^/?#]+(\/[^?#]*)$/.exec(url)?.[1] : undefined;
  if (!claimed?.endsWith(path)) throw invalidClaim('url is another endpoint');
  if (typeof qpm !== 'object' || qpm === null) throw invalidClaim('qpm is missing');
  const signed = new Map(Object.entries(qpm));
  for (const [name, value] of signed) {
    if (query.get(name) !== String(value)) throw invalidClaim(`qpm: ${name} is another in the query`);
  }
  for (const name of query.keys()) {
    if (name !== 'consent_id' && !signed.has(name)) throw invalidClaim(`qpm does not cover ${name}`);
  }
}

/** Remembers every jti for as long as its message could be accepted. */
export class ReplayGuard {
  readonly #seen = new Expiring<string>((MAX_AGE + 2 * SKEW) * 1000, 100_000);

  /** The same jti with the same content is a redelivery, where content is given; otherwise it is a replay. */
  once(issuer: string, jti: string, content?: string): void {
    const key = `${issuer} ${jti}`;
    const before = this.#seen.get(key);
    if (before !== undefined && (content === undefined || before !== content)) throw invalidClaim('jti has been used before');
    this.#seen.set(key, content ?? '');
  }
}

// ---- sign ----

export class Signer {
  constructor(readonly config: Config) {}

  /** A JWT with iat, exp and a fresh jti. */
  jwt(claims: JWTPayload, seconds: number): Promise<string> {
    const { key } = this.config.signing;
    return new SignJWT({ ...claims, iat: now(), exp: now() + seconds, jti: randomUUID() }).setProtectedHeader(this.#header()).sign(key);
  }

  /** A detached JWS over a body. Its iat and jti are fresh: sign again when you send again. */
  async detached(body: string): Promise<string> {
    const header = { ...this.#header(), iat: now(), jti: randomUUID() };
    const jws = await new FlattenedSign(Buffer.from(body)).setProtectedHeader(header).sign(this.config.signing.key);
    return `${jws.protected}..${jws.signature}`;
  }

  #header() {
    return { alg: 'PS256', kid: this.config.signing.kid };
  }
}

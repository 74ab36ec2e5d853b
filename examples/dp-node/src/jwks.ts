// Key sets: PayNet's and the DCs', fetched from PayNet, kept for a while.

import type { Agent } from 'node:https';
import { importJWK, type CryptoKey, type JWK } from 'jose';
import { Expiring } from './expiring.js';
import { Refusal, call } from './http.js';

const MAX_AGE = 10 * 60_000; // PayNet allows 15 minutes
const BURST = 5; // whatever comes in, a set is fetched so often in a row at most...
const PAUSE = 2_000; // ...and then no more often than this
const IN_VAIN = 30_000; // and a name that was not there is not looked for again at once

/** PS256 verifies with `sig` keys, RSA-OAEP-256 encrypts to `enc` keys. */
type Use = 'sig' | 'enc';

export class KeySet {
  #keys: JWK[] = [];
  #imported = new Map<string, Promise<CryptoKey | Uint8Array>>();
  #fetchedAt = 0;
  #fetches = { left: BURST, at: 0 };
  #fetching: Promise<boolean> | undefined;
  readonly #missing = new Expiring<true>(IN_VAIN, 1_000);

  constructor(
    readonly url: string,
    readonly agent: Agent,
  ) {}

  /** The key of that name and use; a name that is not there makes us look again, but not for every message. */
  async find(kid: string, use: Use): Promise<CryptoKey | undefined> {
    if (Date.now() - this.#fetchedAt > MAX_AGE) await this.#refresh();
    if (!this.#select(kid, use) && !this.#missing.get(kid) && (await this.#refresh())) this.#missing.set(kid, true);
    if (this.#fetchedAt === 0) throw new Refusal(503, 'temporarily_unavailable', 'keys cannot be fetched from PayNet');
    const jwk = this.#select(kid, use);
    if (!jwk) return undefined;
    const id = `${use} ${kid}`;
    const key = this.#imported.get(id) ?? importJWK({ ...jwk, alg: use === 'sig' ? 'PS256' : 'RSA-OAEP-256' });
    this.#imported.set(id, key);
    try {
      return (await key) as CryptoKey;
    } catch {
      return undefined; // published, but no RSA key that makes sense
    }
  }

  #select(kid: string, use: Use): JWK | undefined {
    return this.#keys.find((key) => key.kid === kid && key.kty === 'RSA' && key.use === use);
  }

  /** One fetch at a time; says whether there was one. When it fails, the keys that we have are still good. */
  #refresh(): Promise<boolean> {
    const left = Math.min(BURST, this.#fetches.left + (Date.now() - this.#fetches.at) / PAUSE);
    if (!this.#fetching && left >= 1) {
      this.#fetches = { left: left - 1, at: Date.now() };
      this.#fetching = this.#fetch()
        .then(() => true)
        .catch((error: unknown) => {
          console.error(`${this.url}: ${String(error)}`);
          return false;
        })
        .finally(() => (this.#fetching = undefined));
    }
    return this.#fetching ?? Promise.resolve(false);
  }

  async #fetch(): Promise<void> {
    const answer = await call({ method: 'GET', url: this.url, agent: this.agent });
    const set = JSON.parse(answer.body) as { keys?: unknown };
    if (answer.status !== 200 || !Array.isArray(set.keys)) throw new Error(`no key set, status ${answer.status}`);
    // Kinds of keys and members that we do not know do no harm.
    this.#keys = set.keys.filter((key): key is JWK => typeof key === 'object' && key !== null);
    this.#imported.clear();
    this.#fetchedAt = Date.now();
  }
}

export class KeySets {
  paynet!: KeySet;
  #dcs!: Expiring<KeySet>;

  constructor(
    readonly jwksUri: string,
    readonly agent: Agent,
  ) {
    this.forget();
  }

  forget(): void {
    this.paynet = new KeySet(this.jwksUri, this.agent);
    this.#dcs = new Expiring<KeySet>(24 * 3600_000, 1_000);
  }

  /** A DC's set is beside PayNet's, under its dc_id. */
  dc(dcId: string): KeySet {
    const url = `${this.jwksUri.replace(/\/paynet$/, '')}/${encodeURIComponent(dcId)}`;
    const set = this.#dcs.get(dcId) ?? new KeySet(url, this.agent);
    this.#dcs.set(dcId, set);
    return set;
  }
}

// Consents: what PayNet told us of them, and what the customer shared under them.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Refusal, invalidRequest } from './http.js';

const RANK = {
  awaiting_authorization: 0,
  authorized: 1,
  suspended: 1,
  rejected: 2,
  failed: 2,
  revoked: 2,
  expired: 2,
} as const;
export type Status = keyof typeof RANK;

export interface Consent {
  id: string;
  dcId: string;
  purpose: string;
  permissions: string[];
  status: Status;
  expiresAt: number; // milliseconds, as Date has them
  updatedAt: number;
  hashedIdNumber?: string; // of the customer whom the DC named, if it did
  grant?: { username: string; accounts: string[] } | undefined; // who shared what
}

/** Reads a consent out of an event. Members that we do not know are PayNet's business. */
export function readConsent(data: unknown, dpId: string): Consent {
  if (typeof data !== 'object' || data === null) throw invalidRequest('data is not an object');
  const fields = data as Record<string, unknown>;
  const text = (name: string, most = 100): string => {
    const value = fields[name];
    if (typeof value !== 'string' || value === '' || value.length > most) {
      throw invalidRequest(`data.${name} is not a text of 1 to ${most} characters`);
    }
    return value;
  };
  const time = (name: string): number => {
    const value = Date.parse(text(name));
    if (Number.isNaN(value)) throw invalidRequest(`data.${name} is not a date and time`);
    return value;
  };
  if (text('dp_id') !== dpId) throw invalidRequest('data.dp_id is another Data Provider');
  const status = text('status');
  if (!Object.hasOwn(RANK, status)) throw invalidRequest('data.status is not a status');
  const { permissions, hashed_id_number: hash } = fields;
  if (!Array.isArray(permissions)) throw invalidRequest('data.permissions is not a list');
  return {
    id: text('consent_id', 36),
    dcId: text('dc_id'),
    purpose: text('consent_purpose'),
    permissions: permissions.filter((name) => typeof name === 'string').slice(0, 20),
    status: status as Status,
    expiresAt: time('expiration_datetime'),
    updatedAt: time('updated_at'),
    ...(typeof hash === 'string' && hash !== '' ? { hashedIdNumber: hash } : {}),
  };
}

export class Consents {
  readonly #all = new Map<string, Consent>();

  constructor(
    readonly stateFile: string | undefined,
    readonly most = 20_000,
  ) {
    if (!stateFile) return;
    try {
      for (const consent of JSON.parse(readFileSync(stateFile, 'utf8')) as Consent[]) this.#all.set(consent.id, consent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** Takes PayNet's news. They may come twice, late, or after a newer one: then they change nothing. */
  tell(news: Consent): void {
    const known = this.#all.get(news.id);
    if (known) {
      if (known.dcId !== news.dcId) throw invalidRequest('data.dc_id is another than before');
      if (RANK[known.status] === 2 || RANK[news.status] < RANK[known.status] || news.updatedAt < known.updatedAt) return;
    }
    this.#all.set(news.id, { ...known, ...news });
    if (this.#all.size > this.most) this.#dropOne();
    this.#save();
  }

  find(id: string): Consent | undefined {
    const consent = this.#all.get(id);
    // PayNet tells of an expiry too; until then, there is a clock.
    if (consent && RANK[consent.status] < 2 && consent.expiresAt <= Date.now()) consent.status = 'expired';
    return consent;
  }

  /** The consent, if it has the status that is called for. */
  get(id: string, status?: Status): Consent {
    const consent = this.find(id);
    if (!consent) throw new Refusal(404, 'Consent.Invalid', 'the consent is unknown');
    if (status && consent.status !== status) throw new Refusal(403, 'Consent.Invalid', `the consent is ${consent.status}`);
    return consent;
  }

  /** What happened here, after PayNet has taken it. */
  update(id: string, change: Partial<Pick<Consent, 'status' | 'grant'>>): void {
    const consent = this.#all.get(id);
    if (!consent) return;
    if (change.status && RANK[change.status] < RANK[consent.status]) delete change.status; // an event was faster
    Object.assign(consent, change);
    this.#save();
  }

  /** The consents that a customer could withdraw. */
  of(username: string): Consent[] {
    const mine = [...this.#all.values()].filter(({ grant }) => grant?.username === username);
    return mine.filter(({ id }) => RANK[this.get(id).status] === 1).reverse();
  }

  /** The oldest that is over, or the oldest. */
  #dropOne(): void {
    const over = [...this.#all.values()].find(({ status }) => RANK[status] === 2);
    const oldest = over?.id ?? this.#all.keys().next().value;
    if (oldest !== undefined) this.#all.delete(oldest);
  }

  /** With DP_STATE, consents outlive a restart: they are on disk before the event is answered. */
  #save(): void {
    if (!this.stateFile) return;
    writeFileSync(`${this.stateFile}.new`, JSON.stringify([...this.#all.values()]), { mode: 0o600 });
    renameSync(`${this.stateFile}.new`, this.stateFile);
  }
}

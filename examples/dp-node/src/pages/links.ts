// Links: what authorize was asked, under a reference that tells nothing.

import { Expiring } from '../expiring.js';
import { secret } from './sessions.js';

export interface Link {
  consentId: string;
  redirectUri: string;
}

export class Links {
  readonly #all = new Expiring<Link>(10 * 60_000, 10_000);

  constructor(readonly issuer: string) {}

  /** The address of the log-in page. */
  create(link: Link): string {
    const ref = secret();
    this.#all.set(ref, link);
    return `${this.issuer}/link/${ref}`;
  }

  find(ref: string): Link | undefined {
    return this.#all.get(ref);
  }
}

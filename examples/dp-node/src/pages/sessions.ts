// Sessions: a cookie for one path of one browser, and a token that every form of it must carry.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Expiring } from '../expiring.js';
import { Refusal, header, type Request } from '../http.js';

const COOKIE = '__Secure-session';
const LIFETIME = 10 * 60_000;

export const secret = () => randomBytes(32).toString('base64url');

export interface Session<T> {
  id: string;
  csrf: string;
  data: T;
}

export class Sessions<T> {
  readonly #all = new Expiring<Session<T>>(LIFETIME, 10_000);

  /** Starts a session; after a log-in again, so that nobody has known its cookie before. */
  start(path: string, data: T, before?: Session<T>): { session: Session<T>; headers: Record<string, string> } {
    if (before) this.#all.delete(before.id);
    const session = { id: secret(), csrf: secret(), data };
    this.#all.set(session.id, session);
    const cookie = `${COOKIE}=${session.id}; Path=${path}; Max-Age=${LIFETIME / 1000}; Secure; HttpOnly; SameSite=Strict`;
    return { session, headers: { 'set-cookie': cookie } };
  }

  end(session: Session<T>): void {
    this.#all.delete(session.id);
  }

  find(request: Request): Session<T> | undefined {
    for (const cookie of (header(request, 'cookie') ?? '').split(/;\s*/)) {
      const [name, value] = cookie.split('=');
      const session = name === COOKIE && value ? this.#all.get(value) : undefined;
      if (session) return session;
    }
    return undefined;
  }

  get(request: Request): Session<T> {
    const session = this.find(request);
    if (!session) throw new Refusal(403, 'access_denied', 'Your session has ended. Start again from the app that sent you here.');
    return session;
  }

  /** The session of a posted form, and its fields. */
  posted(request: Request): { session: Session<T>; form: URLSearchParams } {
    const session = this.get(request);
    const form = new URLSearchParams(request.body.toString());
    const [given, expected] = [Buffer.from(form.get('csrf') ?? ''), Buffer.from(session.csrf)];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new Refusal(403, 'access_denied', 'This form is not from your session. Go back and load the page again.');
    }
    return { session, form };
  }
}

// Calls to PayNet: a token, then Update Consent, revoke and retrieve.

import { randomUUID } from 'node:crypto';
import { Agent } from 'node:https';
import type { Config } from './config.js';
import { call } from './http.js';
import { KeySets } from './jwks.js';
import type { Signer } from './jws.js';
import { TLS } from './tls.js';

interface Reply {
  status: number;
  body: Record<string, unknown>;
}

export class Paynet {
  readonly keys: KeySets;
  readonly #agent: Agent;
  #token: { value: Promise<string>; until: number } | undefined;

  constructor(
    readonly config: Config,
    readonly signer: Signer,
  ) {
    const common = { ...TLS, ca: config.paynet.ca, keepAlive: true, maxSockets: 20 };
    this.keys = new KeySets(config.paynet.jwksUri, new Agent(common));
    // The token is bound to this certificate, so one agent is for both.
    this.#agent = new Agent({ ...common, ...config.client });
  }

  updateConsent(id: string, body: object): Promise<Reply> {
    return this.#send('PATCH', `/v1/consents/${encodeURIComponent(id)}`, body);
  }

  revokeConsent(id: string, by: string): Promise<Reply> {
    return this.#send('POST', `/v1/consents/${encodeURIComponent(id)}/revoke`, { updated_by: by });
  }

  retrieveConsent(id: string): Promise<Reply> {
    return this.#send('GET', `/v1/consents/${encodeURIComponent(id)}`);
  }

  /** Tries twice at most: with a new token after 401, and again after a failure. Rejects where nobody answers. */
  async #send(method: string, path: string, body?: object): Promise<Reply> {
    const text = body && JSON.stringify(body);
    for (let last = false; ; last = true) {
      const token = await this.#getToken();
      try {
        const reply = await this.#sendOnce(method, path, token, text);
        if (reply.status === 401 && (await this.#token?.value) === token) this.#token = undefined;
        if (last || !(reply.status === 401 || passing(reply.status))) return reply;
      } catch (error) {
        console.error(`${method} ${path}: ${String(error)}`);
        if (last) throw error;
      }
    }
  }

  async #sendOnce(method: string, path: string, token: string, body?: string): Promise<Reply> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      'x-fapi-interaction-id': randomUUID(),
      accept: 'application/json',
    };
    if (body) {
      headers['content-type'] = 'application/json';
      headers['x-fapi-signature'] = await this.signer.detached(body); // afresh each time
    }
    const url = this.config.paynet.rs + path;
    const answer = await call({ method, url, agent: this.#agent, headers, ...(body ? { body } : {}) });
    return { status: answer.status, body: parse(answer.body) };
  }

  /** One token for everybody, until shortly before it ends, and one request for it at a time. */
  #getToken(): Promise<string> {
    if (this.#token && this.#token.until > Date.now()) return this.#token.value;
    const fetched = { value: Promise.resolve(''), until: Infinity };
    fetched.value = this.#fetchToken().then(
      ({ token, seconds }) => {
        fetched.until = Date.now() + (seconds - 30) * 1000;
        return token;
      },
      (error: unknown) => {
        if (this.#token === fetched) this.#token = undefined;
        throw error;
      },
    );
    this.#token = fetched;
    return fetched.value;
  }

  async #fetchToken(): Promise<{ token: string; seconds: number }> {
    for (let last = false; ; last = true) {
      const reply = await this.#askForToken().catch((error: unknown) => {
        if (last) throw error;
      });
      const { access_token: token, expires_in: seconds, error } = reply?.body ?? {};
      if (reply?.status === 200 && typeof token === 'string') return { token, seconds: typeof seconds === 'number' ? seconds : 60 };
      if (reply && (last || !passing(reply.status))) throw new Error(`no token: status ${reply.status}, error ${String(error)}`);
    }
  }

  async #askForToken(): Promise<Reply> {
    const { clientId, clientAuth, paynet } = this.config;
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, scope: 'accounts' });
    if (clientAuth === 'private_key_jwt') {
      form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      form.set('client_assertion', await this.signer.jwt({ iss: clientId, sub: clientId, aud: paynet.issuer }, 300));
    }
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'x-fapi-interaction-id': randomUUID(),
      accept: 'application/json',
    };
    const answer = await call({ method: 'POST', url: paynet.tokenEndpoint, agent: this.#agent, headers, body: form.toString() });
    return { status: answer.status, body: parse(answer.body) };
  }
}

/** What another try may mend. */
const passing = (status: number) => status >= 500 || status === 429;

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

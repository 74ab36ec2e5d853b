// The customer's decision: taken once, told to PayNet, and only then true. So is its withdrawal.

import { eligible, findCustomer, hashedIdNumber, shownNumber } from './bank.js';
import { readConsent, type Consent } from './consents.js';
import type { Dp } from './dp.js';

export type Outcome = 'success' | 'rejected' | 'too_late' | 'failed';

export interface Login {
  username: string;
  at: number; // seconds since 1970
}

export class Decisions {
  readonly #underway = new Set<string>();

  constructor(readonly dp: Dp) {}

  /** Whether a consent still waits for a decision. The first one counts, in whatever tab. */
  isOpen(consentId: string): boolean {
    return this.dp.consents.find(consentId)?.status === 'awaiting_authorization' && !this.#underway.has(consentId);
  }

  async approve(consentId: string, login: Login, accountIds: string[]): Promise<Outcome> {
    const { consents, config, signer } = this.dp;
    const consent = consents.get(consentId);
    const customer = findCustomer(login.username);
    if (!customer) return 'failed';
    // The DC may have named the customer. PayNet gets the hash only, and so do we.
    if (consent.hashedIdNumber !== undefined && consent.hashedIdNumber !== hashedIdNumber(customer)) {
      return this.reject(consentId, 'The customer is not the one that was named');
    }
    const accounts = eligible(customer).filter(({ id }) => accountIds.includes(id));
    if (accounts.length === 0) return 'failed';
    const identity = { id_type: 'nric', hashed_id_number: hashedIdNumber(customer) };
    const claims = { iss: config.issuer, sub: customer.subject, aud: consent.dcId, auth_time: login.at, ...identity };
    const grant = { username: customer.username, accounts: accounts.map(({ id }) => id) };
    return this.#tell(consentId, 'authorized', grant, async () => ({
      id_token: await signer.jwt(claims, 600),
      user_identity: identity,
      accounts: accounts.map((account) => ({
        account_id: account.id,
        account_number: shownNumber(account),
        account_name: account.name,
      })),
    }));
  }

  reject(consentId: string, reason = 'The customer declined the consent'): Promise<Outcome> {
    return this.#tell(consentId, 'rejected', undefined, async () => ({
      status_reason: { reason_code: 'not_allowed', reason_description: reason },
    }));
  }

  async #tell(consentId: string, status: 'authorized' | 'rejected', grant: Consent['grant'], details: () => Promise<object>): Promise<Outcome> {
    const { consents, paynet } = this.dp;
    this.#underway.add(consentId);
    // PayNet's event may come before its answer does, so what is shared is put down first; it counts with the status.
    consents.update(consentId, { grant });
    let outcome: Outcome = 'failed';
    try {
      const reply = await paynet.updateConsent(consentId, { consent_id: consentId, status, ...(await details()) });
      if (reply.status >= 200 && reply.status < 300) {
        consents.update(consentId, { status });
        outcome = grant ? 'success' : 'rejected';
      } else {
        console.error(`Update Consent of ${consentId}: status ${reply.status}, error ${String(reply.body['error'])}`);
        if (reply.status === 403) outcome = 'too_late'; // Consent.Invalid: decided or given up in the meantime
      }
    } catch (error) {
      console.error(`Update Consent of ${consentId}: ${String(error)}`);
    }
    if (outcome !== 'success') consents.update(consentId, { grant: undefined });
    this.#underway.delete(consentId);
    return outcome;
  }

  /** Ends a consent, when PayNet has taken that. Where it has not, PayNet says how the consent stands. */
  async withdraw(consentId: string, by: 'data_provider' | 'data_provider_user'): Promise<boolean> {
    const { consents, paynet, config } = this.dp;
    try {
      const reply = await paynet.revokeConsent(consentId, by);
      if (reply.status >= 200 && reply.status < 300) consents.update(consentId, { status: 'revoked' });
      else {
        console.error(`revoke of ${consentId}: status ${reply.status}, error ${String(reply.body['error'])}`);
        const known = await paynet.retrieveConsent(consentId);
        if (known.status === 200) consents.tell(readConsent(known.body, config.dpId));
      }
    } catch (error) {
      console.error(`revoke of ${consentId}: ${String(error)}`);
    }
    const status = consents.find(consentId)?.status;
    return status !== 'authorized' && status !== 'suspended';
  }
}

// D5 to D7, GET /v1/accounts/...: data of an account, signed by us and encrypted to the DC.

import { balance, details, fetchAccount, findCustomer, type Account, type Customer } from '../bank.js';
import type { Dp } from '../dp.js';
import { Refusal, header, invalidRequest, single, type Answer, type Request } from '../http.js';
import { encryptor } from '../jwe.js';
import { checkRequest, verifyClaims } from '../jws.js';
import { transactions } from '../transactions.js';

type Resource = { permission: string; read: (account: Account, customer: Customer, query: URLSearchParams) => object };

export const RESOURCES = {
  account: { permission: 'read_accounts', read: (account, customer) => ({ data: details(customer, account) }) },
  balances: { permission: 'read_balances', read: (account) => ({ data: balance(account) }) },
  transactions: { permission: 'read_transactions', read: (account, _, query) => transactions(account, query) },
} satisfies Record<string, Resource>;

export async function resource(dp: Dp, { permission, read }: Resource, accountId: string, request: Request): Promise<Answer> {
  const { config, consents, paynet, replay, signer } = dp;
  // 1. PayNet has signed the request, and the DC has: PayNet alone cannot ask for data.
  const hop = await verifyClaims(header(request, 'x-fapi-signature'), 'x-fapi-signature', paynet.keys.paynet, 'Paynet OFP', config.dpId);
  const consentId = consentIdOf(request);
  const { dcId } = consents.get(consentId);
  const dc = paynet.keys.dc(dcId);
  const end = await verifyClaims(header(request, 'x-signature'), 'x-signature', dc, dcId, config.dpId);
  for (const claims of [hop, end]) checkRequest(claims, request.path, request.query, [consentId, dcId]);
  for (const claims of [hop, end]) replay.once(claims.iss, claims.jti);
  // 2. The customer has shared it.
  const { permissions, grant } = consents.get(consentId, 'authorized');
  if (!permissions.includes(permission)) throw new Refusal(403, 'AccessToken.InvalidScope', `the consent does not grant ${permission}`);
  const customer = findCustomer(grant?.username ?? '');
  if (!customer || !grant?.accounts.includes(accountId)) {
    throw new Refusal(403, 'Consent.PermanentAccountAccessFailure', 'the account is not part of the consent');
  }
  // 3. The DC alone will be able to read it.
  const encrypt = await encryptor(header(request, 'x-enc-kid'), dc);
  const data = await encrypt(read(await fetchAccount(customer, accountId), customer, request.query));
  // The consent may have ended in the meantime.
  consents.get(consentId, 'authorized');
  const nbf = Math.floor(Date.now() / 1000);
  const body = await signer.jwt({ iss: config.dpId, aud: [dcId, 'Paynet OFP'], nbf, data }, 300);
  return { status: 200, headers: { 'content-type': 'application/jwt', 'cache-control': 'no-store' }, body };
}

export function consentIdOf(request: Request): string {
  const id = single(request.query, 'consent_id');
  if (!id) throw invalidRequest('the query has no consent_id');
  return id;
}

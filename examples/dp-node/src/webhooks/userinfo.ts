// D3, GET /v1/oauth/userinfo: who the customer of a consent is.

import { findCustomer, userinfo as claimsOf } from '../bank.js';
import type { Dp } from '../dp.js';
import { Refusal, header, json, type Answer, type Request } from '../http.js';
import { checkRequest, verifyClaims } from '../jws.js';
import { consentIdOf } from './resources.js';

export async function userinfo(dp: Dp, request: Request): Promise<Answer> {
  const keys = dp.paynet.keys.paynet;
  const claims = await verifyClaims(header(request, 'x-fapi-signature'), 'x-fapi-signature', keys, 'Paynet OFP', dp.config.dpId);
  const consentId = consentIdOf(request);
  checkRequest(claims, request.path, request.query, [consentId]);
  dp.replay.once(claims.iss, claims.jti);
  const consent = dp.consents.get(consentId, 'authorized');
  const customer = findCustomer(consent.grant?.username ?? '');
  if (!customer) throw new Refusal(403, 'Consent.Invalid', 'nobody approved the consent here');
  return json(200, claimsOf(customer));
}

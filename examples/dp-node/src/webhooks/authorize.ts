// D2, GET /v1/oauth/authorize: PayNet fetches the address of our log-in page, and sends the customer's browser there.

import type { Dp } from '../dp.js';
import { Refusal, invalidRequest, single, type Answer, type Request } from '../http.js';
import { verifyText } from '../jws.js';
import type { Links } from '../pages/links.js';

export async function authorize(dp: Dp, links: Links, request: Request): Promise<Answer> {
  const consentId = single(request.query, 'consent_id');
  const redirectUri = single(request.query, 'redirect_uri');
  const signature = single(request.query, 'signature');
  if (!consentId || consentId.length > 36) throw invalidRequest('consent_id is a text of 1 to 36 characters');
  const signed = await verifyText(signature, dp.paynet.keys.paynet);
  if (signed !== consentId) throw new Refusal(400, 'JWS.InvalidSignature', 'signature is over another consent_id');
  // The signature covers consent_id alone: redirect_uri is one that we know, letter by letter.
  if (!redirectUri || redirectUri.length > 300 || !dp.config.paynet.callbacks.includes(redirectUri)) {
    throw invalidRequest('redirect_uri is not a callback of PayNet');
  }
  // Nor does it end, so a link is good only as long as the consent waits for a decision.
  const consent = dp.consents.get(consentId, 'awaiting_authorization');
  return { status: 303, headers: { location: links.create({ consentId: consent.id, redirectUri }), 'cache-control': 'no-store' } };
}

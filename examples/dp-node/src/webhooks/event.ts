// D1, POST /v1/consents/events: PayNet tells of a consent.

import { readConsent } from '../consents.js';
import type { Dp } from '../dp.js';
import { header, invalidRequest, json, type Answer, type Request } from '../http.js';
import { verifyDetached } from '../jws.js';

export async function event(dp: Dp, request: Request): Promise<Answer> {
  const signature = header(request, 'x-fapi-signature');
  await verifyDetached(signature, request.body, dp.paynet.keys.paynet, dp.replay); // the bytes that came, before anything else
  if (!/^application\/json\s*(;|$)/i.test(header(request, 'content-type') ?? '')) throw invalidRequest('the body must be application/json');
  const { event_type: type, data } = parse(request.body);
  if (typeof type !== 'string') throw invalidRequest('event_type is not a text');
  // The type says nothing that the status in data does not say, so that a new one does no harm.
  dp.consents.tell(readConsent(data, dp.config.dpId));
  return json(200, {});
}

function parse(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // below
  }
  throw invalidRequest('the body is not a JSON object');
}

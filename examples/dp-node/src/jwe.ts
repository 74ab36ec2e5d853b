// Encryption (RFC 7516): data for a DC, which PayNet passes on and cannot read.

import { CompactEncrypt } from 'jose';
import { Refusal, invalidRequest } from './http.js';
import type { KeySet } from './jwks.js';

/** Encrypts to that key of the DC; jose draws a fresh key and initialization vector each time. */
export async function encryptor(kid: string | undefined, dc: KeySet): Promise<(value: unknown) => Promise<string>> {
  if (!kid) throw invalidRequest('x-enc-kid is missing');
  const key = await dc.find(kid, 'enc');
  if (!key) throw new Refusal(400, 'JWE.DecryptionError', 'x-enc-kid names no encryption key of the DC');
  return (value) =>
    new CompactEncrypt(Buffer.from(JSON.stringify(value)))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid })
      .encrypt(key);
}

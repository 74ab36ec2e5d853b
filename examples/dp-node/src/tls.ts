// Transport: TLS 1.2 or later, ECDHE and AEAD alone (FAPI 2.0 §5.2, RFC 9325).

import { constants, createHash } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Config } from './config.js';

export const TLS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
  ].join(':'),
} as const;

/** base64url(SHA-256(DER)): `kid` of a key, `x5t#S256` of a certificate. */
export const thumbprint = (der: Uint8Array) => createHash('sha256').update(der).digest('base64url');

/** For pages: anybody may connect. */
export function publicListener(config: Config): ServerOptions {
  return {
    ...TLS,
    ...config.server,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    handshakeTimeout: 10_000,
  };
}

/** For webhooks: only with a valid certificate of the participants' CA... */
export function webhookListener(config: Config): ServerOptions {
  return { ...publicListener(config), ca: config.paynet.ca, requestCert: true, rejectUnauthorized: true };
}

/** ...and that CA issues the DCs' and our own certificates too: PayNet's is known by its thumbprint. */
export function isPaynet(socket: TLSSocket, config: Config): boolean {
  const { raw } = socket.getPeerCertificate();
  return socket.authorized && raw !== undefined && config.paynet.clientCertificates.has(thumbprint(raw));
}

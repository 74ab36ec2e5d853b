// Settings: environment variables, read once at the start. See ../.env.example.

import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { thumbprint } from './tls.js';

export interface Config {
  paynet: {
    issuer: string; // audience of our client assertions
    jwksUri: string; // PayNet's key set; a DC's is beside it, under its dc_id
    tokenEndpoint: string;
    rs: string; // base URL of Update Consent
    callbacks: string[]; // the redirect_uris that we lead customers back to
    ca: string; // PEM
    clientCertificates: Set<string>; // thumbprints of what PayNet presents when it calls us
  };
  dpId: string;
  clientId: string;
  clientAuth: 'private_key_jwt' | 'tls_client_auth';
  issuer: string; // our pages, and `iss` of our id_tokens
  host: string;
  port: number;
  webhooksPort: number;
  server: KeyPair; // TLS, towards browsers and PayNet
  client: KeyPair; // TLS, when we call PayNet
  signing: { kid: string; key: KeyObject };
  stateFile: string | undefined;
  adminPort: number | undefined;
}

export interface KeyPair {
  cert: string;
  key: string;
}

/** Reads the environment; answers either the settings or one line for each thing that is wrong. */
export function readConfig(env: NodeJS.ProcessEnv): { config: Config } | { problems: string[] } {
  const problems: string[] = [];

  function attempt<T>(name: string, fallback: T, read: (value: string) => T): T {
    const value = env[name];
    if (!value) {
      problems.push(`${name} is missing`);
      return fallback;
    }
    try {
      return read(value);
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return fallback;
    }
  }

  const text = (name: string) => attempt(name, '', (value) => value);
  const file = (name: string) => attempt(name, '', (path) => readFileSync(path, 'utf8'));
  const url = (name: string) => attempt(name, '', (value) => httpsUrl(value).replace(/\/$/, ''));
  const port = (name: string) =>
    attempt(name, 0, (value) => {
      if (!/^\d{1,5}$/.test(value) || Number(value) > 65535) throw new Error(`${value} is not a port`);
      return Number(value);
    });
  const keyPair = (name: string): KeyPair => {
    const pair = { cert: file(`${name}_CERTIFICATE`), key: file(`${name}_KEY`) };
    if (pair.cert && pair.key) {
      attempt(`${name}_KEY`, undefined, () => {
        if (!new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))) {
          throw new Error(`is not the key of ${name}_CERTIFICATE`);
        }
      });
    }
    return pair;
  };

  const signing = keyPair('DP_SIGNING');
  const auth = env['DP_CLIENT_AUTH'] || 'private_key_jwt';
  if (auth !== 'private_key_jwt' && auth !== 'tls_client_auth') {
    problems.push(`DP_CLIENT_AUTH: ${auth} is neither private_key_jwt nor tls_client_auth`);
  }

  const settings = {
    paynet: {
      issuer: text('PAYNET_ISSUER'),
      jwksUri: url('PAYNET_JWKS_URI'),
      tokenEndpoint: url('PAYNET_TOKEN_ENDPOINT'),
      rs: url('PAYNET_RS'),
      callbacks: attempt('PAYNET_CALLBACK', [], (list) => list.split(',').map(httpsUrl)),
      ca: file('PAYNET_CA'),
      clientCertificates: attempt('PAYNET_CLIENT_CERTIFICATE', new Set<string>(), pinned),
    },
    dpId: text('DP_ID'),
    clientId: text('DP_CLIENT_ID'),
    clientAuth: auth as Config['clientAuth'],
    issuer: url('DP_ISSUER'),
    host: env['DP_HOST'] || '127.0.0.1',
    port: port('DP_PORT'),
    webhooksPort: port('DP_WEBHOOKS_PORT'),
    server: keyPair('DP_SERVER'),
    client: keyPair('DP_CLIENT'),
    stateFile: env['DP_STATE'] || undefined,
    adminPort: env['DP_ADMIN_PORT'] ? port('DP_ADMIN_PORT') : undefined,
  };
  if (problems.length > 0) return { problems };
  // PayNet knows our signing key by the thumbprint of its certificate.
  const kid = thumbprint(new X509Certificate(signing.cert).raw);
  return { config: { ...settings, signing: { kid, key: createPrivateKey(signing.key) } } };
}

function httpsUrl(value: string): string {
  if (!URL.canParse(value) || new URL(value).protocol !== 'https:') throw new Error(`${value} is not an https URL`);
  return value;
}

/** One PEM file or several (`a.pem,b.pem`), each with one certificate or more: PayNet's next one stands beside the present one. */
function pinned(paths: string): Set<string> {
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
  const found = paths.split(',').flatMap((path) => readFileSync(path.trim(), 'utf8').match(certificate) ?? []);
  if (found.length === 0) throw new Error('there is no certificate in it');
  return new Set(found.map((pem) => thumbprint(new X509Certificate(pem).raw)));
}

// HTTP in both directions: requests and answers as plain values, refusals as errors, calls with a deadline.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest, type Agent } from 'node:https';

export interface Request {
  method: string;
  path: string; // as it came: neither decoded nor tidied up
  query: URLSearchParams;
  headers: IncomingHttpHeaders; // Node has put the names into lower case
  body: Buffer;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

export interface Route {
  method: 'GET' | 'POST';
  path: RegExp; // groups become parameters of `handle`
  handle(request: Request, ...groups: string[]): Promise<Answer> | Answer;
}

/** What a caller did wrong: a status, one of PayNet's codes, and a sentence without secrets. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

export const invalidRequest = (message: string) => new Refusal(400, 'invalid_request', message);

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  const type = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { status, headers: { ...type, ...headers }, body: JSON.stringify(value) };
}

/** A parameter of the query that may be there once at most. */
export function single(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw invalidRequest(`parameter ${name} appears more than once`);
  return values[0];
}

export function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

export function route(routes: Route[], request: Request): Promise<Answer> | Answer {
  const here = routes.flatMap((route) => {
    const match = route.path.exec(request.path);
    return match ? [{ route, groups: match.slice(1) }] : [];
  });
  if (here.length === 0) throw new Refusal(404, 'invalid_request', 'there is nothing here');
  const found = here.find(({ route }) => route.method === request.method);
  if (!found) {
    const allow = here.map(({ route }) => route.method).join(', ');
    throw new Refusal(405, 'invalid_request', `the method here is ${allow}`, { allow });
  }
  return found.route.handle(request, ...found.groups);
}

const MAX_BODY = 64 * 1024;

export async function readRequest(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    // What is too long is read to its end and thrown away; the server's requestTimeout ends that.
    if (size <= MAX_BODY) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > MAX_BODY) throw new Refusal(413, 'invalid_request', `a body has at most ${MAX_BODY} bytes`);
  const [path = '/', ...query] = (incoming.url ?? '/').split('?');
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query.join('?')),
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  };
}

export interface Call {
  method: string;
  url: string;
  agent: Agent;
  headers?: Record<string, string>;
  body?: string;
}

/** Calls PayNet. Rejects when there is no whole answer within four seconds, or one of more than a megabyte. */
export function call({ method, url, agent, headers = {}, body }: Call): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(4_000);
    const request = httpsRequest(url, { method, agent, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > 1024 * 1024) request.destroy(new Error('the answer is too long'));
        chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

// The two listeners: webhooks for PayNet, pages for customers.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { startAdmin } from './admin.js';
import type { Config } from './config.js';
import { Decisions } from './decision.js';
import { createDp } from './dp.js';
import { Refusal, json, readRequest, route, type Answer, type Route } from './http.js';
import { dashboardRoutes } from './pages/dashboard.js';
import { stylesheet, trouble } from './pages/html.js';
import { journeyRoutes } from './pages/journey.js';
import { Links } from './pages/links.js';
import { isPaynet, publicListener, webhookListener } from './tls.js';
import { webhookRoutes } from './webhooks/index.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LIMITS = { headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 60_000, maxHeaderSize: 16 * 1024 };

export async function start(config: Config): Promise<void> {
  const dp = createDp(config);
  const links = new Links(config.issuer);
  const decisions = new Decisions(dp);
  const webhooks = webhookRoutes(dp, links);
  const pages: Route[] = [
    { method: 'GET', path: /^\/style\.css$/, handle: stylesheet },
    ...journeyRoutes(dp, links, decisions),
    ...dashboardRoutes(dp, decisions),
  ];

  const onWebhook = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // The id goes into logs and headers on both sides, so it is a UUID or it is ours.
    const given = incoming.headers['x-fapi-interaction-id'];
    const id = typeof given === 'string' && UUID.test(given) ? given : randomUUID();
    const socket = incoming.socket as TLSSocket;
    const allowed = isPaynet(socket, config) ? webhooks : undefined;
    return serve(incoming, outgoing, allowed, refusedWebhook, { 'x-fapi-interaction-id': id });
  };
  const onPage = (incoming: IncomingMessage, outgoing: ServerResponse) => serve(incoming, outgoing, pages, refusedPage, {});

  await listen(webhookListener(config), onWebhook, config.webhooksPort, config.host, 'webhooks');
  await listen(publicListener(config), onPage, config.port, config.host, 'pages');
  if (config.adminPort !== undefined) startAdmin(dp, decisions, config.adminPort);
}

const refusedWebhook = ({ status, code, message, headers }: Refusal) => json(status, { error: code, error_description: message }, headers);
const refusedPage = ({ status, message, headers }: Refusal) => trouble(status, 'This did not work', message, headers);

/** Answers one request, whatever happens. Only a Refusal says why; the rest is for the log. */
async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  routes: Route[] | undefined,
  refused: (refusal: Refusal) => Answer,
  always: Record<string, string>,
): Promise<void> {
  let answer: Answer;
  try {
    const request = await readRequest(incoming);
    if (!routes) throw new Refusal(403, 'access_denied', "the client certificate is not PayNet's");
    answer = await route(routes, request);
  } catch (error) {
    if (!(error instanceof Refusal)) {
      if (incoming.destroyed && !incoming.complete) return; // the caller has gone
      console.error(`${incoming.method} ${incoming.url?.split('?')[0]}:`, error);
    }
    answer = refused(error instanceof Refusal ? error : new Refusal(500, 'server_error', 'Something went wrong here.'));
  }
  const { status, headers = {}, body = '' } = answer;
  outgoing.writeHead(status, { ...always, ...headers, 'content-length': Buffer.byteLength(body) });
  outgoing.end(incoming.method === 'HEAD' ? undefined : body);
}

function listen(
  options: ServerOptions,
  handle: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>,
  port: number,
  host: string,
  what: string,
): Promise<Server> {
  const server = createServer({ ...options, ...LIMITS }, (incoming, outgoing) => {
    handle(incoming, outgoing).catch((error: unknown) => {
      console.error(error);
      outgoing.destroy();
    });
  });
  server.maxConnections = 1_000;
  server.on('clientError', (_, socket) => {
    const body = '{"error":"invalid_request"}';
    const head = 'HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n';
    if (socket.writable) socket.end(`${head}content-length: ${body.length}\r\n\r\n${body}`);
    else socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      console.log(`${what}: https://${host}:${(server.address() as AddressInfo).port}`);
      resolve(server);
    });
  });
}

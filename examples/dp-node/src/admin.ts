// For tests alone, with DP_ADMIN_PORT: what a bank's staff and a bank's bad days do. It asks nobody who they are.

import { createServer } from 'node:http';
import { core, setAccountStatus } from './bank.js';
import type { Decisions } from './decision.js';
import type { Dp } from './dp.js';

export function startAdmin(dp: Dp, decisions: Decisions, port: number): void {
  const act = async (action: string | undefined, id = '', status = ''): Promise<void> => {
    if (action === 'flush_jwks') return dp.paynet.keys.forget();
    if (action === 'core_down' || action === 'core_up') return void (core.up = action === 'core_up');
    if (action === 'revoke' && (await decisions.withdraw(id, 'data_provider'))) return;
    if (action === 'set_account' && (status === 'active' || status === 'blocked' || status === 'closed')) return setAccountStatus(id, status);
    throw new Error('this cannot be done');
  };
  const server = createServer((request, response) => {
    const [, ...words] = (request.url ?? '').split('/');
    const done = request.method === 'POST' ? act(...(words as [string])) : Promise.reject(new Error('POST /action/id/status'));
    done.then(
      () => response.writeHead(204).end(),
      (error: unknown) => response.writeHead(400).end(`${String(error)}\n`),
    );
  });
  server.listen(port, '127.0.0.1', () => console.log(`admin: http://127.0.0.1:${port}`));
}

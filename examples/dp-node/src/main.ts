import { readConfig } from './config.js';
import { start } from './server.js';

const read = readConfig(process.env);
if ('problems' in read) {
  for (const problem of read.problems) console.error(problem);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));
await start(read.config).catch((error: unknown) => {
  console.error(String(error));
  process.exit(1);
});

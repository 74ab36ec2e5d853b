// What an editor gets to know of a scenario: completions, hover texts and underlined mistakes, from a real YAML language server
// over its own protocol.
//
// node ask.mjs SCHEMA.json
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";

const schema = pathToFileURL(process.argv[2]).href;
const server = spawn(process.execPath, ["node_modules/yaml-language-server/bin/yaml-language-server", "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
let rest = Buffer.alloc(0), next = 1;
const answers = new Map(), underlined = new Map();

const send = (message) => {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};
const ask = (method, params) => new Promise((done) => {
  answers.set(next, done);
  send({ id: next++, method, params });
});
const heard = (message) => {
  if (message.method === "workspace/configuration") {
    const settings = { yaml: { schemas: {}, completion: true, hover: true, validate: true, schemaStore: { enable: false } } };
    send({ id: message.id, result: message.params.items.map(({ section }) => settings[section] ?? {}) });
  } else if (message.method === "textDocument/publishDiagnostics") {
    underlined.get(message.params.uri)?.(message.params.diagnostics);
  } else if (message.method && message.id !== undefined) {
    send({ id: message.id, result: null });
  } else {
    answers.get(message.id)?.(message.result);
  }
};
server.stdout.on("data", (data) => {
  rest = Buffer.concat([rest, data]);
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    const length = /Content-Length: (\d+)/.exec(rest.subarray(0, Math.max(end, 0)).toString());
    if (end < 0 || !length || rest.length < end + 4 + Number(length[1])) return;
    const body = rest.subarray(end + 4, end + 4 + Number(length[1]));
    rest = rest.subarray(end + 4 + Number(length[1]));
    heard(JSON.parse(body.toString()));
  }
});

await ask("initialize", { processId: process.pid, rootUri: null, capabilities: { textDocument: { completion: { completionItem: { documentationFormat: ["markdown"] } }, hover: { contentFormat: ["markdown"] } }, workspace: { configuration: true } } });
send({ method: "initialized", params: {} });

let documents = 0;
/// Opens a text, in which `|` says where the cursor is, and waits until it has been looked through.
const open = async (text) => {
  const whole = `# yaml-language-server: $schema=${schema}\n${text}`;
  const before = whole.split("|")[0];
  const uri = `file:///tmp/scenario-${documents++}.yaml`;
  const looked = new Promise((done) => underlined.set(uri, done));
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text: whole.replace("|", "") } } });
  const diagnostics = await looked;
  const lines = before.split("\n");
  return { at: { textDocument: { uri }, position: { line: lines.length - 1, character: lines.at(-1).length } }, diagnostics };
};
const labels = (completion) => (completion.items ?? completion).map((item) => item.label);
const HEAD = "scenario: a\ntitle: A\nsteps:\n";

// a good one has nothing underlined
const good = await open(`${HEAD}  - dc.request_consent:\n  - customer.log_in: { username: "{{ who }}" }\n    expect: { screen: login }\n`);
assert.deepEqual(good.diagnostics, []);

// verbs, keys and values are offered
let place = await open(`${HEAD}  - dc.re|\n`);
let offered = labels(await ask("textDocument/completion", place.at));
for (const verb of ["dc.request_consent", "dc.read_balance", "customer.approve", "paynet.send_event"]) assert(offered.includes(verb), `${verb} in ${offered}`);
place = await open(`${HEAD}  - dc.read_balance:\n    expect:\n      |\n`);
offered = labels(await ask("textDocument/completion", place.at));
for (const key of ["status", "json", "jwt", "redirect", "refused"]) assert(offered.includes(key), `${key} in ${offered}`);
place = await open(`${HEAD}  - dc.request_consent:\n  - paynet.send_event:\n    mutate: |\n`);
offered = labels(await ask("textDocument/completion", place.at));
assert(offered.includes("alg-none"), `alg-none in ${offered}`);

// what a verb and a key mean is said
const hover = async (text) => JSON.stringify((await ask("textDocument/hover", (await open(text)).at)).contents);
assert.match(await hover(`${HEAD}  - dc.read_bal|ance:\n`), /reads an account's balances/);
assert.match(await hover(`${HEAD}  - dc.read_balance: { tim|es: 3 }\n`), /How often/);
assert.match(await hover(`${HEAD}  - dc.read_balance:\n    exp|ect: { status: 200 }\n`), /expected of the step/);
assert.match(await hover("scen|ario: a\ntitle: A\nsteps: [dc.request_consent: ]\n"), /name/);

// mistakes are underlined
for (const text of [`${HEAD}  - dc.request_concent:\n`, "scenario: a\ntitel: A\nsteps: [dc.request_consent: ]\n", `${HEAD}  - dc.read_balance: { times: many }\n`]) {
  const { diagnostics } = await open(text);
  assert(diagnostics.length > 0, text);
}
server.kill();
console.log(`${documents} texts`);

// A model with an API like OpenAI's: Ollama, llama.cpp, vLLM, LM Studio. Its answer grows in the chat. Add it with:
//   lark-bridge agents add local --stream --exec "node $PWD/examples/local-model.mjs http://127.0.0.1:11434/v1 qwen3"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

const [address, model] = process.argv.slice(2);
// For a model behind a key: `agents add … --env MODEL_API_KEY`.
const { MODEL_API_KEY: key, XDG_STATE_HOME: state = join(homedir(), '.local/state') } = process.env;
const MESSAGES_MAX = 40;

/** The first line is the turn. */
async function readTurn() {
  for await (const line of createInterface({ input: process.stdin })) return JSON.parse(line);
  throw new Error('no turn came');
}

/** The pieces of the answer, as the model writes them. */
async function* ask(messages) {
  const response = await fetch(`${address}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model, messages, stream: true }),
  });
  if (!response.ok) throw new Error(`${address} says ${response.status}: ${await response.text()}`);
  for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
    if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
    yield JSON.parse(line.slice('data: '.length)).choices[0]?.delta.content ?? '';
  }
}

const { text, session } = await readTurn();
// One conversation for each chat and each thread; `/new` begins another one. `agents test` has none.
const folder = join(state, 'lark-local-model');
const file = session && join(folder, `${session.id}.json`);
const before = file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
const messages = [...before, { role: 'user', content: text }].slice(-MESSAGES_MAX);
let answer = '';
for await (const piece of ask(messages)) {
  answer += piece;
  process.stdout.write(`${JSON.stringify({ type: 'text', text: piece })}\n`);
}
if (file) {
  mkdirSync(folder, { recursive: true });
  const all = [...messages, { role: 'assistant', content: answer }];
  writeFileSync(`${file}.new`, JSON.stringify(all));
  renameSync(`${file}.new`, file);
}
process.stdin.destroy();

/** The limit of everything that gives prompts to an agent: the official SDK as its client, and nothing else. */
import { spawn } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import { client, ndJsonStream } from '@agentclientprotocol/sdk';

const [program, ...words] = JSON.parse(process.env.AGENT);
const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'] });
const said = new Map();
const stream = ndJsonStream(Writable.toWeb(child.stdin), Readable.toWeb(child.stdout));
const { agent } = client({ name: 'bench' })
  .onNotification('session/update', ({ params: { sessionId, update } }) => {
    if (update.sessionUpdate !== 'agent_message_chunk') return;
    said.set(sessionId, (said.get(sessionId) ?? '') + update.content.text);
  })
  .connect(stream);
const place = { cwd: process.cwd(), mcpServers: [] };
let asked = 0;

/** One prompt after another in a session of its own; each is answered with its own words. */
async function ask(sessionId, until) {
  while (until()) {
    asked += 1;
    const text = `question ${asked}`;
    said.delete(sessionId);
    await agent.request('session/prompt', { sessionId, prompt: [{ type: 'text', text }] });
    if (said.get(sessionId) !== text) throw new Error('an answer was wrong');
  }
}

process.on('message', async ({ prompts, outstanding }) => {
  await agent.request('initialize', { protocolVersion: 1, clientCapabilities: {} });
  const opened = Array.from({ length: outstanding }, () => agent.request('session/new', place));
  const sessions = await Promise.all(opened);
  const all = (until) => Promise.all(sessions.map(({ sessionId }) => ask(sessionId, until)));
  const warmUpMax = asked + prompts;
  await all(() => asked < warmUpMax);
  const before = { asked, cpu: process.cpuUsage(), at: performance.now() };
  const askedMax = asked + prompts;
  await all(() => asked < askedMax);
  const { user, system } = process.cpuUsage(before.cpu);
  const count = asked - before.asked;
  const perSecond = (count * 1000) / (performance.now() - before.at);
  process.send({ perSecond, cpuUs: (user + system) / count });
  child.stdin.end();
});

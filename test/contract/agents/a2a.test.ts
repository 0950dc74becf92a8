import { afterAll } from 'vitest';
import { A2aRuntime } from '../../../src/agents/a2a/runtime.ts';
import { fasterClock } from '../../kit/clock.ts';
import { a2aOptions } from '../../unit/agents/a2a/a2a-options.ts';
import { serveAgent, type Talk } from './a2a-agents.ts';
import { agentContract } from './agent-contract.ts';

/** Answers with the text of its message, piece by piece. */
function echo(talk: Talk): void {
  talk.open().status('TASK_STATE_WORKING', { text: 'Reading it' });
  const half = Math.floor(talk.heard.length / 2);
  talk.artifact('answer', [{ text: talk.heard.slice(0, half) }]);
  talk.artifact('answer', [{ text: talk.heard.slice(half) }], true);
  talk.status('TASK_STATE_COMPLETED');
}

/** Ends only when it is told to. */
async function work(talk: Talk, stop: AbortSignal): Promise<void> {
  talk.open().status('TASK_STATE_WORKING');
  await new Promise((resolve) => stop.addEventListener('abort', resolve));
}

const OPTIONS = [
  { id: 'yes', label: 'Yes' },
  { id: 'no', label: 'No' },
];

function ask(talk: Talk): void {
  talk.open();
  if (!talk.isAnswer) {
    talk.status('TASK_STATE_INPUT_REQUIRED', { text: 'May I?' }, { data: { options: OPTIONS } });
    return;
  }
  const { data } = talk.parts[1] as { data: { option?: string } };
  talk.artifact('answer', [{ text: data.option ?? 'cancelled' }]).status('TASK_STATE_COMPLETED');
}

const FORMS = [
  { name: 'A2A 1.0', version: '1.0', streams: true },
  { name: 'A2A 1.0 without streams', version: '1.0', streams: false },
  { name: 'A2A 0.3', version: '0.3', streams: true },
  { name: 'A2A 0.3 without streams', version: '0.3', streams: false },
] as const;

for (const { name, ...form } of FORMS) {
  const [echoing, slow, asking] = [
    await serveAgent(echo, form),
    await serveAgent(work, form),
    await serveAgent(ask, form),
  ];
  afterAll(async () => {
    for (const agent of [echoing, slow, asking]) await agent.close();
  });
  const runtime = (url: string) => new A2aRuntime(a2aOptions(url, { clock: fasterClock(5) }));
  agentContract(name, {
    create: () => runtime(echoing.url),
    createSlow: () => runtime(slow.url),
    createAsking: () => runtime(asking.url),
  });
}

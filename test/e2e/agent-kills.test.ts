/**
 * Goal: whatever an agent with a memory does when the bridge is killed, nothing of it lives on, nothing is said or done
 * twice, every question ends, and the chat is asked what becomes of its turn. Method: the built program, an agent
 * that is a process of its own, and chats that are each in another phase of a turn at one and the same SIGKILL.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ShownMessage } from '../../src/sim/control/shown-message.ts';
import type { SimChat, SimMessage, SimUser } from '../../src/sim/world/model.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { TEST_MS, WAIT_MS } from '../kit/bounds.ts';
import { type FakeAcpAgent, fakeAcpAgent } from '../kit/fake-acp-agent.ts';
import { isProcessAlive, processesIn } from '../kit/processes.ts';
import { addAcpAgent } from './acp-agents.ts';
import { Rig } from './rig.ts';

const INTERRUPTED = 'was interrupted in the middle of this';

/** A chat, and the turn that is open in it when the bridge dies. */
interface Place {
  readonly chat: SimChat;
  readonly user: SimUser;
  readonly asked: SimMessage;
}

let rig: Rig;
let agent: FakeAcpAgent;
let promptsBefore: number;
/** All that the agents had at work. */
let programs: readonly number[];
const places = new Map<string, Place>();

const at = (phase: string): Place => {
  const place = places.get(phase);
  if (place === undefined) throw new Error(`nobody is there: ${phase}`);
  return place;
};
const shown = (phase: string): ShownMessage[] => rig.replies(at(phase).chat);
const countOf = (phase: string, text: string) =>
  shown(phase).filter((one) => one.text.includes(text)).length;
const shows = (phase: string, text: string) => rig.cloud.waitFor(() => countOf(phase, text) > 0);
const asks = (phase: string) =>
  shown(phase).filter(({ card }) => card?.buttons.some(({ label }) => /^\d?\.? ?Yes/.test(label)));

function prompts(): { readonly session: unknown; readonly text: string }[] {
  return agent.received().flatMap(({ method, params }) => {
    if (method !== 'session/prompt') return [];
    const blocks = params?.['prompt'] as readonly { readonly text?: string }[];
    return [
      { session: params?.['sessionId'], text: blocks.map(({ text }) => text ?? '').join('') },
    ];
  });
}

function say(phase: string, text: string): SimMessage {
  const { chat, user } = at(phase);
  return rig.cloud.say({ chat, from: user, text });
}

/** Somebody says this, and Lark shows nothing under it if `unseen`: no such call arrives. */
function begin(phase: string, text: string, { unseen = false } = {}): void {
  const { chat, user } = rig.direct(phase);
  const asked = rig.cloud.say({ chat, from: user, text });
  places.set(phase, { chat, user, asked });
  if (!unseen) return;
  rig.cloud.faults.inject({ kind: 'request_lost', path: asked.messageId, times: 1_000 });
}

async function press(phase: string, label: RegExp): Promise<void> {
  const card = await rig.cloud.waitFor(() =>
    shown(phase).find((one) => one.card?.buttons.some((button) => label.test(button.label))),
  );
  const index = card.card?.buttons.findIndex((button) => label.test(button.label)) ?? 0;
  await rig.cloud.pressOnCard(card.messageId, at(phase).user, { index });
}

function stored(sql: string): number {
  const db = Db.openExisting(join(rig.stateDir, 'bridge.db'));
  const count = db?.all(sql)[0]?.['count'];
  db?.close();
  return Number(count);
}

const until = (look: () => void) => vi.waitFor(look, { timeout: WAIT_MS });

const OPEN_QUESTIONS = `SELECT count(*) AS count FROM questions WHERE phase = 'open'`;

beforeAll(async () => {
  rig = await Rig.open();
  agent = fakeAcpAgent(rig.home);
  await addAcpAgent(rig, 'hangs', fakeAcpAgent(rig.home, 'newhangs=once'));
  // The newest one answers where nobody chose another.
  await addAcpAgent(rig, 'coder', agent);
  const bridge = await rig.run();

  const { chat, user } = rig.direct('unsent');
  places.set('unsent', {
    chat,
    user,
    asked: rig.cloud.say({ chat, from: user, text: '/agent hangs' }),
  });
  await shows('unsent', 'hangs');
  say('unsent', 'say too early');
  begin('sent', 'say remember seven');
  await shows('sent', 'remember seven');
  say('sent', 'child away\nhang');
  begin('unseen', 'perm once ls unseen', { unseen: true });
  begin('seen', 'perm once ls seen');
  begin('working', 'perm once make\nlong 600000');
  begin('answered', 'perm once touch');
  begin('finished', 'say finished nine', { unseen: true });
  await press('working', /Yes/);
  await rig.cloud.waitFor(() => asks('seen').length + asks('answered').length === 2);
  say('sent', 'say and behind');
  await until(() => expect(stored(OPEN_QUESTIONS)).toBe(3));
  await until(() => expect(prompts()).toHaveLength(7));
  programs = processesIn(rig.home);
  // Who is stopped reads nothing: the answer is given, and the agent has not got it.
  for (const pid of programs) process.kill(pid, 'SIGSTOP');
  await press('answered', /Yes/);
  await shows('answered', 'Answer: Yes');
  promptsBefore = prompts().length;

  await bridge.stop('SIGKILL');
  rig.cloud.faults.calm();
  await rig.run();
}, TEST_MS);

afterAll(async () => {
  expect(rig.bugs()).toEqual([]);
  await rig.close();
});

describe('SIGKILL of the bridge', () => {
  test('R1, R2: leaves nothing of an agent to the next process, not even what left its group', () => {
    expect(programs.length).toBeGreaterThan(2);
    expect(programs.filter(isProcessAlive)).toEqual([]);
  });

  test.each([
    ['before the prompt was sent', 'unsent'],
    ['when the prompt was sent', 'sent'],
    ['when a question was stored and not shown', 'unseen'],
    ['when a question was shown', 'seen'],
    ['when the answer was given and not heard', 'answered'],
    ['when a tool was at work that a person had allowed', 'working'],
  ])('R24, R25: %s, the chat is asked once about its turn', async (_when, phase) => {
    await shows(phase, INTERRUPTED);
    expect(countOf(phase, INTERRUPTED)).toBe(1);
    expect(asks(phase)).toEqual([]);
  });

  test('R13: ends every question, and its card says how', async () => {
    for (const phase of ['seen', 'unseen']) {
      await shows(phase, 'This question is over, because the agent was interrupted.');
    }
    for (const phase of ['answered', 'working']) expect(countOf(phase, 'Answer: Yes')).toBe(1);
    expect(stored(OPEN_QUESTIONS)).toBe(0);
  });

  test('an answer that was given and not shown is shown once', async () => {
    await shows('finished', 'finished nine');
    expect(countOf('finished', 'finished nine')).toBe(1);
    expect(countOf('finished', INTERRUPTED)).toBe(0);
  });

  test('R24: sends nothing again by itself; what waited behind the turn goes on in its memory', async () => {
    await shows('sent', 'and behind');
    const [remembered] = prompts();
    expect(prompts().slice(promptsBefore)).toEqual([
      { session: remembered?.session, text: expect.stringContaining('say and behind') },
    ]);
  });

  test('R23, R24: what is run again asks again, and goes on in its memory', async () => {
    const before = prompts().find(({ text }) => text.includes('ls seen'));
    await press('seen', /Run again/);
    await rig.cloud.waitFor(() => asks('seen').length === 1);
    await press('seen', /Yes/);
    await shows('seen', 'allow-once');
    expect(prompts().at(-1)).toEqual(before);
    expect(countOf('seen', 'allow-once')).toBe(1);
    expect(stored(OPEN_QUESTIONS)).toBe(0);
  });
});

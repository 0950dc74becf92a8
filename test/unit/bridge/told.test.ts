/** What runtimes say about turns and agents: in the chat, and to the owner. The whole bridge on a virtual clock. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { directChatOf, openId } from '../../../src/core/ids.ts';
import type { RuntimeNotice } from '../../../src/core/turn-update.ts';
import { ownerNotices } from '../../../src/bridge/texts/owner-notices.ts';
import { toldShow } from '../../../src/bridge/texts/told.ts';
import { QuestionRig } from './question-rig.ts';

let rig: QuestionRig;

beforeEach(async () => {
  rig = new QuestionRig();
  rig.owner = 'ou_boss';
  await rig.start();
  await rig.say('om_a', 'deploy');
});

afterEach(() => rig.close());

const OWNERS_CHAT = directChatOf(openId('ou_boss'));
const toOwner = () => rig.shown.filter(({ chat }) => chat === OWNERS_CHAT);
const inChat = () => rig.shown.filter(({ chat }) => chat === 'oc_1');
const told = (what: RuntimeNotice) => {
  rig.tell({ kind: 'told', what });
  return rig.pass();
};

describe('what a runtime says about a turn', () => {
  test.each<Exclude<RuntimeNotice['kind'], 'silent'>>([
    'waits_for_program',
    'memory_lost',
    'tries_again',
    'program_ended',
  ])('is shown under its message, once: %s', async (kind) => {
    await told({ kind });
    await told({ kind });
    expect(rig.shown).toHaveLength(1);
    expect(rig.shown[0]?.under).toBe('om_a');
  });

  test('survives a process that dies before it is shown', async () => {
    rig.refuses = () => ({ ok: false, action: 'retry', code: undefined, detail: 'away' });
    await told({ kind: 'memory_lost' });
    await rig.restart();
    rig.refuses = () => undefined;
    await rig.pass(60_000);
    expect(rig.texts().filter((text) => text.includes('memory of this chat'))).toHaveLength(1);
  });

  test('R22: silence has a button that stops the turn, for the person whose turn it is', async () => {
    await told({ kind: 'silent', silentMs: 180_000 });
    const [card] = rig.shown;
    expect(card?.content.text).toContain('nothing of the agent for 3 minutes');
    expect(await rig.press(card, 0, { by: 'ou_bob' })).toMatchObject({ kind: 'warning' });
    expect(await rig.press(card, 0)).toMatchObject({ kind: 'success' });
    expect(await rig.phaseOf('om_a')).toBe('dropped');
  });

  test('after a press on an old button of silence the next turn goes on', async () => {
    await told({ kind: 'silent', silentMs: 180_000 });
    await rig.answerTurn('done');
    await rig.say('om_b', 'more');
    expect(await rig.press(rig.shown[0], 0)).toMatchObject({ kind: 'info' });
    expect(await rig.phaseOf('om_b')).toBe('accepted');
  });

  test('R2: what still runs after a stop is told although the turn is over', async () => {
    await rig.say('om_b', '/stop');
    expect(await rig.phaseOf('om_a')).toBe('dropped');
    const session = (await rig.turn('om_a'))?.details?.session?.id ?? '';
    void rig.bridge.told(session, toldShow({ kind: 'still_running' }));
    await rig.pass();
    expect(rig.texts().at(-1)).toContain('something that it started still runs');
    expect(rig.shown.at(-1)?.under).toBe('om_a');
  });

  test('of a recalled message is not shown', async () => {
    const session = (await rig.turn('om_a'))?.details?.session?.id ?? '';
    await rig.recall('om_a');
    void rig.bridge.told(session, toldShow({ kind: 'still_running' }));
    await rig.pass();
    expect(rig.texts().some((text) => text.includes('still runs'))).toBe(false);
  });
});

describe('R27: an answer that may be incomplete', () => {
  test('is shown, with a warning under it', async () => {
    await rig.endTurn({ kind: 'answered', text: 'half', warning: 'The agent ended early' });
    expect(rig.texts()).toEqual(['half', '⚠️ This may not be all: The agent ended early.']);
    expect(await rig.phaseOf('om_a')).toBe('answered');
  });
});

describe('R11: an agent that needs a login', () => {
  const login = { command: 'claude login' };
  const NEEDED = { kind: 'failed', detail: 'not logged in', agent: 'claude', login } as const;

  test('is told the owner with the command, and others in one line; nothing runs again', async () => {
    await rig.endTurn(NEEDED);
    expect(inChat().map(({ content }) => content.text)).toEqual([
      'The agent has to be logged in first. The owner of this bot can do that, on the machine where it runs. Send /retry to run it again.',
    ]);
    expect(toOwner().map(({ content }) => content.text)).toEqual([
      expect.stringContaining('\nclaude login\n'),
    ]);
    expect(await rig.phaseOf('om_a')).toBe('failed');
  });

  test('the owner is told once, until it has worked again; a restart does not matter', async () => {
    await rig.endTurn(NEEDED);
    await rig.restart();
    await rig.say('om_b', 'again');
    await rig.endTurn(NEEDED);
    expect(toOwner()).toHaveLength(1);
    await rig.say('om_c', 'again');
    await rig.answerTurn('done');
    await rig.say('om_d', 'again');
    await rig.endTurn(NEEDED);
    expect(toOwner()).toHaveLength(2);
  });

  test('the owner sees the command in the chat, and the button runs the message again', async () => {
    await rig.say('om_b', 'mine', { from: 'ou_boss', chat: 'oc_boss' });
    await rig.endTurn(NEEDED);
    expect(rig.texts()).toEqual([expect.stringContaining('\nclaude login\n')]);
    await rig.press(rig.shown[0], 0, { by: 'ou_boss' });
    expect(await rig.phaseOf('om_b')).toBe('accepted');
  });
});

describe('R33: what a program said last before it ended', () => {
  const ENDED = {
    kind: 'failed',
    detail: 'The program of the agent ended with exit code 1.',
    agent: 'claude',
    lastWords: 'EACCES: /srv/keys',
  } as const;

  test('the owner alone with the bot sees it', async () => {
    await rig.say('om_b', 'mine', { from: 'ou_boss', chat: 'oc_boss', chatType: 'p2p' });
    await rig.endTurn(ENDED);
    expect(rig.texts()).toEqual([expect.stringContaining('Its last words:\nEACCES: /srv/keys')]);
  });

  test('others do not, nor does a group', async () => {
    await rig.endTurn(ENDED);
    await rig.say('om_b', 'mine', { from: 'ou_boss', chat: 'oc_team', chatType: 'group' });
    await rig.endTurn(ENDED);
    expect(rig.texts()).toHaveLength(2);
    for (const text of rig.texts()) expect(text).not.toContain('EACCES');
  });
});

describe('what an agent says after its turn', () => {
  beforeEach(async () => {
    await rig.answerTurn('done');
  });
  const session = async () => (await rig.turn('om_a'))?.details?.session?.id ?? '';
  const late = async (...texts: string[]) => {
    const id = await session();
    for (const text of texts) rig.bridge.lateText(id, text);
  };

  test('R26, R31: is a further message under the last one of its session', async () => {
    await late('The build ', 'is green.', 'is green.');
    await rig.pass(2_000);
    expect(rig.texts()).toEqual(['done', 'The build is green.']);
    expect(rig.shown[1]?.under).toBe('om_a');
  });

  test('is not lost by a stop just after it, and belongs to no other turn', async () => {
    await rig.say('om_b', 'next', { chat: 'oc_2' });
    await late('The build is green.');
    await rig.restart();
    await rig.pass(2_000);
    expect(rig.shown.find(({ content }) => content.text.includes('green'))?.under).toBe('om_a');
  });

  test('of a session that nobody knows is logged', async () => {
    rig.bridge.lateText('unknown', 'x');
    await rig.pass(2_000);
    expect(rig.texts()).toEqual(['done']);
    expect(rig.log.lines).toContainEqual(
      expect.objectContaining({ event: 'late_text_without_place' }),
    );
  });
});

describe('what the owner has to know about an agent', () => {
  test('is a direct message in the language of the owner, once for each agent and kind', async () => {
    await rig.languages.store(openId('ou_boss'), 'zh');
    const tell = (agent: string) =>
      rig.bridge.tellOwner(agent, ownerNotices.mode_unknown(agent, 'default'));
    void tell('one');
    await rig.pass();
    void tell('one');
    await rig.pass();
    await rig.restart();
    void tell('one');
    void tell('two');
    await rig.pass();
    expect(toOwner().map(({ content }) => content.text.slice(0, 6))).toEqual([
      '关于 one',
      '关于 two',
    ]);
  });

  test('without an owner is logged with what to do, and told later', async () => {
    rig.owner = undefined;
    const other = new QuestionRig();
    await other.start();
    await other.bridge.tellOwner('one', ownerNotices.tools_ignored('one'));
    expect(other.log.lines).toContainEqual(
      expect.objectContaining({ event: 'owner_not_told', next: 'Run: lark-bridge connect' }),
    );
    await other.close();
  });
});

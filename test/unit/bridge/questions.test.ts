/** Questions of agents: the whole bridge with the real journal on a virtual clock. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openId, turnId } from '../../../src/core/ids.ts';
import { NO_OBSERVER } from '../../../src/bridge/ports/observer.ts';
import { message } from './samples.ts';
import { noteOf, QuestionRig } from './question-rig.ts';

const MINUTE_MS = 60_000;

let rig: QuestionRig;

beforeEach(async () => {
  rig = new QuestionRig();
  await rig.start();
  await rig.say('om_a', 'deploy');
});

afterEach(() => rig.close());

const chosen = (option: string, by = 'ou_ann') => ({ kind: 'chosen', option, by });
const CANCELLED = { kind: 'cancelled' };
const EXPIRED = { kind: 'expired' };

describe('a question', () => {
  test('is a card under the message that caused it, with the words that can be typed instead', async () => {
    await rig.ask('q');
    const [card] = rig.shown;
    expect(card).toMatchObject({ under: 'om_a', content: { kind: 'question', text: 'q?' } });
    expect(card?.values).toHaveLength(2);
    expect(noteOf(card)).toBe(
      'Press a button, or mention me with the answer or its number. I wait 10 minutes.',
    );
  });

  test('says that words need a mention only in a group', async () => {
    await rig.say('om_d', 'deploy', { chat: 'oc_d', chatType: 'p2p' });
    await rig.ask('q');
    expect(noteOf(rig.shown.at(-1))).toBe(
      'Press a button, or send the answer or its number. I wait 10 minutes.',
    );
  });

  test('that the agent repeats is shown once', async () => {
    await rig.ask('q');
    await rig.ask('q');
    expect(rig.shown).toHaveLength(1);
  });

  test('is in the language of whose turn it is, and so is its end', async () => {
    await rig.languages.store(openId('ou_mei'), 'zh');
    await rig.say('om_m', 'deploy', { from: 'ou_mei', chat: 'oc_m' });
    await rig.ask('q');
    const [card] = rig.shown;
    expect(noteOf(card)).toContain('请点击按钮');
    expect(await rig.press(card, 0, { by: 'ou_mei' })).toEqual({
      kind: 'success',
      text: '回答：Allow',
    });
    expect(noteOf(card)).toBe('回答：Allow');
  });

  test.each([
    ['takes no card', 'fall_back_to_text'],
    ['finds it too long for a card', 'split'],
  ] as const)(
    'is a text with numbers where Lark %s, and its end is a text too',
    async (_why, action) => {
      rig.refuses = (out) =>
        'content' in out && out.content.kind === 'question'
          ? { ok: false, action, code: 230099, detail: 'refused' }
          : undefined;
      await rig.ask('q');
      expect(rig.texts()).toEqual([
        'q?\n\n1. Allow\n2. Deny\n\nMention me with the answer or its number. I wait 10 minutes.',
      ]);
      await rig.say('om_b', '2');
      expect(rig.heard).toEqual([{ id: 'q', answer: chosen('no') }]);
      expect(rig.texts().at(-1)).toBe('Answer: Deny');
    },
  );

  test('that can not be shown at all is over at once, and the agent is told', async () => {
    rig.refuses = (out) =>
      out.kind === 'reply'
        ? { ok: false, action: 'chat_dead', code: 230002, detail: '' }
        : undefined;
    await rig.ask('q');
    expect(rig.heard).toEqual([{ id: 'q', answer: CANCELLED }]);
  });

  test('survives a Lark that is away, and is shown once', async () => {
    let isAway = true;
    rig.refuses = () =>
      isAway ? { ok: false, action: 'retry', code: undefined, detail: 'away' } : undefined;
    await rig.ask('q');
    await rig.pass(MINUTE_MS);
    isAway = false;
    await rig.pass(MINUTE_MS);
    expect(rig.shown).toHaveLength(1);
    await rig.press(rig.shown[0], 0);
    expect(rig.heard).toHaveLength(1);
  });
});

describe('a press', () => {
  beforeEach(() => rig.ask('q'));

  test('is taken with a toast, reaches the agent, and the card shows who decided what, without buttons', async () => {
    const [card] = rig.shown;
    expect(await rig.press(card, 1, { by: 'ou_bob' })).toEqual({
      kind: 'success',
      text: 'Answer: Deny',
    });
    expect(rig.heard).toEqual([{ id: 'q', answer: chosen('no', 'ou_bob') }]);
    expect(card?.content).toMatchObject({ options: [], note: 'Answer: Deny', by: 'ou_bob' });
    expect(rig.shown).toHaveLength(1);
  });

  test('that comes second is told the outcome, and does nothing', async () => {
    const [card] = rig.shown;
    await rig.press(card, 1);
    expect(await rig.press(card, 0, { by: 'ou_bob' })).toEqual({
      kind: 'info',
      text: 'This is answered already: Deny',
    });
    expect(rig.heard).toHaveLength(1);
  });

  test.each<[string, Parameters<QuestionRig['press']>[2]]>([
    ['in another chat', { chat: 'oc_2' }],
    ['on a copy of the card', { on: 'om_copy' }],
    [
      'without a signature',
      { value: { lark_bridge_choice: 'answer', question: 'x', option: '0' } },
    ],
  ])('%s gets a toast that says so, and does nothing', async (_where, as) => {
    const [card] = rig.shown;
    expect(await rig.press(card, 0, as)).toEqual({
      kind: 'error',
      text: 'This button does not belong here, so it does nothing.',
    });
    expect(rig.heard).toEqual([]);
    expect(rig.shown).toHaveLength(1);
    await rig.press(card, 0);
    expect(rig.heard).toHaveLength(1);
  });

  test('with another option than the signed one is forged', async () => {
    const [card] = rig.shown;
    const value = { ...card?.values[0], option: '1' };
    expect(await rig.press(card, 0, { value })).toMatchObject({ kind: 'error' });
    expect(rig.heard).toEqual([]);
  });

  test('after the time of the question gets a toast, and does nothing', async () => {
    const [card] = rig.shown;
    await rig.pass(11 * MINUTE_MS);
    expect(await rig.press(card, 0)).toEqual({ kind: 'warning', text: 'This question is over.' });
    expect(rig.heard).toEqual([{ id: 'q', answer: EXPIRED }]);
  });
});

describe('a question for the owner only', () => {
  test('is answered by the owner and by nobody else, by button and by word', async () => {
    rig.owner = 'ou_boss';
    await rig.ask('q', { only: 'owner' });
    const [card] = rig.shown;
    expect(noteOf(card)).toContain('Only the owner');
    expect(await rig.press(card, 0, { by: 'ou_ann' })).toEqual({
      kind: 'warning',
      text: 'Only the owner of this bot can answer this.',
    });
    await rig.say('om_b', 'allow', { from: 'ou_ann' });
    expect(await rig.phaseOf('om_b')).toBe('waiting');
    expect(rig.heard).toEqual([]);
    await rig.say('om_c', 'allow', { from: 'ou_boss' });
    expect(rig.heard).toEqual([{ id: 'q', answer: chosen('yes', 'ou_boss') }]);
  });

  test('is over at once if nobody knows the owner, and the card says so', async () => {
    await rig.ask('q', { only: 'owner' });
    expect(noteOf(rig.shown[0])).toContain('I do not know who that is');
    expect(rig.heard).toEqual([{ id: 'q', answer: CANCELLED }]);
  });
});

describe('typed instead', () => {
  test.each([
    ['the label', 'Deny'],
    ['the label in another case and width', ' ＤＥＮＹ\u200B'],
    ['the id', 'NO'],
    ['the number', '2'],
    ['the number in full width', '２'],
  ])('%s answers, starts no turn, and gets a sign', async (_what, words) => {
    await rig.ask('q');
    await rig.say('om_b', words);
    expect(rig.heard).toEqual([{ id: 'q', answer: chosen('no') }]);
    expect(await rig.phaseOf('om_b')).toBe('answered');
    expect(rig.signs).toContain('DONE om_b');
    expect(noteOf(rig.shown[0])).toBe('Answer: Deny');
  });

  test.each([
    ['more than the words', 'Deny, please', {}],
    ['another chat', 'Deny', { chat: 'oc_2' }],
    ['a thread of the chat', 'Deny', { thread: 'omt_1' }],
  ])('%s is a message like any other', async (_what, words, place) => {
    await rig.ask('q');
    await rig.say('om_b', words, place);
    expect(rig.heard).toEqual([]);
    expect(await rig.phaseOf('om_b')).not.toBe('answered');
  });

  test('without an open question the words are a message', async () => {
    await rig.say('om_b', 'Deny', { chat: 'oc_2' });
    expect(await rig.phaseOf('om_b')).toBe('accepted');
  });

  test('a command stays a command, whatever an option is called', async () => {
    await rig.ask('q', { options: [{ id: 'x', label: '/skip', style: 'default' }] });
    await rig.say('om_b', '/skip');
    expect(rig.heard).toEqual([]);
  });

  test('the newest open question is meant first, then the one before', async () => {
    await rig.ask('one');
    await rig.ask('two');
    await rig.say('om_b', '1');
    await rig.say('om_c', '1');
    expect(rig.heard.map(({ id }) => id)).toEqual(['two', 'one']);
  });

  test('the same message twice answers once', async () => {
    await rig.ask('one');
    await rig.ask('two');
    await rig.say('om_b', '1');
    await rig.say('om_b', '1');
    expect(rig.heard.map(({ id }) => id)).toEqual(['two']);
  });

  test('a word and a press at the same moment: one of them counts, and both are told', async () => {
    await rig.ask('q');
    const [card] = rig.shown;
    await Promise.all([rig.say('om_b', 'deny'), rig.press(card, 0, { by: 'ou_bob' })]);
    expect(rig.heard).toHaveLength(1);
    const isTold =
      rig.signs.includes('DONE om_b') || rig.texts().some((text) => text.includes('already'));
    expect(isTold).toBe(true);
  });
});

describe('the time of a turn', () => {
  test('stands still while a question is open, at the bridge and in the journal', async () => {
    const deadlineOf = async () => {
      const state = (await rig.journal.turn(turnId('om_a')))?.state;
      return state !== undefined && 'deadlineMs' in state ? state.deadlineMs : 0;
    };
    await rig.pass(8 * MINUTE_MS);
    const before = await deadlineOf();
    await rig.ask('one');
    await rig.pass(4 * MINUTE_MS);
    await rig.ask('two');
    await rig.pass(4 * MINUTE_MS);
    expect(await rig.phaseOf('om_a')).toBe('accepted');
    await rig.say('om_b', '1');
    await rig.pass(MINUTE_MS);
    await rig.say('om_c', '1');
    const askedForMs = (await deadlineOf()) - before;
    expect(Math.round(askedForMs / MINUTE_MS)).toBe(9);
    await rig.pass(MINUTE_MS);
    expect(await rig.phaseOf('om_a')).toBe('accepted');
    await rig.pass(2 * MINUTE_MS);
    expect(await rig.phaseOf('om_a')).toBe('overdue');
  });

  test('a question that nobody answers expires: the agent is told, and the card says so', async () => {
    await rig.ask('q');
    await rig.pass(9 * MINUTE_MS);
    expect(rig.heard).toEqual([]);
    await rig.pass(MINUTE_MS);
    expect(rig.heard).toEqual([{ id: 'q', answer: EXPIRED }]);
    expect(noteOf(rig.shown[0])).toBe('This question is over, because nobody answered in time.');
    expect(await rig.phaseOf('om_a')).toBe('accepted');
  });
});

describe('a question is over, and its card says why', () => {
  beforeEach(() => rig.ask('q'));
  const note = () => noteOf(rig.shown[0]);

  test('when the agent answers without waiting for it', async () => {
    await rig.answerTurn('done');
    expect(note()).toContain('the agent has finished');
    expect(await rig.press(rig.shown[0], 0)).toMatchObject({ kind: 'info' });
    expect(rig.heard).toEqual([]);
  });

  test('when the message is recalled: nothing of what was asked is shown again', async () => {
    const { appId, chatId } = message;
    const messageId = turnId('om_a') as string as typeof message.messageId;
    await rig.bridge.intake.admit({ kind: 'recalled', appId, chatId, messageId, eventId: 'r' });
    await rig.pass();
    expect(rig.shown[0]?.content).toMatchObject({ text: '', options: [] });
    expect(note()).toContain('recalled');
    expect(JSON.stringify(rig.questions.ofTurn(turnId('om_a')))).not.toContain('q?');
  });

  test('when the bridge starts again, and what runs again asks anew on a new card', async () => {
    await rig.restart();
    await rig.pass();
    expect(note()).toContain('the agent was interrupted');
    await rig.ask('q of the second run', { text: 'q?' });
    expect(rig.cards()).toHaveLength(2);
    expect(await rig.press(rig.shown[0], 0)).toMatchObject({ kind: 'info' });
    expect(rig.heard).toEqual([]);
    await rig.press(rig.cards()[1], 0);
    expect(rig.heard).toHaveLength(1);
  });

  test('when the agent does not take the answer any more', async () => {
    rig.takes = () => false;
    expect(await rig.press(rig.shown[0], 0)).toMatchObject({ kind: 'success' });
    expect(note()).toContain('the agent did not wait for it any more');
  });

  test('and a card that can not be changed is left', async () => {
    rig.refuses = (out) =>
      out.kind === 'update'
        ? { ok: false, action: 'give_up', code: 230031, detail: '' }
        : undefined;
    await rig.press(rig.shown[0], 0);
    await rig.pass(MINUTE_MS);
    expect(rig.heard).toHaveLength(1);
    expect(await rig.journal.deadLetters({ limit: 10 })).toEqual([]);
    expect(await rig.press(rig.shown[0], 1)).toMatchObject({ kind: 'info' });
  });
});

test('an answer that the agent has got is not taken back by a restart', async () => {
  await rig.ask('q');
  await rig.press(rig.shown[0], 0);
  await rig.restart();
  await rig.pass();
  expect(noteOf(rig.shown[0])).toBe('Answer: Allow');
});

test('an answer that the agent had not got when the process died is not left as if it counted', async () => {
  await rig.ask('q');
  const [question] = rig.questions.ofTurn(turnId('om_a'));
  const [option] = question?.options ?? [];
  if (question === undefined || option === undefined) throw new Error('nothing was asked');
  const atMs = rig.clock.nowMs();
  const state = { phase: 'answered', option, by: openId('ou_ann'), atMs } as const;
  await rig.db.write(() => rig.questions.update({ ...question, state }));
  await rig.restart();
  await rig.pass();
  expect(noteOf(rig.shown[0])).toContain('the agent was interrupted');
});

test('old questions are deleted', async () => {
  await rig.ask('q');
  await rig.answerTurn('done');
  const nowMs = rig.clock.nowMs() + 1;
  await rig.journal.prune({ endedBeforeMs: nowMs, deadBeforeMs: 0, keepIds: 10, limit: 100 });
  expect(rig.questions.ofTurn(turnId('om_a'))).toEqual([]);
});

test('a question whose sending is in doubt says that it is over after a recall', async () => {
  rig.losesAnswer = (out) => 'content' in out && out.content.kind === 'question';
  await rig.ask('q');
  expect(rig.shown).toHaveLength(1);
  const { appId, chatId } = message;
  const messageId = turnId('om_a') as string as typeof message.messageId;
  await rig.bridge.intake.admit({ kind: 'recalled', appId, chatId, messageId, eventId: 'r' });
  rig.losesAnswer = () => false;
  await rig.pass(MINUTE_MS);
  expect(rig.shown).toHaveLength(1);
  expect(noteOf(rig.shown[0])).toContain('recalled');
});

test('how questions end is counted, each of them once', async () => {
  const ends: string[] = [];
  await rig.stop();
  rig.given = { observer: { ...NO_OBSERVER, questionEnded: (outcome) => ends.push(outcome) } };
  await rig.start();
  await rig.say('om_n', 'deploy', { chat: 'oc_n' });
  await rig.ask('one');
  await rig.press(rig.cards().at(-1), 0);
  await rig.ask('two');
  await rig.pass(10 * MINUTE_MS);
  rig.takes = () => false;
  await rig.ask('three');
  await rig.press(rig.cards().at(-1), 0);
  expect(ends).toEqual(['answered', 'expired', 'answered']);
});

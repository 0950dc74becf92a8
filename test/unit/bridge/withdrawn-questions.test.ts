/** What an agent asked about a message that was recalled is not shown again, at any time of the question. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openId, turnId } from '../../../src/core/ids.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import { message } from './samples.ts';
import { noteOf, QuestionRig } from './question-rig.ts';

const MINUTE_MS = 60_000;
const RECALLED = 'This question is over, because the message was recalled.';

let rig: QuestionRig;
/** Lark takes no change of a card for now. */
let isAway: boolean;
/** What Lark took since the recall. */
let said: Outgoing[];

beforeEach(async () => {
  rig = new QuestionRig();
  isAway = false;
  said = [];
  rig.refuses = (out) => {
    if (isAway && out.kind === 'update') {
      return { ok: false, action: 'retry', code: undefined, detail: 'away' };
    }
    if ('content' in out) said.push(out);
    return undefined;
  };
  await rig.start();
});

afterEach(() => rig.close());

async function askedAndAnswered(place: { thread?: string } = {}): Promise<void> {
  await rig.say('om_a', 'deploy', place);
  await rig.ask('q');
  isAway = true;
  await rig.press(rig.shown[0], 0);
}

async function takeBack(): Promise<void> {
  const { appId, chatId, messageId: sample } = message;
  const messageId = 'om_a' as typeof sample;
  said = [];
  void rig.bridge.intake.admit({ kind: 'recalled', appId, chatId, messageId, eventId: 'r' });
  await rig.pass();
}

async function comesBack(): Promise<void> {
  isAway = false;
  await rig.pass(2 * MINUTE_MS);
}

/** Neither the question nor an option is in anything that Lark took, or still to be found. */
function expectNothingOfIt(): void {
  const { questions } = rig;
  const stored = questions.ofTurn(turnId('om_a')).map(({ text }) => text);
  expect(stored.join('')).toBe('');
  expect(JSON.stringify(said)).not.toMatch(/q\?|Allow|Deny/);
}

describe('the card of a question that was answered, and is still to change', () => {
  test.each([
    ['while the agent works', {}, undefined],
    ['while the agent works, in a thread', { thread: 'omt_1' }, undefined],
    ['after the agent has answered', {}, 'done'],
    ['after the agent has answered, in a thread', { thread: 'omt_1' }, 'done'],
  ])('says that the message was withdrawn: recalled %s', async (_when, place, answer) => {
    await askedAndAnswered(place);
    if (answer !== undefined) await rig.answerTurn(answer);
    await takeBack();
    await comesBack();
    expect(rig.shown[0]?.content).toMatchObject({ text: '', options: [] });
    expect(noteOf(rig.shown[0])).toBe(RECALLED);
    expectNothingOfIt();
    expect(await rig.press(rig.shown[0], 1)).toEqual({ kind: 'info', text: RECALLED });
  });

  test('says it in the language of whose turn it is', async () => {
    await rig.languages.store(openId('ou_ann'), 'zh');
    await askedAndAnswered();
    await takeBack();
    await comesBack();
    expect(noteOf(rig.shown[0])).toBe('这个问题已失效：消息已被撤回。');
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'says it over a kill at step %i of the recall',
    async (step) => {
      await askedAndAnswered();
      let steps = 0;
      rig.dies = () => (steps += 1) === step;
      await takeBack();
      rig.dies = () => false;
      const wasDead = rig.isDead;
      await rig.restart();
      // Lark gives an event again that it got no ack for.
      if (wasDead) await takeBack();
      await comesBack();
      expect(noteOf(rig.shown[0])).toBe(RECALLED);
      expectNothingOfIt();
    },
  );
});

test('a question that waits for an answer ends as withdrawn, whatever the process dies between', async () => {
  await rig.say('om_a', 'deploy');
  await rig.ask('q');
  // Dies after the recall is stored, and before the end of the question is.
  let steps = 0;
  rig.dies = () => (steps += 1) === 2;
  await takeBack();
  expect(rig.isDead).toBe(true);
  rig.dies = () => false;
  await rig.restart();
  await comesBack();
  expect(noteOf(rig.shown[0])).toBe(RECALLED);
  expectNothingOfIt();
});

test('an answer that the agent had not got when the message was recalled does not bring the words back', async () => {
  rig.takes = () => false;
  await rig.say('om_a', 'deploy');
  await rig.ask('q');
  const [question] = rig.questions.ofTurn(turnId('om_a'));
  const [option] = question?.options ?? [];
  if (question === undefined || option === undefined) throw new Error('nothing was asked');
  const atMs = rig.clock.nowMs();
  const state = { phase: 'answered', option, by: openId('ou_ann'), atMs } as const;
  await rig.db.write(() => rig.questions.update({ ...question, state }));
  await takeBack();
  await rig.restart();
  await comesBack();
  expectNothingOfIt();
});

test('of a question that Lark may have taken before the recall, a thread sees only that it is over', async () => {
  await rig.say('om_a', 'deploy', { thread: 'omt_1' });
  const taken = rig.refuses;
  rig.refuses = () => ({ ok: false, action: 'retry', code: undefined, detail: 'away' });
  await rig.ask('q');
  await rig.answerTurn('done');
  await takeBack();
  rig.refuses = taken;
  await comesBack();
  expectNothingOfIt();
  expect(rig.texts()).toEqual(['', 'done']);
  expect(noteOf(rig.shown[0])).toBe(RECALLED);
});

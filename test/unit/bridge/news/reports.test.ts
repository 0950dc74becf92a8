/** The report of each day: a whole bridge with the real journal on a virtual clock. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewsContent } from '../../../../src/core/content.ts';
import { openId } from '../../../../src/core/ids.ts';
import { QuestionRig } from '../question-rig.ts';

const OWNER = 'ou_owner';
const HOUR_MS = 60 * 60 * 1000;

let rig: QuestionRig;

/** The clock of the rig begins at midnight in UTC, on 5 January. */
async function start(minuteOfDay?: number, zone = 'UTC'): Promise<void> {
  rig.owner = OWNER;
  rig.given = {
    surroundings: { prefix: '/', version: '1', agentName: () => Promise.resolve('helper') },
    reportTime: { minuteOfDay, zone },
  };
  await rig.start();
}

beforeEach(() => {
  rig = new QuestionRig();
});

afterEach(() => rig.close());

/** The reports are looked for every half minute, so nobody has to live through the hours before. */
async function pass(durationMs: number): Promise<void> {
  rig.clock.set(rig.clock.nowMs() + durationMs);
  await rig.pass(31_000);
}

const order = (text: string, chat = 'oc_group', from = OWNER) =>
  rig.say(`om_order_${rig.clock.nowMs()}`, text, { from, chat });

function reports(chat: string): NewsContent[] {
  return rig.shown
    .filter((one) => one.chat === chat && one.content.kind === 'news')
    .map(({ content }) => content as NewsContent);
}

describe('CG-OUT-12: /report', () => {
  test('sends a report each day at its time, with what was done since the one before', async () => {
    await start();
    await order('/report 18:00');
    expect(rig.texts().at(-1)).toBe(
      'From now on I send a report here each day at 18:00 (UTC). End it with /report off.',
    );
    await rig.say('om_a', 'one');
    await rig.answerTurn('done');
    await rig.say('om_b', 'two', { chat: 'oc_2' });
    await rig.endTurn({ kind: 'failed', agent: 'claude', detail: 'no' });
    await rig.say('om_c', '/help');
    await pass(17.9 * HOUR_MS);
    expect(reports('oc_group')).toEqual([]);
    await pass(HOUR_MS);
    expect(reports('oc_group')).toMatchObject([
      {
        title: 'Report of 2026-01-05',
        level: 'warning',
        fields: [
          { label: 'Messages', value: '2 (answered: 1, without an answer: 1, open: 0)' },
          { label: 'Conversations', value: '2' },
          { label: 'By agent', value: 'claude: 1\nhelper: 1' },
          { label: 'Up to', value: '18:00 UTC' },
        ],
      },
    ]);
    await pass(24 * HOUR_MS);
    expect(reports('oc_group').map(({ title }) => title)).toEqual([
      'Report of 2026-01-05',
      'Report of 2026-01-06',
    ]);
    expect(reports('oc_group')[1]?.fields[0]?.value).toContain('0 (');
  });

  test('ends, is for the owner, and says how it is written', async () => {
    await start();
    await order('/report 18:00', 'oc_ann', 'ou_ann');
    expect(rig.texts().at(-1)).toBe('Only the owner of this bot can use this command.');
    await order('/report at six');
    expect(rig.texts().at(-1)).toBe('Please write it like this: /report [HH:MM | off]');
    await order('/report 18:00');
    await order('/report off');
    await pass(48 * HOUR_MS);
    expect(reports('oc_group')).toEqual([]);
  });

  test('alone shows what was done up to now', async () => {
    await start();
    await rig.say('om_a', 'one');
    await order('/report');
    expect(rig.texts().at(-1)).toContain(
      'Messages: 1 (answered: 0, without an answer: 0, open: 1)',
    );
  });

  test('is in the language of who ordered it, and in the zone of the settings', async () => {
    await start(undefined, 'Asia/Shanghai');
    await rig.languages.store(openId(OWNER), 'zh');
    await order('/report 9:00');
    await pass(1.5 * HOUR_MS);
    expect(reports('oc_group').map(({ title }) => title)).toEqual(['2026-01-05 的日报']);
  });
});

test('what turns have cost is summed up, once for a session that says it again and again', async () => {
  await start();
  await order('/report 18:00');
  const costs = [
    ['om_a', 0.5],
    ['om_b', 1.25],
  ] as const;
  for (const [id, amount] of costs) {
    await rig.say(id, 'work');
    rig.tell({ kind: 'usage', usage: { cost: { amount: amount - 0.1, currency: 'USD' } } });
    rig.tell({ kind: 'usage', usage: { cost: { amount, currency: 'USD' } } });
    await rig.answerTurn('done');
  }
  await pass(19 * HOUR_MS);
  expect(reports('oc_group')[0]?.fields).toContainEqual({
    label: 'Cost, as the agents compute it',
    value: '1.25 USD',
  });
});

describe('a report that the settings ask for', () => {
  test('goes to the owner, and comes late if nobody ran at its time', async () => {
    await start(18 * 60);
    await rig.stop();
    rig.clock.set(rig.clock.nowMs() + 20 * HOUR_MS);
    await rig.start();
    expect(reports(OWNER).map(({ title }) => title)).toEqual(['Report of 2026-01-05']);
    await rig.restart();
    await rig.pass(60_000);
    expect(reports(OWNER)).toHaveLength(1);
  });

  test('comes no more once the setting is gone, or the owner has ended it', async () => {
    await start(18 * 60);
    await rig.stop();
    await start();
    await pass(24 * HOUR_MS);
    expect(reports(OWNER)).toEqual([]);
    await rig.stop();
    await start(18 * 60);
    await rig.say('om_off', '/report off', { from: OWNER, chat: 'oc_owner', chatType: 'p2p' });
    await rig.restart();
    await pass(24 * HOUR_MS);
    expect(reports(OWNER)).toEqual([]);
  });

  test('is made once, wherever the process dies', async () => {
    await start(18 * 60);
    await pass(17.99 * HOUR_MS);
    let writes = 0;
    rig.dies = () => {
      writes += 1;
      return writes === 2;
    };
    await pass(0.1 * HOUR_MS);
    rig.dies = () => false;
    expect(rig.isDead).toBe(true);
    await rig.restart();
    await pass(HOUR_MS);
    expect(reports(OWNER)).toHaveLength(1);
  });
});

/** Stopping a turn: what the agent is told, when it is ended, and that nothing goes on. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openId } from '../../../src/core/ids.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';
import { fasterClock } from '../../kit/clock.ts';
import { isProcessAlive, killAll, pidIn, processesIn } from '../../kit/processes.ts';
import { AcpRig, type Given } from './acp-rig.ts';

const CANCELLED = { outcome: { outcome: 'cancelled' } };
const chose = (optionId: string) => ({ outcome: { outcome: 'selected', optionId } });

/** All of the time passes faster, also that of the wall. */
function fasterTime(times: number): Clock {
  const startMs = systemClock.nowMs();
  const nowMs = () => startMs + (systemClock.nowMs() - startMs) * times;
  return { ...fasterClock(times), nowMs };
}

async function untilAsked(given: Given): Promise<string> {
  await expect.poll(() => given.questions().length).toBe(1);
  return given.questions()[0]?.id ?? '';
}

/** The program that the agent has left at work. */
function childOf(rig: AcpRig): Promise<number> {
  return pidIn(join(rig.folder, 'own', 'alive.txt'));
}

describe('permission', () => {
  test.each([
    ['perm always', 'allow-once'],
    ['perm always', 'reject'],
    ['perm always', 'allow-always'],
    ['perm dupkind', 'allow-edits'],
    ['perm weird', 'allow-session'],
  ])('R13, R15: %s is answered once, with %s', async (step, option) => {
    const rig = new AcpRig();
    const given = await rig.give(step);
    const { id } = await given.answer(option);
    const second = { kind: 'chosen', option: 'reject', by: openId('ou_late') } as const;
    expect(given.run.answer(id, second)).toBe(false);
    expect(await given.result).toMatchObject({ ok: true, text: option });
    expect(given.run.answer(id, second)).toBe(false);
    expect(rig.answers()).toEqual([chose(option)]);
  });

  test.each([
    ['perm', chose('reject')],
    ['perm noreject', CANCELLED],
  ])(
    'R13: nobody answers %s in time, so the tool is refused and the turn goes on',
    async (step, outcome) => {
      const rig = new AcpRig();
      const given = await rig.give(`${step}\nsay on`);
      expect(given.run.answer(await untilAsked(given), { kind: 'expired' })).toBe(true);
      expect(await given.result).toMatchObject({ ok: true, text: expect.stringMatching(/on$/) });
      expect(rig.answers()).toEqual([outcome]);
    },
  );

  test('R13: a stop answers all open questions', async () => {
    const rig = new AcpRig();
    const given = await rig.give('perm2\nsay never');
    await expect.poll(() => given.questions().length).toBe(2);
    given.run.cancel();
    expect(await given.result).toMatchObject({ ok: false, reason: 'cancelled' });
    expect(rig.answers()).toEqual([CANCELLED, CANCELLED]);
  });

  test('R13: a question whose agent has ended is answered by nobody', async () => {
    const rig = new AcpRig();
    const given = await rig.give('child\nperm');
    const id = await untilAsked(given);
    killAll(processesIn(rig.folder));
    await given.result;
    const answer = { kind: 'chosen', option: 'allow-once', by: openId('ou_late') } as const;
    expect(given.run.answer(id, answer)).toBe(false);
    expect(given.silences()).toBe(0);
  });

  test('an agent whose turn ends with a no is not said to be stopped by a person', async () => {
    const rig = new AcpRig();
    const given = await rig.give('say looking\npermend\nsay never');
    await given.answer('reject');
    const result = await given.result;
    expect(result).toMatchObject({ ok: true, text: expect.stringContaining('looking') });
    expect(result).toHaveProperty('warning');
  });

  test('the tool is known although the agent asks before it tells of it', async () => {
    const rig = new AcpRig();
    const given = await rig.give('permfirst once ls -la');
    const question = await given.answer('allow-once');
    expect(question.permission?.command).toBe('ls -la');
    expect(await given.result).toMatchObject({ ok: true });
    expect(given.updates.some(({ kind }) => kind === 'step')).toBe(true);
  });

  test('a change of a file shows what would change', async () => {
    const rig = new AcpRig();
    const given = await rig.give('permedit once notes.txt');
    const { permission } = await given.answer('reject');
    expect(permission).toMatchObject({
      tool: 'edit',
      diffs: [{ path: expect.stringMatching(/notes\.txt$/), before: null, after: 'one\ntwo\n' }],
    });
    await given.result;
  });

  test('R12: two chats that ask at once get their own answers, in words', async () => {
    const rig = new AcpRig();
    const one = await rig.give('ask words', { session: 'one' });
    const two = await rig.give('ask words', { session: 'two' });
    const ids = [await untilAsked(one), await untilAsked(two)] as const;
    const by = openId('ou_somebody');
    two.run.answer(ids[1], { kind: 'said', text: 'for two', by });
    one.run.answer(ids[0], { kind: 'said', text: 'for one', by });
    expect(await one.result).toMatchObject({ text: expect.stringContaining('for one') });
    expect(await two.result).toMatchObject({ text: expect.stringContaining('for two') });
  });
});

describe('a stop', () => {
  test.each(['hang', 'sleep 60000', 'long 60000', 'cancelerror', 'cancelslow 200'])(
    'R17: %s is stopped, which is no failure, and the session goes on',
    async (step) => {
      const rig = new AcpRig();
      const given = await rig.give(`remember blue\nsay begun\n${step}\nsay never`);
      await expect.poll(() => given.text()).toContain('begun');
      given.run.cancel();
      const result = await given.result;
      expect(result).toMatchObject({ ok: false, reason: 'cancelled' });
      expect(result).toMatchObject({ text: expect.stringContaining('begun') });
      expect(result).not.toMatchObject({ text: expect.stringContaining('never') });
      expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
      expect(rig.methods().filter((method) => method === 'initialize')).toHaveLength(1);
    },
  );

  test('R18: a prompt waits for the end of the one before, and a late stop hits nobody', async () => {
    const rig = new AcpRig();
    const first = await rig.give('say one\ncancelslow 300');
    await expect.poll(() => first.text()).toContain('one');
    const second = await rig.give('say two');
    first.run.cancel();
    expect(await second.result).toMatchObject({ ok: true, text: 'two' });
    expect(await first.result).toMatchObject({ reason: 'cancelled' });
    first.run.cancel();
    expect(await rig.ask('say three')).toMatchObject({ ok: true, text: 'three' });
    expect(rig.methods().filter((method) => method === 'session/cancel')).toHaveLength(1);
  });

  test('R19: a deaf agent is ended, and the next message goes on in its session', async () => {
    const rig = new AcpRig({ script: 'ignoreterm,ignoreeof', clock: fasterTime(20) });
    await rig.ask('remember blue');
    const nativeId = rig.stored.get('session-1');
    const given = await rig.give('say begun\nhangdeaf');
    await expect.poll(() => given.text()).toContain('begun');
    const before = processesIn(rig.folder);
    given.run.cancel();
    expect(await given.result).toMatchObject({ ok: false, reason: 'cancelled' });
    expect(before.filter(isProcessAlive)).toEqual([]);
    expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
    expect(rig.stored.get('session-1')).toBe(nativeId);
    expect(rig.methods()).toContain('session/resume');
  });

  test('R2: a program of a stopped turn is ended, and the chat is told', async () => {
    const rig = new AcpRig({ clock: fasterTime(20) });
    const given = await rig.give('remember blue\nchild\nhang');
    const child = await childOf(rig);
    given.run.cancel();
    expect(await given.result).toMatchObject({ reason: 'cancelled' });
    expect(given.told()).toContain('still_running');
    expect(isProcessAlive(child)).toBe(false);
    expect(processesIn(rig.folder)).toEqual([]);
    expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
  });

  test('R31: what a finished turn left at work is not ended', async () => {
    const rig = new AcpRig();
    await rig.ask('child');
    const child = await childOf(rig);
    expect(await rig.ask('say next')).toMatchObject({ ok: true });
    expect(isProcessAlive(child)).toBe(true);
    await rig.runtime.stop();
    expect(isProcessAlive(child)).toBe(false);
  });
});

test.each(['', 'wrapper', 'ignoreeof', 'ignoreeof,ignoreterm', 'wrapper,ignoreterm'])(
  'R1, R6: nothing of the agent is left after the end of the runtime, with the switches "%s"',
  async (script) => {
    const rig = new AcpRig({ script, clock: fasterClock(5) });
    const given = await rig.give('child\nhang');
    const child = await childOf(rig);
    await rig.runtime.stop();
    expect(await given.result).toMatchObject({ ok: false, reason: 'cancelled' });
    expect(isProcessAlive(child)).toBe(false);
    expect(processesIn(rig.folder)).toEqual([]);
  },
);

/** How an agent begins, or does not, and how it ends by itself: what people are told, and that the next turn works. */
import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { AgentResult } from '../../../src/agents/runtime.ts';
import { HeldClock } from '../../kit/clock.ts';
import { fakeAcpAgent } from '../../kit/fake-acp-agent.ts';
import { isProcessAlive, processesIn } from '../../kit/processes.ts';
import { AcpRig } from './acp-rig.ts';

function detailOf(result: AgentResult): string {
  return result.ok ? (result.warning ?? '') : result.detail;
}

function count(rig: AcpRig, method: string): number {
  return rig.methods().filter((one) => one === method).length;
}

describe('an end that nobody asked for', () => {
  test('R27, R33: each way to end has words of its own, and the next message is answered', async () => {
    const rig = new AcpRig();
    await rig.ask('remember blue');
    const details = new Map<string, string>();
    for (const step of ['crash', 'crash 7', 'crash SIGKILL', 'noanswer', 'error -32603 No luck']) {
      const result = await rig.ask(step);
      expect(result).toMatchObject({ ok: false, reason: 'failed' });
      details.set(step, detailOf(result));
      expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
    }
    expect(new Set(details.values()).size).toBe(details.size);
    expect(details.get('crash 7')).toContain('7');
    expect(details.get('crash SIGKILL')).toContain('SIGKILL');
    expect(details.get('error -32603 No luck')).toContain('No luck');
    const logged = rig.log.lines.find((line) => JSON.stringify(line).includes('No luck'));
    expect(logged).toMatchObject({ code: -32603, data: expect.stringContaining('fake agent') });
  });

  test.each(['noanswer', 'crash 3', 'stop max_tokens', 'stop refusal', 'stop weird_reason'])(
    'R27: text before %s is delivered with a warning',
    async (step) => {
      const result = await new AcpRig().ask(`say some words\n${step}`);
      expect(result).toMatchObject({ ok: true, text: 'some words' });
      expect(detailOf(result)).not.toBe('');
    },
  );

  test('R20: a message that waits behind a crash is answered', async () => {
    const rig = new AcpRig();
    const first = await rig.give('sleep 200\ncrash');
    const second = await rig.give('say two');
    expect(await first.result).toMatchObject({ ok: false });
    expect(await second.result).toMatchObject({ ok: true, text: 'two' });
  });

  test('other chats keep their memory when the program that they share ends', async () => {
    const rig = new AcpRig();
    const [one, two] = [{ session: 'one' }, { session: 'two' }];
    await Promise.all([rig.ask('remember red', one), rig.ask('remember blue', two)]);
    const ids = [...rig.stored];
    expect(await rig.ask('crash', one)).toMatchObject({ ok: false });
    expect(await rig.ask('recall', two)).toMatchObject({ ok: true, text: 'blue' });
    expect(await rig.ask('recall', one)).toMatchObject({ ok: true, text: 'red' });
    expect([...rig.stored]).toEqual(ids);
  });
});

describe('a program that does not get ready', () => {
  test('deadstart: its last words are kept for the operator', async () => {
    expect(await new AcpRig({ script: 'deadstart=3' }).ask('say hi')).toMatchObject({
      ok: false,
      reason: 'failed',
      detail: expect.stringContaining('3'),
      output: { stdout: expect.stringContaining('Please log in') },
    });
  });

  test('R3: a session that does not begin is tried once more, in a new program', async () => {
    const clock = new HeldClock();
    const rig = new AcpRig({ script: 'newhangs=once', clock });
    const given = await rig.give('say done');
    await expect.poll(() => rig.methods()).toContain('session/new');
    const before = processesIn(rig.folder);
    clock.endLongWaits();
    expect(await given.result).toMatchObject({ ok: true, text: 'done' });
    expect(given.told()).toEqual(['tries_again']);
    expect(before.filter(isProcessAlive)).toEqual([]);
  });

  test('R3: an agent that never gets ready is tried twice and no more', async () => {
    const clock = new HeldClock();
    const rig = new AcpRig({ script: 'slowstart=600000', clock });
    const given = await rig.give('say hi');
    for (const starts of [1, 2]) {
      await expect.poll(() => count(rig, 'initialize')).toBe(starts);
      clock.endLongWaits();
    }
    expect(await given.result).toMatchObject({ ok: false, reason: 'failed' });
    expect(count(rig, 'initialize')).toBe(2);
    await expect.poll(() => processesIn(rig.folder)).toEqual([]);
  });

  test('a session that the agent refuses fails with its words, and is not tried again', async () => {
    const rig = new AcpRig({ script: 'newfails=once' });
    const result = await rig.ask('say hi');
    expect(result).toMatchObject({ ok: false, detail: expect.stringContaining('could be made') });
    expect(count(rig, 'session/new')).toBe(1);
    expect(await rig.ask('say hi')).toMatchObject({ ok: true, text: 'hi' });
  });
});

describe('a login', () => {
  test.each(['new', 'prompt'])(
    'R11: auth=%s is told once, and works after the login',
    async (where) => {
      const rig = new AcpRig({ script: `auth=${where}` });
      const login = { command: expect.stringContaining('--login') };
      expect(await rig.ask('say hi')).toMatchObject({ ok: false, login });
      expect(count(rig, where === 'new' ? 'session/new' : 'session/prompt')).toBe(1);
      expect(rig.methods()).not.toContain('authenticate');
      const [command = '', ...args] = fakeAcpAgent(rig.folder).argv;
      await new Promise((resolve) => {
        spawn(command, [...args, '--login'], { stdio: 'ignore' }).on('exit', resolve);
      });
      expect(await rig.ask('say hi')).toMatchObject({ ok: true, text: 'hi' });
    },
  );

  test('R11: a login that ends midway is told as one', async () => {
    const rig = new AcpRig({ script: 'authmidway' });
    expect(await rig.ask('say hi')).toMatchObject({ ok: true });
    expect(await rig.ask('say hi')).toMatchObject({ ok: false, login: {} });
    expect(count(rig, 'session/prompt')).toBe(2);
  });
});

describe('what an agent can', () => {
  test('R29: another version of the protocol is refused in words, and its program ends', async () => {
    const rig = new AcpRig({ script: 'version=2' });
    const result = await rig.ask('say hi');
    expect(result).toMatchObject({ ok: false, detail: expect.stringContaining('2') });
    expect(rig.methods()).toEqual(['initialize']);
    expect(processesIn(rig.folder)).toEqual([]);
  });

  test('nocaps: an agent that can nothing is asked for nothing', async () => {
    const rig = new AcpRig({ script: 'nocaps,strict,nomodes' });
    expect(await rig.ask('say hi')).toMatchObject({ ok: true, text: 'hi' });
    await rig.restart();
    rig.saidBefore = 'Ann: hi';
    const given = await rig.give('count');
    expect(await given.result).toMatchObject({ text: expect.stringContaining('prompt 1') });
    expect(given.told()).toEqual(['memory_lost']);
    const asked = new Set(rig.methods());
    expect(asked).toEqual(new Set(['initialize', 'session/new', 'session/prompt']));
  });

  test.each([
    ['', 'mode ask'],
    ['modes=auto+default', 'mode default'],
    ['modes=auto+read-only+plan', 'mode read-only'],
  ])('R16: with "%s" it works in the mode that asks', async (script, mode) => {
    const rig = new AcpRig({ script });
    expect(await rig.ask('chosen')).toMatchObject({ text: expect.stringContaining(mode) });
    expect(rig.notices).toEqual([]);
  });
});

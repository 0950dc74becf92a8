/** What is chosen for sessions, what they say late, the tools that they get, and how a stop cleans up. */
import { expect, test } from 'vitest';
import type { SessionTools, ToolTurn } from '../../../src/agents/acp/tools-port.ts';
import { isProcessAlive } from '../../kit/processes.ts';
import { AcpRig } from './acp-rig.ts';

const RIGHT = 'mode ask, model m1, not brave';

test('what people choose is set at once, and again in a new program', async () => {
  const rig = new AcpRig();
  expect(await rig.ask('chosen')).toMatchObject({ text: RIGHT });
  const { sessions } = rig.runtime;
  const options = sessions.options('session-1');
  expect(options.map(({ id, is, current }) => [id, is, current])).toEqual([
    ['mode', 'mode', 'ask'],
    ['model', 'model', 'm1'],
    ['brave', 'other', 'false'],
  ]);
  await sessions.choose('session-1', 'model', 'm2');
  await sessions.choose('session-1', 'brave', 'true');
  expect(await rig.ask('chosen')).toMatchObject({ text: 'mode ask, model m2, brave' });
  await rig.restart();
  // Whoever gives the turns stores the choices.
  const choices = { model: 'm2', mode: 'auto', gone: 'x' };
  expect(await rig.ask('chosen', { choices })).toMatchObject({
    text: 'mode auto, model m2, not brave',
  });
  expect(rig.log.warnings()).toContain('agent_option_not_set');
});

test('a choice that the agent does not have is refused in words', async () => {
  const rig = new AcpRig();
  await rig.ask('say x');
  const { sessions } = rig.runtime;
  await expect(sessions.choose('session-1', 'model', 'm9')).rejects.toMatchObject({
    code: 'failed',
    message: 'the agent did not take m9 for model',
  });
  // Nobody knows this session yet: the choice counts from its first turn on.
  await sessions.choose('session-2', 'model', 'm2');
  expect(sessions.options('session-2')).toEqual([]);
});

test('an agent without options has its mode set in the older way', async () => {
  const rig = new AcpRig({ script: 'oldstyle,modes=auto+ask' });
  expect(await rig.ask('chosen')).toMatchObject({ text: RIGHT });
  expect(rig.methods()).toContain('session/set_mode');
  await rig.runtime.sessions.choose('session-1', 'mode', 'auto');
  expect(await rig.ask('chosen')).toMatchObject({ text: 'mode auto, model m1, not brave' });
});

test('R16: with permissions auto nothing is set, and the owner hears of no mode', async () => {
  const rig = new AcpRig({ script: 'autoallow', spec: { permissions: 'auto' } });
  expect(await rig.ask('perm\nchosen')).toMatchObject({
    text: expect.stringContaining('mode auto'),
  });
  expect(rig.methods()).not.toContain('session/set_config_option');
  expect(rig.notices).toEqual([]);
});

test.each([
  ['modes=yolo+fast', 'yolo'],
  ['nomodes', ''],
])('R16: without a mode that asks the owner is told once: %s', async (script, mode) => {
  const rig = new AcpRig({ script });
  await rig.ask('say x', { session: 'one' });
  await rig.ask('say x', { session: 'two' });
  expect(rig.notices).toEqual([{ kind: 'mode_unknown', mode }]);
});

test('R26: what comes after the answer is told by itself, and belongs to no other turn', async () => {
  const rig = new AcpRig();
  expect(await rig.ask('late 50 built it\nsay done')).toMatchObject({ ok: true, text: 'done' });
  // The next prompt comes before that.
  expect(await rig.ask('say next')).toMatchObject({ ok: true, text: 'next' });
  expect(rig.late).toEqual(['built it']);
});

test('R31: what comes much later is told too', async () => {
  const rig = new AcpRig();
  await rig.ask('late 700 built it\nsay done');
  await expect.poll(() => rig.late).toEqual(['built it']);
});

test('R2: what a stopped turn has started is told and ended, and the session goes on', async () => {
  const rig = new AcpRig();
  await rig.ask('remember blue');
  const given = await rig.give('child away\nhang');
  await expect.poll(() => rig.pids().length).toBe(1);
  given.run.cancel();
  expect(await given.result).toMatchObject({ ok: false, reason: 'cancelled' });
  expect(given.told()).toEqual(['still_running']);
  expect(rig.pids().filter(isProcessAlive)).toEqual([]);
  expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
});

test('R2: a program that others use is ended after them', async () => {
  const rig = new AcpRig();
  const other = await rig.give('perm', { session: 'other' });
  await expect.poll(() => other.questions().length).toBe(1);
  const given = await rig.give('child away\nhang');
  await expect.poll(() => rig.pids().length).toBe(1);
  given.run.cancel();
  await given.result;
  expect(given.told()).toEqual(['still_running']);
  expect(rig.pids().filter(isProcessAlive)).toHaveLength(1);
  await other.answer('allow-once');
  expect(await other.result).toMatchObject({ ok: true, text: 'allow-once' });
  await expect.poll(() => rig.pids().filter(isProcessAlive)).toEqual([]);
});

test('R19: a deaf agent is ended, and others who used it hear why', async () => {
  const rig = new AcpRig();
  const other = await rig.give('say begun\nperm', { session: 'other' });
  await expect.poll(() => other.questions().length).toBe(1);
  const given = await rig.give('remember blue\nhangdeaf');
  await expect.poll(() => given.text()).toContain('remembered');
  given.run.cancel();
  expect(await given.result).toMatchObject({ ok: false, reason: 'cancelled', text: 'remembered' });
  expect(await other.result).toEqual({
    ok: true,
    text: 'begun',
    warning: "The agent's program, which this conversation shares with others, had to be ended.",
  });
  expect(other.told()).toEqual(['program_ended']);
  expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
  expect(await rig.ask('count', { session: 'other' })).toMatchObject({ text: 'prompt 2' });
});

class Tools implements SessionTools {
  readonly turns: (ToolTurn | undefined)[] = [];
  wasListed = false;
  isClosed = false;

  servers() {
    return Promise.resolve([{ name: 'ours', command: '/bin/true', args: [], env: [] }]);
  }

  attach(turn: ToolTurn | undefined): void {
    this.turns.push(turn);
  }

  isOwnTool({ title }: { readonly title?: string | undefined }): boolean {
    return title === 'rm -rf build';
  }

  close(): void {
    this.isClosed = true;
  }
}

test('the tools of the bridge are given to each session, and belong to the turn at work', async () => {
  const opened = new Map<string, Tools>();
  const openTools = ({ id }: { readonly id: string }) => {
    const tools = new Tools();
    opened.set(id, tools);
    return tools;
  };
  const rig = new AcpRig({ openTools });
  const given = await rig.give('perm once rm -rf build\nhang');
  // A tool of ours needs no permission.
  await expect.poll(() => given.text()).toContain('allow-once');
  const tools = opened.get('session-1')!;
  const asking = tools.turns[0]!.ask({ kind: 'question', id: 'q1', text: 'Why?', options: [] });
  await expect.poll(() => given.questions().map(({ id }) => id)).toEqual(['q1']);
  given.run.cancel();
  expect(await asking).toEqual({ kind: 'cancelled' });
  await given.result;
  expect(tools.turns.at(-1)).toBeUndefined();
  await rig.ask('say done');
  expect(rig.notices).toEqual([{ kind: 'tools_ignored' }]);
  await rig.runtime.sessions.close('session-1');
  expect(tools.isClosed).toBe(true);
});

test('an agent that has looked at the tools is no trouble', async () => {
  const tools = new Tools();
  tools.wasListed = true;
  const rig = new AcpRig({ openTools: () => tools });
  await rig.ask('say done');
  expect(rig.notices).toEqual([]);
});

/** The runtime of agents that speak the Agent Client Protocol, with a real program. */
import { afterAll, expect, test } from 'vitest';
import { AcpRuntime } from '../../../src/agents/acp/acp-runtime.ts';
import { isProcessAlive } from '../../kit/processes.ts';
import { temporaryFolderForFile } from '../../kit/folder.ts';
import { agentContract } from './agent-contract.ts';
import { acpOptions, AcpRig } from './acp-rig.ts';

const folder = temporaryFolderForFile();
const made: AcpRuntime[] = [];
const runtime = (script: string) => {
  const one = new AcpRuntime(acpOptions(folder, { script }));
  made.push(one);
  return one;
};
afterAll(() => Promise.all(made.map((one) => one.stop())));
agentContract('acp', {
  create: () => runtime('echo'),
  createSlow: () => runtime('does=hang'),
  createAsking: () => runtime('does=perm yesno'),
  createRemembering: () => runtime(''),
});

test('a prompt is answered, and its steps are told', async () => {
  const rig = new AcpRig();
  const given = await rig.give('say hello world\ntool execute ls -la\nsay done');
  expect(await given.result).toEqual({ ok: true, text: 'hello world\n\ndone' });
  expect(given.text()).toBe('hello world\n\ndone');
  const steps = given.updates.filter((update) => update.kind === 'step');
  expect(steps.map(({ step }) => [step.title, step.status])).toEqual([
    ['Bash: ls -la', 'running'],
    ['Bash: ls -la', 'running'],
    ['Bash: ls -la', 'done'],
  ]);
  expect(steps.at(-1)?.step.detail).toBe('12 passed');
  expect(given.silences()).toBe(0);
  expect(given.signs()).toBeGreaterThan(3);
});

test('R23: the id of a session is stored before the agent hears the prompt', async () => {
  const rig = new AcpRig();
  const given = await rig.give('hang');
  await expect.poll(() => rig.methods()).toContain('session/prompt');
  expect(rig.stored.get('session-1')).toMatch(/^fake-/);
  given.run.cancel();
  await given.result;
});

test('R16: an agent is put into its mode that asks', async () => {
  const rig = new AcpRig({ script: 'modes=auto+ask' });
  expect(await rig.ask('chosen')).toMatchObject({ text: 'mode ask, model m1, not brave' });
  expect(rig.notices).toEqual([]);
});

test('R13: a permission is asked for, and the chosen option reaches the agent', async () => {
  const rig = new AcpRig();
  const given = await rig.give('perm always rm -rf build');
  const question = await given.answer('allow-always');
  expect(question).toMatchObject({
    text: 'Bash: rm -rf build',
    permission: { tool: 'execute', command: 'rm -rf build', allow: 'allow-once', reject: 'reject' },
  });
  expect(question.options.map(({ id, label }) => `${id}: ${label}`)).toEqual([
    'allow-once: Yes',
    'allow-always: Yes, always',
    'reject: No',
    'reject-always: No, never',
  ]);
  expect(await given.result).toMatchObject({ ok: true, text: 'allow-always' });
});

test('R17: a stop ends the work, answers what is asked, and the session goes on', async () => {
  const rig = new AcpRig();
  const given = await rig.give('say begun\nperm once ls');
  await expect.poll(() => given.questions().length).toBe(1);
  given.run.cancel();
  expect(await given.result).toMatchObject({ ok: false, reason: 'cancelled', text: 'begun' });
  expect(rig.answers()).toContainEqual({ outcome: { outcome: 'cancelled' } });
  expect(rig.methods()).toContain('session/cancel');
  expect(await rig.ask('count')).toMatchObject({ ok: true, text: 'prompt 2' });
  expect(rig.methods().filter((method) => method === 'session/new')).toHaveLength(1);
});

test('a stop of the runtime leaves no process, not even behind a wrapper', async () => {
  const rig = new AcpRig({ script: 'wrapper,ignoreeof,ignoreterm' });
  await rig.ask('child away');
  await expect.poll(() => rig.pids().length).toBe(1);
  await rig.runtime.stop();
  expect(rig.pids().filter(isProcessAlive)).toEqual([]);
});

/** The sandbox of docs/agents.md, word for word: a program in it answers, and finds nothing of the bridge. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isProcessAlive } from '../kit/processes.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

/** Not where it is missing, nor in a container that may not make namespaces. */
const canBeUsed = () => {
  const words = [
    '--unshare-pid',
    '--unshare-ipc',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    'true',
  ];
  return spawnSync('bwrap', words).status === 0;
};

/** The command in the document, as a shell reads it. */
function documented(home: string): string {
  const text = readFileSync(join(import.meta.dirname, '../../docs/agents.md'), 'utf8');
  const command = /--exec "(bwrap [^"]+)"/.exec(text)?.[1];
  if (command === undefined) throw new Error('docs/agents.md has no command with bwrap');
  return command.replaceAll('$HOME', home);
}

const PROGRAM = `#!/bin/sh
read text
setsid sleep 600 > /dev/null 2>&1 < /dev/null &
echo "answer to $text"
echo "processes: $(echo /proc/[0-9]*)"
cat "$1"/* "$1"/../* /proc/*/environ 2>&1 | tr '\\0' '\\n'
ls "$1" 2>&1
touch kept /tmp/there && echo written
`;

test.runIf(canBeUsed())('F5: the bwrap line of docs/agents.md hides the bridge', async () => {
  mkdirSync(join(rig.home, 'agent'));
  writeFileSync(join(rig.home, 'agent', 'answer.sh'), PROGRAM, { mode: 0o755 });
  const exec = `${documented(rig.home)} ${rig.stateDir}`;
  const added = await rig.command(['agents', 'add', 'boxed', '--exec', exec]);
  expect(added.code, added.stderr).toBe(0);
  const bridge = await rig.run({ env: { ANTHROPIC_API_KEY: 'the-key-of-a-person' } });
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  const text = (await rig.repliesIn(chat, 1)).at(-1)?.text ?? '';
  const token = readFileSync(join(rig.stateDir, 'provision-token'), 'utf8').trim();
  expect(text).toContain('answer to hello');
  expect(text).toContain('written');
  expect(readdirSync(join(rig.home, 'agent')).toSorted()).toEqual(['answer.sh', 'kept']);
  for (const hidden of [token, rig.app.appSecret, 'the-key-of-a-person', 'bridge.db']) {
    expect(text).not.toContain(hidden);
  }
  // Its own `/proc` has its own processes only, and begins to count anew.
  expect(text).not.toContain(`/proc/${bridge.child.pid}`);
  expect(text).toContain('processes: /proc/1 ');

  const { stdout } = await rig.command(['doctor', '--offline', '--json']);
  expect(stdout).not.toContain('agent_programs');
});

test.runIf(canBeUsed())(
  'F18: what a program leaves in the sandbox ends with the turn',
  async () => {
    mkdirSync(join(rig.home, 'agent'));
    writeFileSync(join(rig.home, 'agent', 'answer.sh'), PROGRAM, { mode: 0o755 });
    await rig.command([
      'agents',
      'add',
      'boxed',
      '--exec',
      `${documented(rig.home)} ${rig.stateDir}`,
    ]);
    expect((await rig.command(['agents', 'test', 'boxed', 'hello'])).code).toBe(0);
    const left = readdirSync('/proc').filter(
      (name) => /^\d+$/.test(name) && isProcessAlive(Number(name)) && isOfSandbox(name),
    );
    expect(left).toEqual([]);
  },
);

/** Its environment names the folder of this test. */
function isOfSandbox(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`HOME=${rig.home}/agent`);
  } catch {
    // It has ended, or it is not ours.
    return false;
  }
}

test('F5: `doctor` says when programs run as the user of the bridge, and which', async () => {
  const add = (name: string, exec: string) =>
    rig.command(['agents', 'add', name, '--force', '--exec', exec]);
  await add('open', 'cat');
  await add('boxed', '/usr/bin/bwrap --ro-bind / / cat');
  await rig.command(['agents', 'add', 'far']);
  const { stdout } = await rig.command(['doctor', '--offline', '--json']);
  const { findings } = JSON.parse(stdout) as { findings: readonly { check: string }[] };
  expect(findings.filter(({ check }) => check === 'agent_programs')).toEqual([
    {
      check: 'agent_programs',
      level: 'warning',
      finding: 'Programs of agents run as the user of lark-bridge: open.',
      reason: expect.stringContaining('can read the credentials') as string,
      next: expect.stringMatching(/--user.*bwrap.*docs\/agents\.md/) as string,
    },
  ]);
});

test.runIf(process.getuid?.() === 0)(
  'F5: a program with --user is left out, and reads nothing of the state directory',
  async () => {
    const exec = `sh -c 'id -un; cat ${rig.stateDir}/* /proc/$PPID/environ 2>/dev/null; true'`;
    const added = await rig.command(['agents', 'add', 'other', '--user', 'nobody', '--exec', exec]);
    expect(added.code, added.stderr).toBe(0);
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'hello' });
    const replies = await rig.repliesIn(chat, 1);
    expect(replies.map(({ text }) => text)).toEqual(['nobody']);
    const { stdout } = await rig.command(['doctor', '--offline', '--json']);
    expect(stdout).not.toContain('agent_programs');
  },
);

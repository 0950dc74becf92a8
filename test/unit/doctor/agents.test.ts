/** What `doctor` says of the programs of agents: the judgement, and the program as people run it. */
import { chmodSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkAgents } from '../../../src/doctor/agents.ts';
import { readUnits } from '../../../src/doctor/unit-file.ts';
import { renderSystemd } from '../../../src/host/service/units.ts';
import { agentOf } from '../../contract/agents/a2a-rig.ts';
import { fakeAcpAgent } from '../../kit/fake-acp-agent.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { runProgram } from '../cli/program.ts';

const PROBE = { ok: true, says: 'Claude Code' } as const;

describe('the judgement', () => {
  const levels = (...facts: Parameters<typeof checkAgents>[0]) =>
    checkAgents(facts).map(({ check, level }) => `${check} ${level}`);

  test('one line for each agent in order', () => {
    const sound = { name: 'claude', probe: PROBE, version: '0.101.0', login: 'yes' } as const;
    const [found] = checkAgents([sound]);
    expect(found).toMatchObject({ check: 'agent_program', level: 'ok' });
    expect(found?.finding).toBe(
      'The agent claude: Claude Code 0.101.0 starts and speaks the protocol. It is logged in.',
    );
    expect(checkAgents([{ name: 'shout' }])[0]?.finding).toBe(
      'The agent shout: its program can be started.',
    );
  });

  test('R29: an old Node, R9: no login, R8: a service that does not find it', () => {
    const oldNode = { own: '20.20.2', needed: '22.0.0' };
    const service = { unit: '/etc/x.service', what: 'there is no program x on the PATH' };
    expect(levels({ name: 'one', probe: PROBE, oldNode, service, login: 'no' })).toEqual([
      'agent_node warning',
      'agent_service warning',
      'agent_login warning',
    ]);
    const [, , login] = checkAgents([
      { name: 'one', oldNode, service, login: 'no', loginCommand: '/opt/one login' },
    ]);
    expect(login?.next).toContain('/opt/one login');
  });

  test('what keeps it from starting is a problem, and the first one explains the rest', () => {
    const notStartable = { what: 'there is no file /x', next: 'Check the path.' };
    expect(levels({ name: 'one', notStartable, missingFolder: '/gone' })).toEqual([
      'agent_program problem',
    ]);
    const probe = { ok: false, detail: 'It ended early.', said: 'Please log in' } as const;
    const [found] = checkAgents([{ name: 'one', probe }]);
    expect(found).toMatchObject({ level: 'problem', error: 'failed' });
    expect(found?.reason).toContain('It said: Please log in');
  });
});

test('the PATH of a unit is read from it, in whatever form it is written', () => {
  const folder = temporaryFolder();
  const facts = {
    node: '/usr/bin/node',
    program: '/opt/x.js',
    stateDir: '/s',
    secretFile: undefined,
  };
  const pathIn = (path: string | undefined, scope: 'user' | 'system' = 'user') => {
    writeFileSync(join(folder, 'lark-bridge.service'), renderSystemd(scope, { ...facts, path }));
    return readUnits([{ scope, folder }])[0]?.searchPath;
  };
  expect(pathIn('/opt/my tools/bin:/usr/bin')).toBe('/opt/my tools/bin:/usr/bin');
  expect(pathIn('/a:/b')).toBe('/a:/b');
  expect(pathIn('/a', 'system')).toMatch(/^\/usr\/local\/sbin:/);
});

describe('doctor', () => {
  let home: string;
  beforeEach(() => {
    home = realpathSync(temporaryFolder());
    mkdirSync(join(home, 'bin'));
  });
  const run = (...words: string[]) => {
    const PATH = `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`;
    return runProgram(words, { HOME: home, PATH, XDG_CONFIG_HOME: join(home, '.config') });
  };
  const doctor = async (where = '--offline') => {
    const { stdout } = await run('doctor', '--json', where);
    const { findings } = JSON.parse(stdout) as {
      findings: { check: string; level: string; finding: string }[];
    };
    return findings.filter(({ check }) => /^agent_(?:program|node|login|service)$/.test(check));
  };
  const addFake = (name: string, script = '', ...more: string[]) =>
    run('agents', 'add', name, '--acp', fakeAcpAgent(home, script).argv.join(' '), ...more);

  test('starts each agent that speaks the protocol, without a prompt, and leaves nothing', async () => {
    const agent = fakeAcpAgent(home);
    await addFake('good');
    await addFake('other', 'version=2');
    await addFake('dead', 'deadstart=3');
    const found = await doctor();
    expect(found.map(({ level }) => level)).toEqual(['ok', 'problem', 'problem']);
    expect(found[0]?.finding).toContain('The agent good: Fake starts and speaks the protocol.');
    expect(JSON.stringify(found[2])).toContain('Please log in');
    const asked = agent.received().map(({ method }) => method);
    expect(asked).toContain('initialize');
    expect(asked).not.toContain('session/prompt');
    expect(asked).not.toContain('session/new');
  });

  test('reads the card of an agent elsewhere, and asks it nothing', async () => {
    const agent = await agentOf(() => {});
    await run('agents', 'add', 'there', '--a2a', agent.url);
    await run('agents', 'add', 'gone', '--a2a', 'http://127.0.0.1:1');
    const found = await doctor('--json');
    expect(agent.called).toEqual([]);
    expect(found.map(({ level }) => level)).toEqual(['ok', 'problem']);
    expect(found[0]?.finding).toContain('The agent there: its card can be read');
    expect(found[1]?.finding).toContain("The agent gone can't be used: ");
    expect(await doctor()).toEqual([]);
  });

  test('R34: a folder that is gone, and a program that is gone', async () => {
    mkdirSync(join(home, 'work'));
    await addFake('one', '', '--folder', join(home, 'work'));
    rmSync(join(home, 'work'), { recursive: true });
    const tool = join(home, 'bin', 'tool');
    writeFileSync(tool, '#!/bin/sh\n');
    chmodSync(tool, 0o755);
    await run('agents', 'add', 'two', '--exec', 'tool');
    rmSync(tool);
    const said = (await doctor()).map(({ finding }) => finding);
    expect(said[0]).toContain(`works in ${join(home, 'work')}, which is no folder`);
    expect(said[1]).toContain('there is no program tool on the PATH');
  });

  test.runIf(process.platform === 'linux')('R8: a service with another PATH', async () => {
    const tool = join(home, 'bin', 'tool');
    writeFileSync(tool, '#!/bin/sh\n');
    chmodSync(tool, 0o755);
    await run('agents', 'add', 'two', '--exec', 'tool');
    expect((await doctor()).map(({ level }) => level)).toEqual(['ok']);
    const folder = join(home, '.config', 'systemd', 'user');
    mkdirSync(folder, { recursive: true });
    const facts = { node: process.execPath, program: tool, stateDir: home, secretFile: undefined };
    writeFileSync(
      join(folder, 'lark-bridge.service'),
      renderSystemd('user', { ...facts, path: '/usr/bin' }),
    );
    expect(await doctor()).toMatchObject([
      {
        check: 'agent_service',
        level: 'warning',
        finding: expect.stringContaining('tool') as string,
      },
    ]);
  });
});

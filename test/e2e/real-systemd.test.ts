/** The installed service in a real systemd, which is not that of this machine. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WAIT_MS } from '../kit/bounds.ts';
import { innerCgroups } from '../kit/cgroup.ts';
import { temporaryFolderForFile } from '../kit/folder.ts';
import { isProcessAlive } from '../kit/processes.ts';
import { Rig } from './rig.ts';
import { SystemdManager, whyNoManager } from './systemd-manager.ts';

const UNIT = 'lark-bridge.service';
const STATE_DIR = '/var/lib/lark-bridge';
const why = whyNoManager();

/** Says where it is, and leaves a process that nothing but its cgroup holds. The first one that shall wait does so. */
const AGENT = `text=$(cat)
env -i setsid sleep 900 > /dev/null 2>&1 < /dev/null &
case "$text" in *wait*) mkdir "$HOME/waited" 2> /dev/null && sleep 900;; esac
grep ^0:: /proc/self/cgroup`;

/** Times that a test can wait for. A stop must do with the ten seconds that are promised. */
const dropIn = (settings: readonly string[], log: string) => `[Service]
${settings.map((setting) => `Environment="${setting}"`).join('\n')}
RestartSec=100ms
WatchdogSec=6
TimeoutStopSec=10
StandardOutput=append:${log}
StandardError=append:${log}
ExecStopPost=/bin/sh -c 'echo ended: $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS'
`;

describe.skipIf(why !== undefined)(
  `the service in a real systemd${why === undefined ? '' : ` (${why})`}`,
  () => {
    const folder = temporaryFolderForFile();
    const log = join(folder, 'service.log');
    let rig: Rig;
    let manager: SystemdManager;

    beforeAll(async () => {
      rig = await Rig.open();
      manager = await SystemdManager.start(folder);
      const place = join(folder, 'units', `${UNIT}.d`);
      mkdirSync(place);
      writeFileSync(join(place, 'test.conf'), dropIn(settings(), log));
      const secretFile = join(folder, 'app-secret');
      writeFileSync(secretFile, rig.app.appSecret, { mode: 0o600 });
      await done([
        'agents',
        'add',
        'fugitive',
        '--state-dir',
        STATE_DIR,
        '--exec',
        `sh -c '${AGENT}'`,
      ]);
      // It waits for READY=1.
      await done(['service', 'install', '--system', '--secret-file', secretFile]);
    });

    afterAll(async () => {
      await manager?.stop();
      await rig?.close();
    });

    /** The secret comes as a credential, and the state directory is in the unit. */
    const settings = () =>
      Object.entries(rig.env)
        .filter(([name]) => /^LARK_(?!APP_SECRET|CHANNEL)|^NO_PROXY$/.test(name))
        .map(([name, value]) => `${name}=${value}`);

    async function done(words: readonly string[]): Promise<string> {
      const { code, stdout, stderr } = await manager.bridge(words);
      if (code !== 0) throw new Error(`${words.join(' ')}: ${stdout}${stderr}${logged()}`);
      return stdout;
    }
    const logged = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
    /** How systemd saw the ends of its lives. */
    const ends = () => [...logged().matchAll(/^ended: (.*)$/gm)].map(([, end]) => end);
    const show = (name: string) => manager.show(UNIT, name);
    const cgroup = () => join(manager.cgroup, 'system.slice', UNIT);
    const pidsIn = (name: string) =>
      readFileSync(join(cgroup(), name, 'cgroup.procs'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(Number);
    const toMain = (signal: string) =>
      manager.run(['systemctl', 'kill', '--kill-who=main', `--signal=${signal}`, UNIT]);
    const restarts = async () => Number(await show('NRestarts'));

    test('it is ready, and systemd hears that', async () => {
      expect(await show('ActiveState')).toBe('active');
      expect(await show('StatusText')).toBe('Takes and answers messages.');
      expect(await show('Delegate')).toBe('yes');
      expect(JSON.parse(await done(['service', 'status', '--system', '--json']))).toMatchObject({
        state: 'active',
        restarts: 0,
      });
    });

    test('doctor says that runs of agents get cgroups', async () => {
      const words = ['doctor', '--offline', '--json', '--state-dir', STATE_DIR];
      const { stdout } = await manager.bridge(words, settings());
      const { findings } = JSON.parse(stdout) as { findings: readonly { check: string }[] };
      expect(findings.filter(({ check }) => check === 'agent_processes')).toEqual([
        { check: 'agent_processes', level: 'ok', finding: expect.any(String) as string },
      ]);
    });

    test('a turn has a cgroup below that of the service, and nothing that it left lives after it', async () => {
      const { user, chat } = rig.direct('Mei');
      rig.cloud.say({ chat, from: user, text: 'hello' });
      const [reply] = await rig.repliesIn(chat, 1);
      expect(reply?.text).toMatch(
        /0::.*\/system\.slice\/lark-bridge\.service\/lark-bridge-[0-9a-f]{16}-[0-9a-f]{16}$/,
      );
      expect(innerCgroups(cgroup())).toEqual([]);
      expect(logged()).not.toContain('agent_cgroup_not');
      expect(pidsIn('.').map(nameOf)).not.toContain('sleep');
    });

    test('after SIGKILL it starts again, and the turn that was at work is answered', async () => {
      const { user, chat } = rig.direct('Lin');
      rig.cloud.say({ chat, from: user, text: 'wait' });
      const run = await vi.waitFor(() => {
        const [name = ''] = innerCgroups(cgroup());
        if (!pidsIn(name).map(nameOf).includes('sleep')) throw new Error('nothing sleeps yet');
        return name;
      }, WAIT_MS);
      const pids = pidsIn(run);
      const before = await restarts();
      await toMain('SIGKILL');
      const [reply] = await rig.repliesIn(chat, 1);
      expect(reply?.text).toContain('0::');
      expect(reply?.text).not.toContain(run);
      expect(await restarts()).toBe(before + 1);
      expect(ends().at(-1)).toBe('signal killed KILL');
      expect(pids.filter(isProcessAlive)).toEqual([]);
      expect(innerCgroups(cgroup())).toEqual([]);
    });

    test('when it hangs, the watchdog has it started again', async () => {
      await expect.poll(() => show('ActiveState')).toBe('active');
      const before = await restarts();
      await toMain('SIGSTOP');
      await expect.poll(restarts).toBe(before + 1);
      expect(ends().at(-1)).toMatch(/^watchdog /);
      await expect.poll(() => show('ActiveState')).toBe('active');
    });

    test('a stop in the middle of a turn ends it within ten seconds and with 0', async () => {
      const { user, chat } = rig.direct('Tom');
      await manager.run(['rmdir', `${STATE_DIR}/waited`]);
      rig.cloud.say({ chat, from: user, text: 'wait' });
      await expect.poll(() => innerCgroups(cgroup())).toHaveLength(1);
      await done(['service', 'stop', '--system']);
      expect(ends().at(-1)).toBe('success exited 0');
      expect(existsSync(cgroup())).toBe(false);
    });
  },
);

/** Empty if it has ended. */
function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

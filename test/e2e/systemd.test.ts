/** The daemon under a service manager: what it tells systemd, and when. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StandIns } from '../unit/host/stand-in.ts';
import { BridgeProcess, Rig, RUN } from './rig.ts';

let rig: Rig;
let folder: string;
let systemd: StandIns;

beforeEach(async () => {
  rig = await Rig.open();
  folder = mkdtempSync(join(tmpdir(), 'lark-bridge-notify-'));
  systemd = new StandIns(folder);
  systemd.add('systemd-notify');
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true, force: true });
});

const words = () => systemd.calls.map(({ args }) => args[0]);

/** As systemd starts it; a watchdog of 3 s is beaten once a second. */
const env = () => ({
  PATH: `${systemd.path}:${process.env['PATH']}`,
  NOTIFY_SOCKET: join(folder, 'notify'),
  WATCHDOG_USEC: '3000000',
});

test('LCM-CLI-07: systemd hears that it is ready, that it lives, how it is, and that it stops', async () => {
  const daemon = await rig.run({ env: env() });
  expect(words()[0]).toBe('READY=1');
  await expect.poll(() => words().slice(0, 3)).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
  const said = () => systemd.calls.flatMap(({ args }) => args);
  await expect.poll(said).toContain('STATUS=Takes and answers messages.');
  expect(await daemon.stop()).toBe(0);
  expect(words().at(-1)).toBe('STOPPING=1');
  for (const call of systemd.calls) {
    expect(call.env['NOTIFY_SOCKET']).toBe(join(folder, 'notify'));
    expect(JSON.stringify(call)).not.toContain(rig.app.appSecret);
  }
});

/**
 * Becomes the daemon, with descriptor 3 connected to a socket for datagrams, as systemd does for `OpenFile=`.
 * A child of it stays and notes what arrives, with the process that the kernel names as the sender.
 */
const SYSTEMD = `
import json, os, socket, struct, sys
path, notes, command = sys.argv[1], sys.argv[2], sys.argv[3:]
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
heard.bind(path)
said = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
said.connect(path)
daemon = os.getpid()
if os.fork() == 0:
    for fd in (0, 1, 2, said.fileno()): os.close(fd)
    heard.settimeout(0.1)
    with open(notes, 'a', buffering=1) as file:
        while os.getppid() == daemon:
            try: text, extra, _, _ = heard.recvmsg(4096, 256)
            except socket.timeout: continue
            pid = struct.unpack('3i', extra[0][2][:12])[0]
            file.write(json.dumps({'pid': pid, 'text': text.decode()}) + chr(10))
    os._exit(0)
descriptor = os.dup(said.fileno())
heard.close()
os.dup2(descriptor, 3, inheritable=True)
os.environ.update(LISTEN_PID=str(daemon), LISTEN_FDS='1', LISTEN_FDNAMES='notify')
os.execv(command[0], command)
`;

const hasPython = spawnSync('python3', ['-c', '']).status === 0;

test.skipIf(!hasPython || process.platform !== 'linux')(
  'F30: over the socket that systemd hands over, each word comes from the main process, and no agent gets the socket',
  async () => {
    await rig.addAgent('nosy', '[ -e /proc/self/fd/3 ] && echo open || echo closed');
    const notes = join(folder, 'notes');
    const bin = join(import.meta.dirname, '../../bin/lark-bridge.js');
    const daemon = new BridgeProcess(
      spawn(
        'python3',
        ['-c', SYSTEMD, join(folder, 'notify'), notes, process.execPath, bin].concat(RUN),
        { env: { ...rig.env, ...env() }, stdio: ['ignore', 'pipe', 'pipe'] },
      ),
    );
    try {
      await daemon.ready();
      const { user, chat } = rig.direct('Mei');
      rig.cloud.say({ chat, from: user, text: 'hello' });
      const [reply] = await rig.repliesIn(chat, 1);
      expect(reply?.text).toContain('closed');
      const heard = () =>
        readFileSync(notes, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { pid: number; text: string });
      await expect.poll(() => heard().map(({ text }) => text)).toContain('WATCHDOG=1');
      expect(await daemon.stop()).toBe(0);
      await expect.poll(() => heard().at(-1)?.text).toBe('STOPPING=1');
      expect(heard()[0]?.text).toMatch(/^READY=1\nSTATUS=/);
      expect(new Set(heard().map(({ pid }) => pid))).toEqual(new Set([daemon.child.pid]));
      // The other way is not used beside it.
      expect(systemd.calls).toEqual([]);
    } finally {
      daemon.child.kill('SIGKILL');
    }
  },
);

test('F30: `run` itself finds that the configuration is incomplete, and ends with 2, which no restart follows', async () => {
  const incomplete = { LARK_APP_SECRET: '', LARK_PORT: 'x', LARK_BRAND: 'y' };
  for (const command of [['config', 'check'], ['run']]) {
    const bad = await rig.command(command, { env: incomplete });
    expect(bad.code).toBe(2);
    for (const name of ['LARK_APP_SECRET', 'LARK_PORT', 'LARK_BRAND']) {
      expect(bad.stderr).toContain(name);
    }
  }
  expect(await rig.command(['config', 'check'])).toMatchObject({ code: 0, stderr: '' });
});

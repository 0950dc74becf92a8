/** The built program as people start it: exit codes, streams, signals, and what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startLarkCloud } from '../../../src/sim/server.ts';

const BIN = join(import.meta.dirname, '../../../bin/lark-bridge.js');
type Env = Readonly<Record<string, string>>;
type Event = Readonly<Record<string, unknown>>;

let home: string;
let temp: string;
let running: ChildProcess[];

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'lark-bridge-bin-'));
  home = join(folder, 'home');
  temp = join(folder, 'tmp');
  mkdirSync(home);
  mkdirSync(temp);
  running = [];
});
afterEach(async () => {
  for (const child of running) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  rmSync(join(home, '..'), { recursive: true, force: true });
});

function start(words: readonly string[], env: Env = {}, nodeOptions: readonly string[] = []) {
  const child = spawn(process.execPath, [...nodeOptions, BIN, ...words], {
    env: { PATH: process.env['PATH'], HOME: home, TMPDIR: temp, LARK_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  const events = () =>
    said.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Event);
  return { child, ended, said, events };
}

/** Starts something that stays, and waits for its ready line. */
async function startReady(words: readonly string[], env: Env = {}) {
  const started = start([...words, '--json'], env);
  await Promise.race([expect.poll(started.events).toHaveLength(1), started.ended]);
  const [ready] = started.events();
  expect(ready, started.said.stderr).toMatchObject({ event: 'ready' });
  return { ...started, ready: ready as Record<string, string> };
}

/** A simulated cloud, and the environment of its app. */
async function startCloud() {
  const cloud = await startLarkCloud();
  onTestFinished(() => cloud.stop());
  const app = cloud.addApp({ name: 'Bot' });
  return {
    LARK_APP_ID: app.appId,
    LARK_APP_SECRET: app.appSecret,
    LARK_OPEN_BASE_URL: cloud.openBaseUrl,
    LARK_ACCOUNTS_BASE_URL: cloud.accountsBaseUrl,
  };
}

const { dependencies } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'),
) as { dependencies: Readonly<Record<string, string>> };

test.each([
  ['--version'],
  ['--help'],
  ['agents', 'add', '--help'],
  ['config', 'get', '--frob'],
  ['__complete', 'config', 'get', ''],
])('%s %s loads no heavy part', async (...words) => {
  const hook = `import { writeSync } from 'node:fs';
    export async function resolve(name, context, next) {
      const found = await next(name, context);
      writeSync(2, found.url + '\\n');
      return found;
    }`;
  const register = `import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));`;
  const watch = ['--import', `data:text/javascript,${encodeURIComponent(register)}`];
  const { stderr } = await start(words, {}, watch).ended;
  const packages = new Set(
    [...stderr.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map(([, name]) => name),
  );
  expect([...packages]).toContain('yargs');
  for (const heavy of Object.keys(dependencies)) {
    if (heavy !== 'yargs') expect([...packages]).not.toContain(heavy);
  }
  expect(stderr).not.toMatch(/dist\/(?:app|sim|lark|hub|store|bridge)\b/);
});

describe('a program that stays', () => {
  test('hub says where it is, and stops with 0 at SIGTERM', async () => {
    const { child, ended, ready } = await startReady(['hub']);
    const { status } = await fetch(`${ready['hub_url']}/health`);
    expect(status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0 });
  });

  test('what it logs goes to stderr, as the flags say', async () => {
    const logOf = async (...flags: string[]) => {
      const { child, ended } = await startReady(['hub', ...flags]);
      child.kill('SIGTERM');
      return (await ended).stderr;
    };
    expect(await logOf()).toMatch(/ INFO {2}hub_started /);
    expect(JSON.parse((await logOf('--log-format', 'json')).split('\n')[0] ?? '')).toMatchObject({
      level: 'info',
      event: 'hub_started',
    });
    expect(await logOf('--quiet')).toBe('');
  });

  test('a second one on the state directory ends with 5, and names the first', async () => {
    const first = await startReady(['hub']);
    const second = await start(['hub', '--json']).ended;
    expect(second.code).toBe(5);
    expect(second.stderr).toContain(`process ${first.child.pid}`);
    expect(JSON.parse(second.stdout)).toMatchObject({ event: 'error', code: 'already_running' });
  });

  test('after a SIGKILL nothing stands in the way of the next', async () => {
    const first = await startReady(['hub']);
    first.child.kill('SIGKILL');
    await first.ended;
    const next = await startReady(['hub']);
    next.child.kill('SIGINT');
    expect(await next.ended).toMatchObject({ code: 0 });
  });

  test('simulate prints the environment for a bridge', async () => {
    const { child, ended, said } = start(['simulate']);
    await expect.poll(() => said.stdout).toContain('LARK_ACCOUNTS_BASE_URL=');
    child.kill('SIGTERM');
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    const [first, ...exported] = stdout.trimEnd().split('\n');
    expect(first).toMatch(/^# .*http:\/\/127\.0\.0\.1:\d+/);
    for (const line of exported) expect(line).toMatch(/^export LARK_[A-Z_]+=\S+$/);
  });
});

describe('run, with a simulated cloud', () => {
  test('a second bridge on the same app ends with 5, even with another state directory', async () => {
    const cloud = await startCloud();
    const first = await startReady(['run'], cloud);
    const second = await start(['run', '--state-dir', join(home, 'other')], cloud).ended;
    expect(second.code).toBe(5);
    expect(second.stderr).toContain(`process ${first.child.pid}, state directory`);
    first.child.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0 });
  });

  test('SIGHUP, as from a terminal that is closed, stops it cleanly like SIGTERM', async () => {
    const { child, ended } = await startReady(['run'], await startCloud());
    child.kill('SIGHUP');
    expect(await ended).toMatchObject({ code: 0 });
    expect(readdirSync(join(home, '.lark-bridge'))).not.toContain('bridge.db-wal');
  });

  test('credentials that Lark refuses end it with 3, and are not shown', async () => {
    const cloud = await startCloud();
    const wrong = 'a-secret-that-is-wrong';
    const { code, stdout, stderr } = await start(['run'], { ...cloud, LARK_APP_SECRET: wrong })
      .ended;
    expect(code).toBe(3);
    expect(stderr).toMatch(/\nnext: .*LARK_APP_SECRET/);
    expect(stdout + stderr).not.toContain(wrong);
  });

  test('settings are missing: 2', async () => {
    expect(await start(['run']).ended).toMatchObject({ code: 2 });
  });
});

describe('demo', () => {
  test('plays its conversation, warns of nothing, ends with 0 and leaves nothing behind', async () => {
    const { ended, events } = start(['demo', '--once', '--json']);
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
    expect(stderr).not.toMatch(/WARN|ERROR/);
    const [ready, ...rest] = events();
    expect(ready).toMatchObject({
      event: 'ready',
      hub_url: expect.stringMatching(/^http/) as string,
      page_url: expect.stringMatching(/^http.*\/_page\/$/) as string,
    });
    expect(rest.at(-1)).toEqual({ event: 'done', replies: 5 });
    const told = rest.slice(0, -1);
    expect(told.filter(({ from }) => from === 'bot')).toHaveLength(5);
    expect(told.filter(({ from }) => from === 'user')).toHaveLength(6);
    expect([readdirSync(home), readdirSync(temp)]).toEqual([[], []]);
  });

  test.each(['SIGHUP', 'SIGTERM'] as const)(
    '%s in the middle leaves nothing behind',
    async (name) => {
      const { child, ended } = await startReady(['demo', '--once']);
      child.kill(name);
      expect(await ended).toMatchObject({ code: 130 });
      expect([readdirSync(home), readdirSync(temp)]).toEqual([[], []]);
    },
  );

  test.runIf(process.platform === 'linux' && existsSync('/usr/bin/script'))(
    'a person chats, and closes the terminal: it ends with 0 and leaves nothing behind',
    async () => {
      // The shell outlives the terminal to note how the program ended.
      const shell = `trap '' HUP; '${process.execPath}' '${BIN}' demo; echo "code $?" > '${home}/end'`;
      const terminal = spawn('/usr/bin/script', ['-qec', shell, '/dev/null'], {
        env: { PATH: process.env['PATH'], HOME: home, TMPDIR: temp, LARK_PORT: '0' },
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      running.push(terminal);
      let shown = '';
      terminal.stdout.on('data', (chunk: Buffer) => {
        shown += chunk.toString();
      });
      await expect.poll(() => shown).toContain('Write something');
      terminal.kill('SIGKILL');
      await expect.poll(() => readdirSync(home)).toEqual(['end']);
      await expect.poll(() => readFileSync(join(home, 'end'), 'utf8')).toBe('code 0\n');
      expect(readdirSync(temp)).toEqual([]);
    },
  );

  test('without a terminal it plays by itself, whatever the person has set', async () => {
    const { code, stdout } = await start(['demo'], {
      LARK_APP_ID: 'nonsense',
      PLATFORM_URL: 'http://127.0.0.1:9',
      HTTP_PROXY: 'http://127.0.0.1:9',
    }).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/Mia: Say this once\.\n +Echo, in reply: Say this once\.\n/);
  });

  test('nobody reads its output: harmless', async () => {
    const { child, ended } = start(['demo', '--once']);
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ code: 0 });
  });
});

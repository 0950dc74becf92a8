/** `doctor` as people run it, with one thing wrong at a time. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { isReadableByAll } from '../../src/host/service/stable-path.ts';
import { SCOPE_NEEDS } from '../../src/lark/app-needs.ts';
import { SCOPE_GROUP_MESSAGES, SCOPE_SELF_MANAGE } from '../../src/sim/world/scopes.ts';
import { createCertificate } from '../kit/certificate.ts';
import { Rig } from './rig.ts';

interface Found {
  readonly check: string;
  readonly level: 'ok' | 'note' | 'warning' | 'problem';
  readonly finding: string;
  readonly reason?: string;
  readonly next?: string;
}

interface Report {
  readonly code: number | null;
  readonly worst: string;
  readonly exit_code: number;
  readonly findings: readonly Found[];
}

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

type Env = Record<string, string>;

async function doctor(env: Env = {}, ...words: string[]): Promise<Report> {
  // Unless told otherwise there is no accounts service apart from the platform.
  const options = { env: { LARK_ACCOUNTS_BASE_URL: rig.cloud.openBaseUrl, ...env } };
  const all = ['doctor', '--json', ...words];
  // Node reads its own variables as it starts.
  const ofNode = 'NODE_EXTRA_CA_CERTS' in env;
  const { code, stdout, stderr } = await (ofNode ? rig.program : rig.command).call(
    rig,
    all,
    options,
  );
  expect(stderr).toBe('');
  return { code, ...(JSON.parse(stdout) as Omit<Report, 'code'>) };
}

const trouble = ({ findings }: Report) =>
  findings.filter(({ level }) => level === 'warning' || level === 'problem');
const of = ({ findings }: Report, check: string) =>
  findings.filter((found) => found.check === check);

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Every file below a folder, with what tells that it was not touched. */
function traces(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, mtimeMs, size } = statSync(path);
      return [path, `${mode} ${mtimeMs} ${size}`];
    }),
  );
}

describe('where nothing is wrong', () => {
  test('before the first start: exit code 0, and nothing is made', async () => {
    const report = await doctor();
    expect(trouble(report)).toEqual([]);
    expect(report).toMatchObject({ code: 0, exit_code: 0, worst: 'note' });
    for (const check of ['node', 'settings', 'secret', 'long_connection', 'bot', 'clock']) {
      expect(of(report, check), check).toMatchObject([{ level: 'ok' }]);
    }
    expect(of(report, 'rights')).toMatchObject([{ level: 'note' }]);
    expect(readdirSync(rig.home)).toEqual([]);
  });

  test('beside a daemon: it says so, takes no event away, and knows what came last', async () => {
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'hello' });
    await rig.repliesIn(chat, 1);
    const [opened] = SCOPE_NEEDS.enteredEvents.anyOf;
    rig.app.scopes.add(SCOPE_SELF_MANAGE).add(SCOPE_GROUP_MESSAGES).add(opened);
    const report = await doctor();
    expect(trouble(report)).toEqual([]);
    expect(report.code).toBe(0);
    const wanted = ['daemon', 'database', 'quota', 'permissions', 'events', 'card_callback'];
    for (const check of [...wanted, 'connections', 'traffic']) {
      expect(of(report, check), check).toMatchObject([{ level: 'ok' }]);
    }
    expect(rig.cloud.online(rig.app)).toBe(1);
    rig.cloud.say({ chat, from: user, text: 'still there?' });
    await rig.repliesIn(chat, 2);
  });

  test('after a daemon: its files are left as they are', async () => {
    const daemon = await rig.runHere();
    await daemon.stop();
    // A look opens the file as a reader, which may leave an empty log of writes.
    const before = traces(rig.stateDir);
    const report = await doctor();
    expect(of(report, 'database')).toMatchObject([{ level: 'ok' }]);
    expect(of(report, 'daemon')).toMatchObject([{ level: 'note' }]);
    const after = traces(rig.stateDir);
    for (const [path, trace] of Object.entries(before)) {
      if (!/-(?:wal|shm)$/.test(path)) expect(after[path], path).toBe(trace);
    }
  });

  test('for people: a list with reasons and next steps, and the counts', async () => {
    const { code, stdout } = await rig.command(['doctor'], { env: { LARK_APP_SECRET: 'wrong' } });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^lark-bridge \S+, state directory /);
    expect(stdout).toMatch(/^✗ app secret: .+\n {2}why: .+\n {2}next: .+$/m);
    expect(stdout).toMatch(/\n\n1 problem, .*\d ok\.\n$/);
  });

  test('--offline asks nobody', async () => {
    const report = await doctor({}, '--offline');
    expect(report.code).toBe(0);
    expect(rig.cloud.calls({})).toEqual([]);
    expect(of(report, 'secret')).toEqual([]);
    expect(of(report, 'online')).toMatchObject([{ level: 'note' }]);
  });
});

describe('settings', () => {
  test('missing credentials: exit code 2, and the network is looked at all the same', async () => {
    const report = await doctor({ LARK_APP_ID: '', LARK_APP_SECRET: '' });
    expect(report.code).toBe(2);
    expect(of(report, 'settings')).toHaveLength(2);
    expect(of(report, 'settings')[0]?.next).toContain('lark-bridge connect');
    expect(of(report, 'reach_open')).toMatchObject([{ level: 'ok' }]);
  });

  test('a value that makes no sense is named', async () => {
    const report = await doctor({ LARK_PORT: 'many' });
    expect(report.code).toBe(2);
    expect(of(report, 'settings')[0]?.finding).toContain('LARK_PORT must be');
    expect(of(report, 'others')).toMatchObject([{ level: 'note' }]);
  });

  test('a broken config.json is told and left where it is', async () => {
    mkdirSync(rig.stateDir, { mode: 0o700 });
    writeFileSync(join(rig.stateDir, 'config.json'), '{"hub_port"', { mode: 0o600 });
    const report = await doctor();
    expect(report.code).toBe(2);
    expect(of(report, 'settings')[0]?.finding).toContain('config.json: it is not JSON');
    expect(readdirSync(rig.stateDir)).toEqual(['config.json']);
  });
});

describe('the app', () => {
  test('a wrong secret: exit code 3, and where to get the right one', async () => {
    const report = await doctor({ LARK_APP_SECRET: 'wrong' });
    expect(report).toMatchObject({ code: 3, worst: 'problem' });
    expect(trouble(report)).toMatchObject([{ check: 'secret', level: 'problem' }]);
    expect(trouble(report)[0]?.next).toContain(`/app/${rig.app.appId}`);
  });

  test('the wrong cloud: exit code 3, and the brand to set', async () => {
    rig.cloud.faults.inject({ kind: 'bootstrap_refused', code: 1000040351, msg: 'wrong domain' });
    const report = await doctor();
    expect(report.code).toBe(3);
    expect(trouble(report)).toMatchObject([{ check: 'brand', level: 'problem' }]);
    expect(trouble(report)[0]?.next).toContain('LARK_BRAND=lark');
  });

  test('a bot that is switched off', async () => {
    rig.app.botEnabled = false;
    const report = await doctor();
    expect(report.code).toBe(3);
    expect(trouble(report)).toMatchObject([{ check: 'bot', level: 'problem' }]);
  });

  test('permissions and events that are missing, each with its page', async () => {
    rig.app.scopes.add(SCOPE_SELF_MANAGE);
    rig.app.scopes.delete('im:message:send_as_bot');
    rig.app.scopes.delete('im:message.reactions:write_only');
    rig.app.subscriptions.delete('im.message.receive_v1');
    rig.app.subscriptions.delete('card.action.trigger');
    const report = await doctor();
    expect(report.code).toBe(3);
    expect(trouble(report).map(({ check, level }) => [check, level])).toEqual([
      ['permissions', 'problem'],
      ['permissions', 'warning'],
      ['events', 'problem'],
      ['card_callback', 'warning'],
    ]);
    expect(of(report, 'permissions')[0]?.next).toContain('q=im:message:send_as_bot,');
  });

  test('somebody else on the app', async () => {
    rig.cloud.setStrangers(rig.app, 1);
    const report = await doctor();
    expect(report.code).toBe(0);
    expect(trouble(report)).toMatchObject([{ check: 'connections', level: 'warning' }]);
  });
});

describe('the network', () => {
  test('a closed port: exit code 4, said once', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => {
      server.close(resolve);
    });
    const report = await doctor({ LARK_OPEN_BASE_URL: `http://127.0.0.1:${port}` });
    expect(report.code).toBe(4);
    expect(trouble(report)).toMatchObject([{ check: 'reach_open', level: 'problem' }]);
    expect(trouble(report)[0]?.finding).toContain('refused');
  });

  test('a host that never answers takes seconds, not minutes', async () => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const report = await doctor({ LARK_OPEN_BASE_URL: `http://127.0.0.1:${port}` });
    expect(report.code).toBe(4);
    expect(of(report, 'reach_open')[0]?.finding).toContain('no answer within 5 s');
  });

  test('a clock that is off: the answers of Lark say so', async () => {
    const front = createServer((incoming, answer) => {
      const { method, url, headers } = incoming;
      const passed = request(rig.cloud.openBaseUrl + (url ?? ''), { method, headers }, (back) => {
        const date = new Date(Date.now() - 3 * 60_000).toUTCString();
        answer.writeHead(back.statusCode ?? 500, { ...back.headers, date });
        back.pipe(answer);
      });
      incoming.pipe(passed);
    });
    const base = `http://127.0.0.1:${await listen(front)}`;
    const report = await doctor({ LARK_OPEN_BASE_URL: base, LARK_ACCOUNTS_BASE_URL: base });
    expect(report.code).toBe(0);
    expect(trouble(report)).toMatchObject([{ check: 'clock', level: 'warning' }]);
    expect(trouble(report)[0]?.finding).toContain('3 minutes ahead of');
  });

  test('a proxy that opens connections: NODE_EXTRA_CA_CERTS is the step, and it is the right one', async () => {
    const { certPem: cert, keyPem: key } = createCertificate('localhost');
    const front = createTlsServer({ cert, key }, (incoming, answer) => {
      const { method, url, headers } = incoming;
      const passed = request(rig.cloud.openBaseUrl + (url ?? ''), { method, headers }, (back) => {
        answer.writeHead(back.statusCode ?? 500, back.headers);
        back.pipe(answer);
      });
      incoming.pipe(passed);
    });
    const base = `https://localhost:${await listen(front)}`;
    const env = { LARK_OPEN_BASE_URL: base, NO_PROXY: '127.0.0.1,localhost' };
    const report = await doctor(env);
    expect(report.code).toBe(4);
    expect(of(report, 'reach_open')[0]?.next).toContain('NODE_EXTRA_CA_CERTS');
    const file = join(rig.home, 'authority.pem');
    writeFileSync(file, cert);
    const cured = await doctor({ ...env, NODE_EXTRA_CA_CERTS: file });
    expect(of(cured, 'reach_open')).toMatchObject([{ level: 'ok' }]);
  });

  test('a hub on this machine must not be reached through a proxy', async () => {
    const report = await doctor({
      HTTP_PROXY: 'http://me:geheim@127.0.0.1:9',
      NO_PROXY: '127.0.0.1',
      PLATFORM_URL: 'http://localhost:4001',
      WORKSPACE_ID: 'w',
      MOLECULE_WORKSPACE_TOKEN: 'token',
      MOLECULE_TARGET_WORKSPACE_ID: 't',
    });
    expect(of(report, 'proxy')).toMatchObject([{ level: 'warning' }]);
    expect(of(report, 'proxy')[0]?.next).toContain('NO_PROXY=localhost');
    expect(JSON.stringify(report)).not.toContain('geheim');
  });
});

describe('this machine', () => {
  test('another process with the app, on another state directory: told, and no problem', async () => {
    await rig.runHere();
    const report = await doctor({ LARK_CHANNEL_STATE_DIR: join(rig.home, 'other') });
    expect(report.code).toBe(0);
    expect(of(report, 'second_process')).toMatchObject([{ level: 'warning' }]);
    expect(of(report, 'second_process')[0]?.finding).toContain(rig.stateDir);
  });

  test('a port of the hub that another program has', async () => {
    const port = await listen(createServer());
    const report = await doctor({ LARK_PORT: String(port) });
    expect(report.code).toBe(1);
    expect(trouble(report)).toMatchObject([{ check: 'hub', level: 'problem' }]);
  });

  test('a hub elsewhere that is off: exit code 4', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => {
      server.close(resolve);
    });
    const report = await doctor({
      PLATFORM_URL: `http://127.0.0.1:${port}`,
      WORKSPACE_ID: '11111111-1111-4111-8111-111111111111',
      MOLECULE_WORKSPACE_TOKEN: 'token-of-the-workspace',
      MOLECULE_TARGET_WORKSPACE_ID: '22222222-2222-4222-8222-222222222222',
    });
    expect(report.code).toBe(4);
    expect(trouble(report)).toMatchObject([{ check: 'hub', level: 'problem' }]);
    expect(JSON.stringify(report)).not.toContain('token-of-the-workspace');
  });

  test('an agent that is not there', async () => {
    const daemon = await rig.runHere();
    await daemon.stop();
    const report = await doctor({ LARK_BRIDGE_AGENT: 'nobody' });
    expect(report.code).toBe(2);
    expect(trouble(report)).toMatchObject([{ check: 'agent', level: 'problem' }]);
  });

  // Root may write everywhere; `nobody` may not, if it can get at the program at all.
  const isRoot = process.getuid?.() === 0;
  test.skipIf(isRoot && !isReadableByAll(BIN))(
    'a state directory that can only be read',
    async () => {
      const daemon = await rig.runHere();
      await daemon.stop();
      chmodSync(rig.home, 0o755);
      chmodSync(rig.stateDir, 0o500);
      const nobody = 65_534;
      if (isRoot) {
        for (const entry of ['', ...readdirSync(rig.stateDir)]) {
          chownSync(join(rig.stateDir, entry), nobody, nobody);
        }
      }
      const child = spawn(process.execPath, [BIN, 'doctor', '--json', '--offline'], {
        env: rig.env,
        ...(isRoot && { uid: nobody, gid: nobody }),
      });
      let said = '';
      child.stdout.on('data', (chunk) => (said += String(chunk)));
      child.stderr.on('data', (chunk) => (said += String(chunk)));
      const code = await new Promise((resolve) => {
        child.once('close', resolve);
      });
      expect(code, said).toBe(1);
      const report = JSON.parse(said) as Report;
      expect(of(report, 'state_directory')).toMatchObject([{ level: 'problem' }]);
      expect(of(report, 'state_directory')[0]?.finding).toContain("can't be written to");
      chmodSync(rig.stateDir, 0o700);
    },
  );

  test('files that others may read', async () => {
    mkdirSync(rig.stateDir, { mode: 0o700 });
    chmodSync(rig.stateDir, 0o755);
    const path = join(rig.stateDir, 'credentials.json');
    writeFileSync(path, JSON.stringify({ app_id: rig.app.appId, app_secret: rig.app.appSecret }));
    chmodSync(path, 0o644);
    const report = await doctor();
    expect(report.code).toBe(0);
    expect(of(report, 'state_directory')).toMatchObject([{ level: 'warning' }]);
    expect(of(report, 'state_directory')[0]?.next).toContain(path);
  });

  test('a damaged database: exit code 2, and it stays where it is', async () => {
    const daemon = await rig.run();
    await daemon.stop();
    const path = join(rig.stateDir, 'bridge.db');
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4096);
    writeFileSync(path, bytes);
    const report = await doctor();
    expect(report.code).toBe(2);
    expect(trouble(report)).toMatchObject([{ check: 'database', level: 'problem' }]);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readdirSync(rig.stateDir).filter((name) => name.includes('corrupt'))).toEqual([]);
  });

  test('a service whose Node.js is gone', async () => {
    const folder = join(rig.home, '.config/systemd/user');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'lark-bridge.service'),
      '[Service]\nExecStart=/gone/bin/node /gone/bin/lark-bridge run\n',
    );
    const report = await doctor();
    expect(report.code).toBe(1);
    expect(of(report, 'service')[0]?.finding).toContain('/gone/bin/node');
  });

  test('a daemon that an upgrade has left behind', async () => {
    await rig.runHere();
    // What a daemon of another version would have noted.
    const { Db } = await import('../../src/store/sqlite/db.ts');
    const { DaemonTable } = await import('../../src/store/sqlite/bridge/daemon.ts');
    await expect
      .poll(async () => {
        const db = Db.openExisting(join(rig.stateDir, 'bridge.db'));
        const table = db && new DaemonTable(db);
        const sign = table?.read();
        if (sign !== undefined) {
          const status = JSON.stringify({
            ...(JSON.parse(sign.status) as object),
            version: '0.0.9',
          });
          await table?.write({ ...sign, status });
        }
        db?.close();
        return of(await doctor({}, '--offline'), 'daemon_version')[0]?.finding;
      })
      .toContain('0.0.9');
  });
});

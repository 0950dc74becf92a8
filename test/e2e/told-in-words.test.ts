/** F26: what a person can mend is told in words: by the real program, in bad surroundings. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/store/sqlite/driver.ts';
import { createCertificate } from '../kit/certificate.ts';
import { Rig } from './rig.ts';

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');
let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});
afterEach(() => rig.close());

/** Runs the program under a limit of open files. */
async function runUnder(filesMax: number) {
  const child = spawn(
    'sh',
    ['-c', `ulimit -n ${filesMax} && exec "$@"`, 'sh', process.execPath, BIN, 'run'],
    { env: rig.env, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

function write(name: string, text: string): string {
  const path = join(rig.home, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

describe('F26: too few open files', () => {
  test.each([24, 40, 64])('at the start with a limit of %i', async (filesMax) => {
    const { code, stderr } = await runUnder(filesMax);
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/^next: Raise the limit: `ulimit -n 4096`/m);
    expect(stderr).not.toMatch(/bug|report|\n +at /);
  });

  test('while it runs: the log and `status` say so, and it goes on when some are closed', async () => {
    const bridge = await rig.run({ openFilesMax: 256 });
    const { hub_url: url } = await bridge.ready();
    const { hostname, port } = new URL(url);
    const sockets: Socket[] = [];
    for (let index = 0; index < 300; index += 1) {
      const socket = connectSocket(Number(port), hostname);
      socket.on('error', () => {});
      sockets.push(socket);
    }
    await bridge.saw(() => /health_changed.*EMFILE/.test(bridge.stderr));
    expect(bridge.stderr).toMatch(/health_changed.*"ready":false.*ulimit -n 4096/);
    for (const socket of sockets) socket.destroy();
    const isReady = () =>
      bridge.stderr.split('\n').findLast((line) => line.includes('health_changed'));
    await bridge.saw(() => isReady()?.includes('"ready":true') === true);
    const { user, chat } = rig.direct('Mia');
    rig.cloud.say({ chat, from: user, text: 'still there?' });
    await rig.repliesIn(chat, 1);
  });
});

describe('F26: a certificate and a key that can not be used', () => {
  const pair = createCertificate('localhost');
  const wrongKeys: readonly (readonly [string, string])[] = [
    ['of another certificate', createCertificate('localhost').keyPem],
    ['that is empty', ''],
  ];

  test.each(wrongKeys)('a key %s ends the start with 2', async (_name, keyPem) => {
    const env = {
      LARK_TLS_CERT: write('cert.pem', pair.certPem),
      LARK_TLS_KEY: write('key', keyPem),
    };
    for (const words of [['run'], ['config', 'check']]) {
      const { code, stderr } = await rig.command(words, { env });
      expect([code, stderr]).toEqual([2, expect.stringMatching(/LARK_TLS_KEY names .*\nnext: /)]);
    }
    const { stdout } = await rig.command(['doctor', '--offline', '--json'], { env });
    expect(stdout).toMatch(/"check":"protection","level":"problem"/);
  });

  test('a folder, and a file that is not there, end the start with 2', async () => {
    for (const LARK_TLS_KEY of [rig.home, join(rig.home, 'missing')]) {
      const env = { LARK_TLS_CERT: write('cert.pem', pair.certPem), LARK_TLS_KEY };
      const { code, stderr } = await rig.command(['run'], { env });
      expect([code, stderr]).toEqual([2, expect.stringMatching(/LARK_TLS_KEY names .*\nnext: /)]);
    }
  });

  test('one that has expired is told, and the bot goes on', async () => {
    const old = createCertificate('localhost', -9);
    const env = {
      LARK_TLS_CERT: write('cert.pem', old.certPem),
      LARK_TLS_KEY: write('key', old.keyPem),
    };
    const bridge = await rig.runHere({ env });
    expect(bridge.logged('tls_certificate_refused_by_clients')).toBe(true);
    const check = await rig.command(['config', 'check'], { env });
    expect(check).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^warning: .*has expired/) as string,
    });
  });
});

describe('F26: a state directory that can not be used', () => {
  test('a table that is missing ends each command with 2, and names the table', async () => {
    await (await rig.runHere()).stop();
    const path = join(rig.stateDir, 'bridge.db');
    const database = connect(path);
    database.exec('PRAGMA foreign_keys = OFF; DROP TABLE outbox');
    database.close();
    for (const words of [['run'], ['hub'], ['status'], ['turns']]) {
      const { code, stderr } = await rig.command(words);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/lacks the .*outbox.*\nnext: /)]);
    }
    const { stdout } = await rig.command(['doctor', '--offline', '--json']);
    expect(stdout).toMatch(/was changed by another program/);
  });

  test.each([
    ['bridge.db', 1],
    ['instance.lock', 1],
    ['provision-token', 2],
  ])('a folder with the name %s is told with its path', async (name, exit) => {
    mkdirSync(join(rig.stateDir, name), { recursive: true, mode: 0o700 });
    chmodSync(rig.stateDir, 0o700);
    const { code, stderr } = await rig.command(['run']);
    expect([code, stderr]).toEqual([exit, expect.stringMatching(/\nnext: /)]);
    expect(stderr).toContain(join(rig.stateDir, name));
    expect(readdirSync(rig.stateDir)).toContain(name);
  });

  test('an address of another machine ends the start with 2', async () => {
    for (const env of [
      { LARK_HOST: '192.0.2.7', LARK_ALLOW_PLAIN_HTTP: '1' },
      { LARK_BRIDGE_HEALTH_ADDRESS: '192.0.2.7:9464', LARK_ALLOW_PLAIN_HTTP: '1' },
    ]) {
      const { code, stderr } = await rig.command(['run'], { env });
      expect([code, stderr]).toEqual([2, expect.stringMatching(/192\.0\.2\.7.*\nnext: /)]);
    }
  });
});

test('F31: the pages for monitors reach other machines only with a word that they may', async () => {
  const env = { LARK_BRIDGE_HEALTH_ADDRESS: '0.0.0.0:0' };
  for (const words of [['run'], ['config', 'check']]) {
    const { code, stderr } = await rig.command(words, { env });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/\nnext: .*LARK_ALLOW_PLAIN_HTTP/)]);
  }
  const doctor = await rig.command(['doctor', '--offline', '--json'], { env });
  expect(doctor.stdout).toMatch(/"check":"protection","level":"problem"/);
  const hub = await rig.command(['config', 'check'], { env: { LARK_HOST: '0.0.0.0' } });
  expect([hub.code, hub.stderr]).toEqual([2, expect.stringMatching(/LARK_HOST is 0\.0\.0\.0/)]);
  await rig.runHere({ env: { ...env, LARK_ALLOW_PLAIN_HTTP: '1' } });
});

test('F27: doctor names credentials that others may read once', async () => {
  mkdirSync(rig.stateDir, { mode: 0o700 });
  const { appId, appSecret } = rig.app;
  const path = join(rig.stateDir, 'credentials.json');
  writeFileSync(path, JSON.stringify({ app_id: appId, app_secret: appSecret }));
  chmodSync(path, 0o644);
  const env = { LARK_APP_ID: '', LARK_APP_SECRET: '' };
  const { stdout } = await rig.command(['doctor', '--offline', '--json'], { env });
  const { findings } = JSON.parse(stdout) as { findings: { finding: string }[] };
  expect(findings.filter(({ finding }) => finding.includes(path))).toHaveLength(1);
});

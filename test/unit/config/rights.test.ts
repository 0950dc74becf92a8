/** Whose the state directory and the secrets in it are: real folders, real rights. */
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openState } from '../../../src/app/state.ts';
import { createCredentialStore, loadCredentials } from '../../../src/config/credentials.ts';
import { checkConfig, loadConfig, saveSetting } from '../../../src/config/load.ts';
import type { BridgeError } from '../../../src/core/errors.ts';
import { type Service, stopAll } from '../../../src/time/service.ts';
import { Secret } from '../../../src/core/secret.ts';
import { namedSecretTrouble } from '../../../src/files/rights.ts';
import {
  createSecretReader,
  loadOrCreateSecret,
  warnOfOpenSecrets,
} from '../../../src/host/secret-files.ts';
import { workspaceTokenFile } from '../../../src/host/workspace-token.ts';
import { createCertificate } from '../../kit/certificate.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog } from '../../kit/log.ts';
import { runProgram } from '../cli/program.ts';

const APP = 'cli_0123456789abcdef';
const OTHER_USER = 6666;
const isRoot = process.getuid?.() === 0;
let home: string;
let stateDir: string;

beforeEach(() => {
  home = temporaryFolder();
  stateDir = join(home, 'state');
  mkdirSync(stateDir, { mode: 0o700 });
});

const request = () => ({ env: { HOME: home }, flags: { stateDir } });
const at = (name: string) => join(stateDir, name);

function write(name: string, text: string, { mode = 0o600, uid = process.getuid?.() } = {}): void {
  writeFileSync(at(name), text);
  chmodSync(at(name), mode);
  if (uid !== undefined && isRoot) chownSync(at(name), uid, uid);
}

const writeCredentials = (rights: { mode?: number; uid?: number } = {}) =>
  write('credentials.json', JSON.stringify({ app_id: APP, app_secret: 'kept' }), rights);

async function refusalOf(work: () => unknown): Promise<BridgeError> {
  try {
    await work();
  } catch (error) {
    return error as BridgeError;
  }
  return expect.fail('it was not refused');
}

describe('F9: a state directory that others may write to', () => {
  beforeEach(() => chmodSync(stateDir, 0o777));

  test('is refused with the command that mends it, before anything in it is read', async () => {
    write('config.json', 'no JSON at all');
    const error = await refusalOf(() => loadConfig(request()));
    expect(error).toMatchObject({ code: 'config_invalid', exitCode: 2 });
    expect(error.message).toContain(`${stateDir}: other users may write to it (777)`);
    expect(error.next).toContain(`chmod 700 ${stateDir}`);
  });

  test('gets no setting and no bot', async () => {
    const works = [
      () => saveSetting('hubPort', '5001', request()),
      () => createCredentialStore(stateDir, { force: false }).admit(),
    ];
    for (const work of works) {
      expect(await refusalOf(work)).toMatchObject({ code: 'config_invalid', exitCode: 2 });
    }
    expect(readdirSync(stateDir)).toEqual([]);
  });

  test.each([['run'], ['hub'], ['status'], ['turns'], ['config'], ['doctor', '--offline']])(
    '`%s` says so',
    async (...words) => {
      const env = { HOME: home, LARK_APP_ID: APP, LARK_APP_SECRET: 'x' };
      const ended = await runProgram([...words, '--state-dir', stateDir], env);
      expect(ended.code).toBe(2);
      expect(`${ended.stdout}${ended.stderr}`).toContain(`chmod 700 ${stateDir}`);
      expect(readdirSync(stateDir)).toEqual([]);
    },
  );
});

test.runIf(isRoot)('F9: a start in a state directory of another user is refused', async () => {
  chownSync(stateDir, OTHER_USER, OTHER_USER);
  const error = await refusalOf(() => loadConfig({ ...request(), needs: ['state'] }));
  expect(error).toMatchObject({ code: 'config_invalid', exitCode: 2 });
  expect(error.message).toContain(`it belongs to another user (uid ${OTHER_USER})`);
  for (const words of [['run'], ['hub']]) {
    const env = { HOME: home, LARK_APP_ID: APP, LARK_APP_SECRET: 'x' };
    const ended = await runProgram([...words, '--state-dir', stateDir], env);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain(`uid ${OTHER_USER}`);
  }
  expect(readdirSync(stateDir)).toEqual([]);
  // Root may look, as at the service of the machine, which has a user of its own.
  writeCredentials({ uid: OTHER_USER });
  expect(await checkConfig(request())).toMatchObject({ config: { appId: APP }, warnings: [] });
});

test.runIf(isRoot)('F9: secrets that another user made are not used', async () => {
  const foreign = { mode: 0o644, uid: OTHER_USER };
  writeCredentials(foreign);
  write('provision-token', 'planted', foreign);
  const kept = { platform_url: 'u', workspace_id: 'w', auth_token: 'planted' };
  write('workspace-token.json', JSON.stringify(kept), foreign);
  const wanted = new RegExp(`belongs to another user \\(uid ${OTHER_USER}\\)`);
  expect(loadCredentials(stateDir)).toMatchObject({
    kind: 'unusable',
    reason: expect.stringMatching(wanted) as unknown,
  });
  const reads = [
    () => loadConfig({ ...request(), needs: ['lark'] }),
    () => loadOrCreateSecret(at('provision-token'), () => new Secret('new')),
    () => workspaceTokenFile(at('workspace-token.json'), { url: 'u', workspace: 'w' }).load(),
  ];
  for (const read of reads) {
    const error = await refusalOf(read);
    expect(error).toMatchObject({ code: 'config_invalid', exitCode: 2 });
    expect(error.message).toMatch(wanted);
  }
  expect(statSync(at('provision-token')).uid).toBe(OTHER_USER);
  write('config.json', '{}', foreign);
  expect((await refusalOf(() => loadConfig(request()))).message).toMatch(wanted);
});

test('F27: secrets that others may read are used, and told with the command that mends it', async () => {
  writeCredentials({ mode: 0o666 });
  const { config, warnings } = await checkConfig(request());
  expect(config?.appSecret?.reveal()).toBe('kept');
  const path = at('credentials.json');
  expect(warnings).toMatchObject([
    { file: path, text: expect.stringContaining(`chmod 600 ${path}`) as string },
  ]);
  write('provision-token', 'x', { mode: 0o640 });
  write('workspace-token.json', '{}');
  const log = recordingLog();
  warnOfOpenSecrets(stateDir, log);
  expect(log.lines).toEqual(
    ['credentials.json', 'provision-token'].map((name) =>
      expect.objectContaining({
        level: 'warn',
        event: 'secret_file_open',
        path: at(name),
        next: `Run chmod 600 ${at(name)}`,
      }),
    ),
  );
});

describe('files that a person names', () => {
  const pair = createCertificate('localhost');
  const named = ['LARK_APP_SECRET_FILE', 'MOLECULE_WORKSPACE_TOKEN_FILE', 'LARK_TLS_KEY'] as const;
  let folder: string;

  beforeEach(() => {
    folder = join(home, 'elsewhere');
    mkdirSync(folder, { mode: 0o700 });
  });

  /** Its own file for each of them, all with these rights. */
  function writeAll({ mode = 0o600, uid = process.getuid?.() ?? 0 } = {}) {
    writeFileSync(join(folder, 'cert.pem'), pair.certPem);
    const files = named.map((name) => {
      const path = join(folder, name);
      writeFileSync(path, name === 'LARK_TLS_KEY' ? pair.keyPem : 'secret');
      chmodSync(path, mode);
      if (isRoot) chownSync(path, uid, uid);
      return [name, path] as const;
    });
    return { files, env: Object.fromEntries(files) as Record<(typeof named)[number], string> };
  }

  const envOf = (more: Record<string, string>) => ({
    HOME: home,
    LARK_APP_ID: APP,
    LARK_TLS_CERT: join(folder, 'cert.pem'),
    ...more,
  });
  const words = (...all: string[]) => [...all, '--state-dir', stateDir];

  test.runIf(isRoot).each(named)('F9: %s of another user is refused', async (name) => {
    const { env } = writeAll();
    chownSync(env[name], OTHER_USER, OTHER_USER);
    const wanted = `${env[name]}: it belongs to another user (uid ${OTHER_USER})`;
    for (const command of [['run'], ['hub'], ['config', 'check']]) {
      const ended = await runProgram(words(...command), envOf(env));
      expect([command, ended.code, ended.stderr]).toEqual([
        command,
        2,
        expect.stringContaining(wanted),
      ]);
      expect(ended.stderr).toContain(`${name} can't be used`);
      expect(ended.stderr).toContain(`chown -R 0 ${env[name]}`);
    }
    const doctor = await runProgram(words('doctor', '--offline'), envOf(env));
    expect([doctor.code, doctor.stdout]).toEqual([2, expect.stringContaining(wanted)]);
  });

  test('F27: those that others may read are used, and told with the command that mends it', async () => {
    const { files, env } = writeAll({ mode: 0o644 });
    const config = await loadConfig({ env: envOf(env), flags: { stateDir }, needs: ['lark'] });
    expect(config.appSecret?.reveal()).toBe('secret');
    const log = recordingLog();
    const opened: Service[] = [];
    openState(config, log, { opened });
    await stopAll(opened, log);
    const told = log.lines.filter(({ event }) => event === 'secret_file_open');
    const warned = ({ path }: { path?: unknown }) => [
      path,
      'warn',
      `Run chmod 600 ${String(path)}`,
    ];
    expect(told.map((line) => [line['path'], line.level, line['next']])).toEqual(
      files.map(([, path]) => warned({ path })),
    );
    const { stderr } = await runProgram(words('config', 'check'), envOf(env));
    const doctor = await runProgram(words('doctor', '--offline'), envOf(env));
    for (const [, path] of files) {
      expect(stderr).toMatch(new RegExp(`^warning: ${path}: .*chmod 600 ${path}`, 'm'));
      expect(doctor.stdout).toContain(`chmod 600 ${path}`);
    }
  });

  test('what is no file, such as a device or a pipe, is used without a word about its rights', async () => {
    const env = envOf({ LARK_TLS_KEY: '/dev/null', LARK_TLS_CERT: '/dev/null' });
    const { warnings } = await checkConfig({ env, flags: { stateDir }, needs: ['lark'] });
    expect(warnings).toEqual([]);
  });

  test.each(['its own folder', 'a path that a unit names'])(
    'F27: what systemd hands over has the rights of a group, and is no matter: %s',
    async (how) => {
      const { env } = writeAll({ mode: 0o440 });
      writeFileSync(join(folder, 'lark-app-secret'), 'of-systemd');
      chmodSync(join(folder, 'lark-app-secret'), 0o440);
      const { LARK_TLS_KEY } = env;
      const given = { CREDENTIALS_DIRECTORY: folder, LARK_TLS_KEY };
      const asked = how === 'its own folder' ? given : { ...given, ...env };
      const report = await checkConfig({ env: envOf(asked), flags: { stateDir }, needs: ['lark'] });
      expect(report).toMatchObject({ warnings: [], problems: [], config: { openSecrets: [] } });
    },
  );

  test.runIf(isRoot)(
    'F9: a file that another user puts in the place of a token is not read',
    () => {
      const { env } = writeAll();
      const path = env.MOLECULE_WORKSPACE_TOKEN_FILE;
      const log = recordingLog();
      const read = createSecretReader({ path, first: new Secret('secret'), log });
      expect(read().reveal()).toBe('secret');
      writeFileSync(path, 'planted-by-somebody');
      chownSync(path, OTHER_USER, OTHER_USER);
      expect(read().reveal()).toBe('secret');
      expect(log.lines).toMatchObject([
        { event: 'secret_file_not_used', path, detail: 'it belongs to another user' },
      ]);
    },
  );

  test('a key of root is for the group that root chose, and for nobody else', () => {
    vi.spyOn(process, 'getuid').mockReturnValue(1234);
    const judge = (mode: number) =>
      namedSecretTrouble('/k', { uid: 0, mode }, { handedOver: false })?.next;
    expect([0o600, 0o640, 0o440].map(judge)).toEqual([undefined, undefined, undefined]);
    for (const mode of [0o644, 0o444, 0o660]) {
      expect(judge(mode)).toBe('Run sudo chown 1234 /k && sudo chmod 600 /k');
    }
  });
});

test('rights that are as they should be are no matter', async () => {
  writeCredentials();
  expect((await checkConfig(request())).warnings).toEqual([]);
  const log = recordingLog();
  warnOfOpenSecrets(stateDir, log);
  warnOfOpenSecrets(join(home, 'nowhere'), log);
  expect(log.lines).toEqual([]);
});

/** Commands that only look load little: what the bridge itself needs would take most of their time. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Db } from '../../src/store/sqlite/db.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { silentLog } from '../kit/log.ts';

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');
/** Tells of each module that is loaded, on stderr. */
const HOOK = `import { writeSync } from 'node:fs';
  export async function resolve(name, context, next) {
    const found = await next(name, context);
    writeSync(2, 'loaded ' + found.url + '\\n');
    return found;
  }`;
const REGISTER = `import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOK)}));`;
const WATCH = `--import=data:text/javascript,${encodeURIComponent(REGISTER)}`;
const HEAVY =
  /node_modules\/(?:undici|fastify|@larksuiteoapi|@sinclair|ajv|conf|semver|pino|zod|marked|shlex|prom-client|p-queue|qrcode|ws|protobufjs)\/|dist\/(?:sim\/(?:cloud|server)|bridge\/bridge|lark\/lark|hub\/hub)\b/;

test.each(['status', 'turns', 'dead-letters', 'agents list'])(
  '%s loads neither the bridge nor its packages',
  async (command) => {
    const home = temporaryFolder();
    const stateDir = join(home, '.lark-bridge');
    mkdirSync(stateDir, { mode: 0o700 });
    const bot = { app_id: 'cli_0123456789abcdef', app_secret: 's', tenant_brand: 'feishu' };
    writeFileSync(join(stateDir, 'credentials.json'), JSON.stringify(bot), { mode: 0o600 });
    Db.open(join(stateDir, 'bridge.db'), silentLog).close();
    const env = { PATH: process.env['PATH'], HOME: home, NODE_OPTIONS: WATCH };
    // Status ends with 1 where no daemon runs.
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [BIN, ...command.split(' ')],
      {
        env,
      },
    ).catch((error: unknown) => error as { stdout: string; stderr: string });
    expect(stdout).not.toBe('');
    const loaded = stderr.split('\n').filter((line) => line.startsWith('loaded file:'));
    expect(loaded.length).toBeGreaterThan(50);
    expect(loaded.filter((line) => HEAVY.test(line))).toEqual([]);
  },
);

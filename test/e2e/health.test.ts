/** The built program while its disk takes nothing: what it says, what `status` finds out, and how it recovers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BridgeProcess, Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

/** As a full disk does: from now on no file of the process grows. Sockets and pipes are none. */
function fillDisk({ child }: BridgeProcess): void {
  execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=1:']);
}

function makeRoom({ child }: BridgeProcess): void {
  execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:']);
}

interface Status {
  readonly running: boolean;
  readonly health: {
    readonly live: boolean;
    readonly ready: boolean;
    readonly problems: readonly { readonly code: string; readonly text: string }[];
  };
}

async function status(): Promise<Status> {
  const { code, stdout, stderr } = await rig.command(['status', '--json']);
  const found = JSON.parse(stdout) as Status;
  // As `pg_isready` and the like, for scripts.
  expect(code, stderr).toBe(found.health.ready ? 0 : 1);
  return found;
}

const fine = { live: true, ready: true, problems: [], notes: [] };

describe.skipIf(!canLimit)('a full disk', () => {
  test('turns health and `status` red; with room again all is well, and what came meanwhile is answered', async () => {
    const bridge = await rig.run();
    const { hub_url: url } = await bridge.ready();
    expect((await status()).health).toEqual(fine);
    const told = (await rig.command(['status'])).stdout;
    expect(told).toMatch(/^● running for .+, ready$/m);
    expect(told).toMatch(/^ {2}Lark +connected for \d+ s/m);
    fillDisk(bridge);
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'are you there?' });
    await expect.poll(async () => (await fetch(`${url}/health`)).status).toBe(503);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    const red = await status();
    expect(red).toMatchObject({ running: true, health: { live: true, ready: false } });
    expect(red.health.problems[0]).toMatchObject({ code: 'storage' });
    expect((await rig.command(['status'])).stdout).toMatch(
      /^✗ storage for \d+ s: .*Make room on the disk/m,
    );
    await bridge.saw(() => /"health_changed".*"problems":"storage/.test(bridge.stderr));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('lark_bridge_problem{code="storage"} 1\n');
    expect(rig.replies(chat)).toEqual([]);
    makeRoom(bridge);
    await expect.poll(async () => (await status()).health).toEqual(fine);
    rig.cloud.redeliverNow();
    const [reply] = await rig.repliesIn(chat, 1);
    expect(reply?.text).toBe('are you there?');
  });

  test('is found by another process in the latest status, where the daemon can’t be asked', async () => {
    // A hub elsewhere, so that the daemon has no port of its own.
    const hub = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"capabilities":{}}');
    });
    hub.listen(0, '127.0.0.1');
    await new Promise((resolve) => hub.once('listening', resolve));
    const env = {
      PLATFORM_URL: `http://127.0.0.1:${(hub.address() as AddressInfo).port}`,
      WORKSPACE_ID: 'w1',
      MOLECULE_WORKSPACE_TOKEN: 'token',
      MOLECULE_TARGET_WORKSPACE_ID: 'w2',
    };
    const bridge = await rig.run({ env });
    await expect.poll(async () => (await status()).health).toEqual(fine);
    fillDisk(bridge);
    await expect.poll(async () => (await status()).health.problems[0]?.code).toBe('storage');
    makeRoom(bridge);
    await expect.poll(async () => (await status()).health).toEqual(fine);
    await bridge.stop();
    expect((await status()).health).toMatchObject({
      live: false,
      ready: false,
      problems: [{ code: 'process' }],
    });
    hub.closeAllConnections();
    hub.close();
  });
});

test('what it takes to count is loaded at the start, and what only other bridges need never is', async () => {
  const hook = `import { writeSync } from 'node:fs';
    export async function resolve(name, context, next) {
      const found = await next(name, context);
      writeSync(2, 'loaded ' + found.url + '\\n');
      return found;
    }`;
  const register = `import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));`;
  const watch = `--import=data:text/javascript,${encodeURIComponent(register)}`;
  const bridge = await rig.run({ env: { NODE_OPTIONS: watch } });
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  await rig.repliesIn(chat, 1);
  expect(bridge.stderr).toContain('loaded file://');
  expect(bridge.stderr).toContain('node_modules/prom-client/');
  expect(bridge.stderr).not.toMatch(
    /node_modules\/@(?:opentelemetry|agentclientprotocol|modelcontextprotocol|a2a-js)\//,
  );
});

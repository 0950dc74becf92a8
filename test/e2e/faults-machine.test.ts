/** The same goal and method as faults.test.ts, for faults of the machine and of the hub. */
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/store/sqlite/driver.ts';
import { Rig } from './rig.ts';
import { addScribe, addWorkspace, flawless, Tally } from './tally.ts';

const HOUR_MS = 60 * 60 * 1000;

const rigs: Rig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

async function setUp(): Promise<{ rig: Rig; tally: Tally }> {
  const rig = await Rig.open();
  rigs.push(rig);
  await addScribe(rig.stateDir);
  return { rig, tally: new Tally(rig) };
}

/** Somebody else's server on a port of its own. */
async function listenSomewhere() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, close: () => new Promise((resolve) => server.close(resolve)) };
}

async function healthOf(rig: Rig) {
  const { stdout } = await rig.command(['status', '--json']);
  return (JSON.parse(stdout) as { health: unknown }).health;
}

const STORAGE_TROUBLE = {
  live: true,
  ready: false,
  problems: [{ code: 'storage', since: expect.any(String), text: expect.any(String) }],
  notes: [],
};

describe('the clock', () => {
  test('set two hours ahead and back during work: no turn is given up', async () => {
    const { rig, tally } = await setUp();
    const file = join(rig.home, 'clock-offset');
    const preload = pathToFileURL(join(import.meta.dirname, 'clock-preload.js')).href;
    const env = {
      NODE_OPTIONS: `--import=${preload}`,
      CLOCK_OFFSET_FILE: file,
      LARK_LOG_LEVEL: 'debug',
    };
    const bridge = await rig.run({ env });
    const setClock = async (offsetMs: number) => {
      writeFileSync(file, String(offsetMs));
      bridge.child.kill('SIGUSR2');
      await bridge.saw(() => bridge.stderr.includes(`"clock_set":${offsetMs}\n`));
    };
    tally.askAround();
    await tally.answered();
    tally.ask(tally.mei, 'gated');
    tally.ask(tally.team, 'gated');
    await tally.begun(6);
    tally.askAround();
    await setClock(2 * HOUR_MS);
    await bridge.saw(() => bridge.stderr.split('"phase":"accepted"').length > 2);
    // By that clock they were sent two hours ago: people are asked whether they still count.
    const late = [tally.tom, tally.thread].map((place) => ({ place, ...tally.ask(place) }));
    const cards = () =>
      late.map(({ chat }) => rig.replies(chat).find(({ type }) => type === 'interactive'));
    await rig.cloud.waitFor(() => cards().every((card) => card !== undefined));
    await setClock(0);
    tally.openGate();
    for (const [at, card] of cards().entries()) {
      const from = late[at]?.place.user ?? '';
      await rig.cloud.pressOnCard(card?.messageId ?? '', from, { index: 0 });
    }
    tally.askAround();
    const question = expect.stringContaining('Shall I still run');
    expect(await tally.count()).toEqual({ ...flawless(16), besides: [question, question] });
  });
});

describe('the hub', () => {
  test('its port is taken at the start: exit 1 and what to do; with the port free all is answered', async () => {
    const { rig, tally } = await setUp();
    const other = await listenSomewhere();
    const env = { LARK_PORT: String(other.port) };
    tally.askAround();
    const { code, stdout, stderr } = await rig.program(['run'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`port ${other.port} of 127.0.0.1 is in use by another program`);
    expect(stderr).toContain('Choose another one with LARK_PORT');
    expect(stderr).not.toContain('    at ');
    await other.close();
    await rig.run({ env });
    await tally.linked();
    tally.askAround();
    expect(await tally.count()).toEqual(flawless(8));
  });

  test('a remote one that is down at the start: what was said before, while and after it comes is answered in order', async () => {
    const { rig, tally } = await setUp();
    const { port, close } = await listenSomewhere();
    await close();
    const hubDir = join(rig.home, 'hub');
    const target = await addScribe(hubDir);
    const { workspaceId, token } = await addWorkspace(hubDir);
    const bridge = await rig.run({
      env: {
        PLATFORM_URL: `http://127.0.0.1:${port}`,
        WORKSPACE_ID: workspaceId,
        MOLECULE_WORKSPACE_TOKEN: token,
        MOLECULE_TARGET_WORKSPACE_ID: target,
        LARK_LOG_LEVEL: 'debug',
      },
    });
    tally.ask(tally.mei, 'gated');
    tally.askAround();
    await bridge.saw(() => /"on":"sent","phase":"waiting"/.test(bridge.stderr));
    await rig.cloud.waitFor(() => rig.cloud.deliveries().every(({ acked }) => acked));
    const env = {
      LARK_CHANNEL_STATE_DIR: hubDir,
      LARK_PORT: String(port),
      LARK_HUB_BRIDGES: workspaceId,
    };
    await rig.run({ words: ['hub', '--json', '--log-format', 'json'], env });
    tally.askAround();
    // Only now does the bridge know that this hub can take the turns of several chats at once.
    await bridge.saw(() => bridge.logged('registered'));
    tally.askAround();
    tally.openGate();
    expect(await tally.count()).toEqual(flawless(13));
  });
});

describe('the database', () => {
  /** Its log may not grow past this; a start needs a small part of it. */
  const FILE_BYTES_MAX = 4 * 1024 * 1024;
  const PAGE_BYTES = 4096;

  test('a full disk while messages come: none is acked before it is stored, and it all goes on when there is room', async () => {
    const { rig, tally } = await setUp();
    const { cloud } = rig;
    const bridge = await rig.run({ fileBytesMax: FILE_BYTES_MAX });
    tally.askAround();
    await tally.answered();
    tally.ask(tally.mei, 'gated');
    tally.ask(tally.team, 'gated');
    await tally.begun(6);
    const disk = connect(join(rig.stateDir, 'bridge.db'));
    try {
      disk.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF');
      const version = Number(disk.prepare('PRAGMA user_version').get()?.['user_version']);
      // Each commit appends one page to the log, until the program may not append any more.
      for (let page = 0; page * PAGE_BYTES <= FILE_BYTES_MAX; page += 1) {
        disk.exec(`PRAGMA user_version = ${version}`);
      }
      const asked = tally.askAround().map(({ message }) => message.messageId);
      const refused = () =>
        cloud
          .deliveries({ eventType: 'im.message.receive_v1' })
          .filter(({ ackCode, messageId = '' }) => ackCode === 500 && asked.includes(messageId));
      await cloud.waitFor(() => refused().length === 4);
      tally.openGate();
      await bridge.saw(() => bridge.logged('write_failed'));
      expect(tally.runs().length).toBe(6);
      expect(await healthOf(rig)).toEqual(STORAGE_TROUBLE);
      disk.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      disk.close();
    }
    cloud.redeliverNow();
    tally.askAround();
    expect(await tally.count()).toEqual(flawless(14));
    expect(bridge.child.exitCode).toBe(null);
    expect(await healthOf(rig)).toEqual({ live: true, ready: true, problems: [], notes: [] });
  });

  test('locked by another program for longer than a write waits: the rest goes on meanwhile, and all is answered', async () => {
    const { rig, tally } = await setUp();
    const { cloud } = rig;
    const bridge = await rig.run();
    const { hub_url } = await bridge.ready();
    tally.askAround();
    await tally.answered();
    const other = connect(join(rig.stateDir, 'bridge.db'));
    try {
      other.exec('BEGIN IMMEDIATE');
      tally.askAround();
      for (let call = 0; call < 20; call += 1) await fetch(hub_url);
      expect(bridge.logged('lark_event_not_stored')).toBe(false);
      expect(await healthOf(rig)).toEqual(STORAGE_TROUBLE);
      await bridge.saw(() => bridge.stderr.split('"lark_event_not_stored"').length > 4);
    } finally {
      other.close();
    }
    cloud.redeliverNow();
    tally.askAround();
    expect(await tally.count()).toEqual(flawless(12));
  });
});

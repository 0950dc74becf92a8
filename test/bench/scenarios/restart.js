/** B4: killed with thousands of accepted messages waiting, and started again. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Site } from '../bridge.js';
import { row } from '../report.js';
import { spread } from '../statistics.js';

const OUTSTANDING = 64;
const DRAIN_MS_MAX = 120_000;
const MINUTE_MS = 60_000;
/** One start alone says little beside others at work. */
const STARTS_MIN = 3;
const OLD_CHATS = 200;

export async function measureRestart(cloud, { rounds, quick }) {
  const waiting = quick ? 1_000 : 10_000;
  const killed = [];
  for (let round = 0; round < rounds; round += 1) {
    killed.push(await killedAndStarted(cloud, waiting));
  }
  const correct = await cloud.call('totals');
  const starts = await startsWithOldRows(cloud, { rounds, quick });
  const of = (name) => spread(killed.map((one) => one[name]));
  return {
    id: 'B4',
    title: `SIGKILL with ${waiting.toLocaleString('en-US')} accepted messages waiting, and a new start`,
    rows: [
      row('waiting at the kill', { value: of('waiting') }),
      row('ready after the spawn', { unit: 's', value: of('readySecs'), goal: { max: 0.7 } }),
      row('all answered after the spawn', {
        unit: 's',
        value: of('drainedSecs'),
        goal: { max: 15 },
      }),
      ...starts.map(startRow),
    ],
    correct,
  };
}

/** The hub of the bench holds every turn until the kill, so that nothing of the flood is answered. */
async function killedAndStarted(cloud, count) {
  return Site.with(cloud, async (site) => {
    const env = site.remoteEnv;
    await cloud.call('hub', { isHeld: true });
    const first = await site.run({ env });
    await cloud.call('flood', site.app.appId, { count, outstanding: OUTSTANDING });
    await first.stop('SIGKILL');
    const { lost: waiting } = await cloud.call('totals');
    await cloud.call('hub', {});
    const startedAt = performance.now();
    const second = await site.run({ env });
    await cloud.call('settled', DRAIN_MS_MAX);
    const drainedSecs = (performance.now() - startedAt) / 1000;
    await second.stop();
    return { waiting, readySecs: second.readyMs / 1000, drainedSecs };
  });
}

async function startsWithOldRows(cloud, { rounds, quick }) {
  const sizes = quick ? [1_000, 10_000] : [1_000, 10_000, 100_000];
  const starts = [];
  for (const rows of sizes) {
    starts.push({
      rows,
      secs: await startsWith(cloud, rows, quick ? 1 : Math.max(rounds, STARTS_MIN)),
    });
  }
  return starts;
}

/** The first start, which makes the schema, is not counted. */
async function startsWith(cloud, rows, times) {
  return Site.with(cloud, async (site) => {
    const schema = await site.run();
    await schema.stop();
    writeAnswered(join(site.env.LARK_CHANNEL_STATE_DIR, 'bridge.db'), site.app.appId, rows);
    const secs = [];
    while (secs.length < times) {
      const program = await site.run();
      await program.stop();
      secs.push(program.readyMs / 1000);
    }
    return secs;
  });
}

function startRow({ rows, secs }) {
  const name = `ready with ${rows.toLocaleString('en-US')} old rows`;
  return row(name, { unit: 's', value: spread(secs), goal: { max: 0.7 } });
}

/** Turns of the last hours, one a second, each answered: what a busy bot has in its journal. */
function writeAnswered(path, appId, count) {
  const db = openDatabase(path);
  const insert = db.prepare(
    `INSERT INTO turns (app_id, message_id, chat_id, phase, state, message, received_at_ms,
       admitted_at_ms, ended_at_ms) VALUES (?, ?, ?, 'answered', ?, ?, ?, ?, ?)`,
  );
  const lastAtMs = Date.now() - MINUTE_MS;
  const state = JSON.stringify({ phase: 'answered' });
  db.exec('BEGIN');
  for (let at = 0; at < count; at += 1) {
    const message = oldMessage(appId, at, lastAtMs - (count - at) * 1_000);
    const { messageId, chatId, sentAtMs } = message;
    insert.run(
      appId,
      messageId,
      chatId,
      state,
      JSON.stringify(message),
      sentAtMs,
      sentAtMs,
      sentAtMs,
    );
  }
  db.exec('COMMIT');
  db.close();
}

function oldMessage(appId, at, sentAtMs) {
  const person = at % OLD_CHATS;
  return {
    appId,
    messageId: `om_old_${at}`,
    eventId: `old_${at}`,
    chatId: `oc_old_${person}`,
    chatType: 'p2p',
    senderOpenId: `ou_old_${person}`,
    sentAtMs,
    parts: [{ kind: 'text', text: `an old question, number ${at}` }],
  };
}

function openDatabase(path) {
  const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite');
  return new DatabaseSync(path);
}

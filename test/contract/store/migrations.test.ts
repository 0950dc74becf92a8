/** Files of earlier versions are taken over as they are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { appId, chatId, turnId } from '../../../src/core/ids.ts';
import type { Activity } from '../../../src/hub/ports/activity.ts';
import { queueId, type TurnContent } from '../../../src/hub/ports/turns.ts';
import { SqliteAccess } from '../../../src/store/sqlite/bridge/access.ts';
import { WHO_MAY_TALK } from '../../../src/store/sqlite/bridge/access-schema.ts';
import { SqliteSessionBook } from '../../../src/store/sqlite/bridge/session-book.ts';
import { SESSIONS_OF_PEOPLE } from '../../../src/store/sqlite/bridge/sessions-schema.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { SqliteHubStore } from '../../../src/store/sqlite/hub/hub-store.ts';
import { programOutputOf } from '../../../src/store/sqlite/hub/items.ts';
import { USAGE_SUM } from '../../../src/store/sqlite/hub/usage-schema.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/migrations.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

const VERSION_1 = join(import.meta.dirname, '../../fixtures/state/version-1.sql');

function openVersion1(more = ''): Db {
  const folder = temporaryFolder();
  const path = join(folder, 'bridge.db');
  const old = connect(path);
  old.exec(readFileSync(VERSION_1, 'utf8'));
  old.exec(more);
  old.close();
  const db = Db.open(path, silentLog);
  onTestFinished(() => {
    db.close();
  });
  return db;
}

function itemIdOf(db: Db, messageId: string) {
  const row = db.get('SELECT queue_id FROM hub_items WHERE message_id = ?', messageId);
  return queueId(String(row?.['queue_id']));
}

test('version 1: the turns of the hub keep what was said and how they ended', async () => {
  const db = openVersion1();
  const store = new SqliteHubStore(db);
  const item = (messageId: string) => store.item(itemIdOf(db, messageId));
  expect(await item('m-answered')).toMatchObject({
    status: 'completed',
    requestId: 'request-1',
    outcome: {
      kind: 'answered',
      message: { role: 'agent', parts: [{ kind: 'text', text: 'an "answer" – ü' }] },
    },
  });
  const kept = db.get('SELECT content FROM hub_items WHERE message_id = ?', 'm-answered');
  expect(JSON.parse(String(kept?.['content']))).toMatchObject({
    message: { messageId: 'm-answered', role: 'user', contextId: 'oc_1' },
    metadata: { source: 'lark', chat_id: 'oc_1' },
  });
  expect(await item('m-failed')).toMatchObject({
    status: 'failed',
    outcome: { kind: 'failed', reason: 'failed', detail: 'The program ended with code 3.' },
  });
  expect(await item('m-told')).toMatchObject({
    outcome: { kind: 'answered', message: { role: 'agent', parts: [{ text: 'its answer' }] } },
  });
  const open = await item('m-open');
  expect(open).toMatchObject({ status: 'queued', outcome: undefined });
  // What was waiting is still the bridge's own turn, under the same ticket.
  const journal = new SqliteJournal({
    db,
    app: appId('cli_0123456789abcdef'),
    clock: systemClock,
  });
  expect((await journal.turn(turnId('om_1')))?.state).toMatchObject({
    phase: 'accepted',
    ticket: open?.queueId,
  });
});

test('version 1: what each workspace has is counted', () => {
  const db = openVersion1();
  const counted = db.all('SELECT * FROM hub_usage ORDER BY workspace_id');
  expect(counted).toEqual(db.all(`${USAGE_SUM} ORDER BY workspace_id`));
  expect(counted.reduce((rows, row) => rows + Number(row['stored_rows']), 0)).toBeGreaterThan(0);
});

test('version 1: inboxes keep their rows, messages apart from reports', async () => {
  const db = openVersion1();
  const store = new SqliteHubStore(db);
  const workspaces = await store.workspaces();
  const rowsOf = async (name: string) => {
    const workspace = workspaces.find((one) => one.name === name);
    if (workspace === undefined) throw new Error(`no workspace ${name}`);
    return store.activity(workspace.id, { limit: 100 });
  };
  const [report, ...messages] = (await rowsOf('far-away')) ?? [];
  expect(report).toMatchObject({ activityType: 'agent_log', requestBody: '{"a":1}' });
  expect(report).not.toHaveProperty('received');
  const contentOf = (row: Activity | undefined) =>
    JSON.parse(row?.received?.content ?? 'null') as TurnContent;
  expect(messages.map((row) => contentOf(row).message.messageId)).toEqual(['m-told', 'm-open']);
  const [unasked, reply] = (await rowsOf('lark-bridge')) ?? [];
  expect(unasked?.received).toMatchObject({ requestId: '"request-1"' });
  expect(contentOf(reply).message.referenceTaskIds).toEqual([itemIdOf(db, 'm-told')]);
});

test('version 1: F3: rows that nobody could read are mended, and no other', async () => {
  const deep = `{"a":${'['.repeat(4_163)}${']'.repeat(4_163)}}`;
  const db = openVersion1(`
    UPDATE hub_workspaces SET acked_seq = 1152921504606846976, agent_card = '${deep}';
    UPDATE hub_activity SET duration_ms = 1152921504606846976, tool_trace = '${deep}';
    UPDATE hub_activity SET request_body = '${deep}' WHERE message_id = 'm-told';
    UPDATE hub_items SET expires_at_ms = 9007199254740991 WHERE message_id = 'm-open';
    UPDATE hub_items SET request_body = '${deep}' WHERE message_id = 'm-told';
  `);
  const store = new SqliteHubStore(db);
  for (const { id, name } of await store.listing()) {
    const rows = (await store.activity(id, { limit: 100 })) ?? [];
    expect(JSON.stringify(rows)).not.toContain('[[');
    if (name !== 'far-away') continue;
    const contents = rows.map(({ received }) => received?.content ?? '');
    expect(contents.join()).toContain('"messageId":"m-told"');
    expect(await store.acknowledge(id, 1)).toBe(Number.MAX_SAFE_INTEGER);
  }
  expect(db.all("SELECT seq FROM hub_items WHERE message_id = 'm-told'")).toEqual([]);
  const open = await store.item(itemIdOf(db, 'm-open'));
  expect(new Date(open?.expiresAtMs ?? 0).toISOString()).toMatch(/^\+275760/);
  expect(await store.item(itemIdOf(db, 'm-answered'))).toMatchObject({ status: 'completed' });
});

test("version 1: an item that was running is settled with the end of its program's output", async () => {
  const db = openVersion1();
  const store = new SqliteHubStore(db);
  const output = { stdout: 'no credit left', stderr: '' };
  const outcome = { kind: 'failed', reason: 'failed', detail: 'It broke.' } as const;
  const ending = { status: 'failed', outcome, lastError: 'It broke.', output, atMs: 2 } as const;
  expect(programOutputOf(db, 'm-open')).toBeUndefined();
  await store.settle(itemIdOf(db, 'm-open'), ending);
  expect(programOutputOf(db, 'm-open')).toEqual(output);
});

test('version 1: its turns get a reply token when they are given to an agent, and keep it', async () => {
  const db = openVersion1();
  const app = appId('cli_0123456789abcdef');
  const journal = new SqliteJournal({ db, app, clock: systemClock });
  const id = turnId('om_1');
  expect((await journal.turn(id))?.replyToken).toBeUndefined();
  const replyToken = 'k3m9x2p7';
  await journal.changeTurn(id, ({ state }) => ({ state, replyToken, out: [] }));
  expect(await journal.turnOfToken(replyToken)).toMatchObject({ id, replyToken });
  await journal.changeTurn(id, ({ state }) => ({ state, replyToken: 'bcdfghjk', out: [] }));
  expect((await journal.turn(id))?.replyToken).toBe(replyToken);
});

test('version 1: rows of the outbox get their meaning, and are still sent', async () => {
  const rows = [
    ['an_answer', 'answer', { kind: 'text', text: 'an "answer" – ü' }],
    ['a_notice', 'notice', { kind: 'text', text: 'a notice', isLastWord: true }],
    [
      'a_choice',
      'notice',
      {
        kind: 'choice',
        text: 'Run it?',
        buttons: [{ label: 'Run', action: 'run', style: 'primary' }],
      },
    ],
    ['a_sign', 'reaction', { kind: 'react', emoji: 'Typing' }],
    ['its_end', 'reaction', { kind: 'unreact', reactKey: 'a_sign' }],
  ] as const;
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const db = openVersion1(
    rows
      .map(
        ([key, priority, body]) =>
          `INSERT INTO outbox (key, app_id, lane, chat_id, placement, priority, body, phase, due_at_ms,
             created_at_ms)
           VALUES (${quoted(key)}, 'cli_0123456789abcdef', 'oc_1', 'oc_1', 'chat', ${quoted(priority)},
             ${quoted(JSON.stringify(body))}, 'pending', 0, 1);`,
      )
      .join('\n'),
  );
  const app = appId('cli_0123456789abcdef');
  const journal = new SqliteJournal({ db, app, clock: systemClock });
  const pending = await journal.pendingOut();
  const bodyOf = (key: string) => pending.find((row) => row.key === key)?.body;
  expect(bodyOf('an_answer')).toEqual({
    kind: 'message',
    content: { kind: 'answer', text: 'an "answer" – ü' },
  });
  expect(bodyOf('a_notice')).toEqual({
    kind: 'message',
    content: { kind: 'notice', text: 'a notice' },
    tellsOfFailure: true,
  });
  expect(bodyOf('a_choice')).toEqual({ kind: 'message', content: rows[2][2] });
  expect(bodyOf('a_sign')).toEqual(rows[3][2]);
  expect(bodyOf('its_end')).toEqual(rows[4][2]);
});

test('whoever had an answer before is let in, with their groups as known ones, and nobody else', async () => {
  const turn = (id: string, by: string, [phase, type, token]: readonly string[]) => {
    const said = { senderOpenId: by, chatType: type, parts: [] };
    return `INSERT INTO turns (app_id, message_id, chat_id, phase, state, message, received_at_ms, admitted_at_ms, reply_token)
      VALUES ('cli_0123456789abcdef', '${id}', 'oc_${id}', '${phase}', '{"phase":"${phase}"}',
        '${JSON.stringify(said)}', 1, 1, ${token === undefined ? 'NULL' : `'${token}'`});`;
  };
  const folder = temporaryFolder();
  const path = join(folder, 'bridge.db');
  const old = connect(path);
  for (const sql of MIGRATIONS.slice(0, MIGRATIONS.indexOf(WHO_MAY_TALK))) old.exec(sql);
  old.exec(`PRAGMA user_version = ${MIGRATIONS.indexOf(WHO_MAY_TALK)}`);
  old.exec(turn('a', 'ou_answered', ['answered', 'p2p', 't1']));
  old.exec(turn('b', 'ou_in_group', ['answered', 'group', 't2']));
  old.exec(turn('c', 'ou_told_only', ['answered', 'p2p']));
  old.exec(turn('d', 'ou_failed', ['failed', 'p2p', 't3']));
  old.close();
  const db = Db.open(path, silentLog);
  onTestFinished(() => {
    db.close();
  });
  const access = new SqliteAccess({ db, app: appId('cli_0123456789abcdef'), clock: systemClock });
  const people = await access.people();
  expect(people.map(({ openId, state }) => [openId, state])).toEqual([
    ['ou_answered', 'allowed'],
    ['ou_in_group', 'allowed'],
  ]);
  expect(await access.groups()).toEqual([{ chatId: 'oc_b', isExternal: false }]);
  expect([await access.takeImported(), await access.takeImported()]).toEqual([2, 0]);
});

test('chats and threads keep the sessions that they had', async () => {
  const before = MIGRATIONS.indexOf(SESSIONS_OF_PEOPLE);
  const path = join(temporaryFolder(), 'bridge.db');
  const old = connect(path);
  for (const step of MIGRATIONS.slice(0, before)) old.exec(step);
  old.exec(`PRAGMA user_version = ${before};
    INSERT INTO sessions (app_id, chat_id, thread_id, id, since_ms, is_used) VALUES
      ('cli_0123456789abcdef', 'oc_1', '', 'used', 5, 1),
      ('cli_0123456789abcdef', 'oc_1', 'omt_1', 'fresh', 6, 0);`);
  old.close();
  const db = Db.open(path, silentLog);
  onTestFinished(() => db.close());
  const app = appId('cli_0123456789abcdef');
  const book = new SqliteSessionBook({ db, app, clock: systemClock });
  const chat = { chatId: chatId('oc_1'), threadId: undefined };
  expect(await book.current(chat)).toEqual({ id: 'used', isNew: false });
  expect(await book.current({ ...chat, threadId: 'omt_1' })).toEqual({ id: 'fresh', isNew: true });
});

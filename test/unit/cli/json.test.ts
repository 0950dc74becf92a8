/** Goal: docs/json.md has every field that commands print with --json. Method: they run, and all their fields are looked up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { messageId, turnId, workspaceId } from '../../../src/core/ids.ts';
import type { TurnState } from '../../../src/core/turn.ts';
import { DaemonTable } from '../../../src/store/sqlite/bridge/daemon.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { documentedFields, fieldPaths, textOf, undocumented } from '../../documents.ts';
import { silentLog } from '../../kit/log.ts';
import { draftOf, message } from '../bridge/samples.ts';
import { runProgram } from './program.ts';

const NOW_MS = Date.now();
const clock = { nowMs: () => NOW_MS, after: () => () => {} };
const target = workspaceId('w1');

let home: string;
let db: Db;
/** All that was said with --json, by command. */
const said = new Map<string, unknown[]>();

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lark-bridge-json-'));
  db = Db.open(join(home, '.lark-bridge/bridge.db'), silentLog);
  const parts = { db, app: message.appId, clock };
  const status = JSON.stringify({ app_id: message.appId });
  await new DaemonTable(db).write({ pid: 1, atMs: NOW_MS, status });
  const journal = new SqliteJournal(parts);
  const cause = { agent: 'shout', detail: 'It ended.' };
  const states: TurnState[] = [
    { phase: 'failed', reason: 'agent_failed', cause },
    { phase: 'waiting', attempt: 1, notBeforeMs: NOW_MS },
    { phase: 'sending', attempt: 0, target, deadlineMs: NOW_MS },
    { phase: 'accepted', attempt: 0, target, ticket: 'q', deadlineMs: NOW_MS },
    { phase: 'overdue', target, ticket: 'q', sinceMs: NOW_MS },
    { phase: 'command', action: 'run', about: [] },
  ];
  for (const [at, state] of states.entries()) {
    const one = { ...message, messageId: messageId(`om_${at}`) };
    await journal.admit({
      message: one,
      receivedAtMs: NOW_MS,
      state,
      out: [draftOf(`out_${at}`, { turn: turnId(one.messageId) })],
    });
  }
  const dead = { phase: 'dead', atMs: NOW_MS } as const;
  await journal.changeOut('out_0', () => ({ state: dead, lastError: 'no' }));
  await journal.changeOut('out_1', () => ({
    state: { phase: 'sent', atMs: NOW_MS, larkId: messageId('om_9') },
  }));
  await journal.quarantine({ id: 'a1', turn: turnId('om_1'), atMs: NOW_MS, text: 'late' });
  const person = {
    openId: 'ou_1',
    name: 'Mia',
    state: 'asked',
    code: 'ABCD2345',
    askedAtMs: NOW_MS,
  };
  const records = [
    ['access_people', 'open_id', 'ou_1', { ...person, expiresAtMs: NOW_MS + 60_000 }],
    ['access_groups', 'chat_id', 'oc_2', { chatId: 'oc_2', name: 'Team', isExternal: false }],
  ] as const;
  await db.write(() => {
    for (const [table, column, id, record] of records) {
      const sql = `INSERT INTO ${table} (app_id, ${column}, record) VALUES (?, ?, ?)`;
      db.run(sql, message.appId, id, JSON.stringify(record));
    }
    // What is searched for stands beside the record.
    db.run(`UPDATE access_people SET state = 'asked'`);
  });
});
afterAll(() => {
  db.close();
  rmSync(home, { recursive: true, force: true });
});

/** `heading`: of its section in the document. */
async function say(heading: string, ...words: string[]): Promise<void> {
  const bot = { LARK_APP_ID: message.appId, LARK_APP_SECRET: 's' };
  const env = { HOME: home, PATH: process.env['PATH'] ?? '', ...bot };
  const { stdout } = await runProgram([...words, '--json'], env);
  const values = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  said.set(heading, [...(said.get(heading) ?? []), ...values]);
}

/** As many as it takes to see each field. */
const CALLS: readonly (readonly [heading: string, words: string])[] = [
  ['status', 'status'],
  ['turns list', 'turns list'],
  ...[0, 1, 2, 3, 4, 5].map((at) => ['turns show', `turns show om_${at} --text`] as const),
  ['turns retry', 'turns retry om_0'],
  ['turns retry', 'turns retry --failed'],
  ['turns drop', 'turns drop om_1'],
  ['dead-letters list', 'dead-letters list'],
  ['dead-letters show', 'dead-letters show out_0 --text'],
  ['dead-letters replay', 'dead-letters replay out_0'],
  ['dead-letters drop', 'dead-letters drop out_0'],
  ['dead-letters late', 'dead-letters late --text'],
  ['trace', 'trace om_0 --text'],
  ['pairing list', 'pairing list'],
  ['pairing approve', 'pairing approve ou_1'],
  ['pairing revoke', 'pairing revoke ou_1'],
  ['chats list', 'chats list'],
  ['chats allow', 'chats allow oc_2'],
  ['chats deny', 'chats deny oc_2'],
  ['agents add', 'agents add shout --exec cat --stream --env SOME --env-file /nowhere --force'],
  ['agents add', 'agents add far'],
  ['agents add', 'agents add coder --acp cat --folder /tmp'],
  ['agents add', 'agents add other --a2a http://127.0.0.1:1/ --token-env SOME'],
  ['agents list', 'agents list'],
  ['agents use', 'agents use echo'],
  ['agents test', 'agents test echo'],
  ['agents known', 'agents known'],
  ['agents remove', 'agents remove far'],
  ['folders add', 'folders add /tmp'],
  ['folders list', 'folders list'],
  ['folders remove', 'folders remove /tmp'],
  ['webhooks add', 'webhooks add http://127.0.0.1:9/hook --private'],
  ['webhooks list', 'webhooks list'],
  ['config list', 'config list'],
  ['config check', 'config check'],
  ['config set', 'config set lang zh'],
  ['config template', 'config template'],
  ['doctor', 'doctor --offline'],
  ['service print', 'service print'],
  ['An error', 'turns show om_nobody'],
];

test('every field that a command prints is in docs/json.md, in snake_case, and no other one', async () => {
  for (const [heading, words] of CALLS) await say(heading, ...words.split(' '));
  const missing = [...said].flatMap(([heading, values]) =>
    [...new Set(values.flatMap((value) => undocumented(heading, value)))].map(
      (path) => `${heading}: ${path}`,
    ),
  );
  expect(missing).toEqual([]);
  const headings = [...said.keys()];
  const all = headings.flatMap((heading) => documentedFields(heading));
  expect(all.filter((path) => !/^[a-z0-9_.[\]]+(?:\.\*)?$/.test(path))).toEqual([]);
  const gone = headings.flatMap((heading) => {
    const seen = new Set((said.get(heading) ?? []).flatMap((value) => fieldPaths(value)));
    return documentedFields(heading)
      .filter((path) => !isSeldom(heading, path) && !path.endsWith('.*') && !seen.has(path))
      .map((path) => `${heading}: ${path}`);
  });
  expect(gone).toEqual([]);
});

/** A row of the document whose text begins with "Seldom:" is not seen here. */
function isSeldom(heading: string, path: string): boolean {
  const [, rest = ''] = textOf('docs/json.md').split(`\n## \`${heading}\`\n`);
  return rest.includes(`| \`${path}\` | Seldom:`);
}

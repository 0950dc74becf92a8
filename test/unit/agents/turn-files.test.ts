/** The file with all that a program gets of its turn. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import type { AgentTurn } from '../../../src/agents/runtime.ts';
import { TurnFiles } from '../../../src/agents/turn-files.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog, type RecordingLog } from '../../kit/log.ts';
import { execOptions } from './exec-options.ts';

let state: string;
let folder: string;
let log: RecordingLog;
let files: TurnFiles;

beforeEach(() => {
  state = temporaryFolder();
  folder = join(state, 'turns');
  log = recordingLog();
  files = new TurnFiles({ folder, log });
});

const LARK = {
  brand: 'feishu',
  chatId: 'oc_1',
  chatType: 'group',
  senderOpenId: 'ou_1',
  messageId: 'om_1',
} as const;

const TURN: AgentTurn = {
  turnId: 'turn-1',
  text: 'what is this?',
  lark: LARK,
  details: {
    senderName: 'Mei',
    chatName: 'Team',
    session: { id: 's1', isNew: true },
    attachments: [
      { kind: 'image', name: 'a.png', path: '/files/a.png', mimeType: 'image/png', bytes: 7 },
    ],
    quoted: { senderName: 'Tom', text: 'look' },
    thread: [{ senderName: 'Lea', text: 'first' }],
  },
};

async function run(script: string, turn = TURN, user?: string) {
  const spec = { kind: 'exec', argv: ['sh', '-c', script], ...(user && { user }) } as const;
  const runtime = new ExecRuntime(execOptions([], { spec, turnFiles: files, log }));
  await runtime.start();
  const result = await runtime.prompt(turn, { onUpdate: () => {} }).result;
  const left = existsSync(folder) ? readdirSync(folder) : [];
  await runtime.stop();
  return { result, left };
}

const SHOW = 'cat "$LARK_TURN_FILE"';

async function read(turn: AgentTurn): Promise<unknown> {
  const { result } = await run(SHOW, turn);
  if (!result.ok) throw new Error(result.detail);
  return JSON.parse(result.text);
}

test('LARK_TURN_FILE says all of the turn', async () => {
  expect(await read(TURN)).toEqual({
    turn_id: 'turn-1',
    text: 'what is this?',
    sender: { open_id: 'ou_1', name: 'Mei' },
    chat: { id: 'oc_1', type: 'group', name: 'Team' },
    attachments: [
      { kind: 'image', name: 'a.png', path: '/files/a.png', mime_type: 'image/png', bytes: 7 },
    ],
    quoted: { sender_name: 'Tom', text: 'look' },
    thread: [{ sender_name: 'Lea', text: 'first' }],
    session: { id: 's1', is_new: true },
  });
});

test('what is not known is null, an empty list, or the id in the place of the name', async () => {
  const { details, ...bare } = TURN;
  expect(details).toBeDefined();
  expect(await read(bare)).toEqual({
    turn_id: 'turn-1',
    text: 'what is this?',
    sender: { open_id: 'ou_1', name: 'ou_1' },
    chat: { id: 'oc_1', type: 'group', name: 'oc_1' },
    attachments: [],
    quoted: null,
    thread: [],
    session: null,
  });
  const elsewhere = { ...bare, lark: undefined };
  expect(await read(elsewhere)).toMatchObject({ sender: null, chat: null });
});

test('stdin has the text of the person alone', async () => {
  const { result } = await run('cat');
  expect(result).toMatchObject({ ok: true, text: 'what is this?' });
});

test('is for its user only, and gone after the turn, also when the turn fails', async () => {
  const { result, left } = await run('stat -c %a "$LARK_TURN_FILE"');
  expect(result).toMatchObject({ ok: true, text: '600' });
  expect(lstatSync(folder).mode & 0o777).toBe(0o700);
  expect(left).toEqual([]);
  expect((await run('exit 3')).left).toEqual([]);
  expect((await run('kill -9 $$')).left).toEqual([]);
});

test('a program that can not be started leaves none', async () => {
  const runtime = new ExecRuntime(execOptions(['/no/such/program'], { turnFiles: files, log }));
  await runtime.start();
  expect(await runtime.prompt(TURN, { onUpdate: () => {} }).result).toMatchObject({ ok: false });
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder that others may write to fails the turn in words', async () => {
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const { result } = await run(SHOW);
  expect(result).toMatchObject({ ok: false, reason: 'failed' });
  expect(log.lines.find(({ event }) => event === 'agent_program_not_started')).toMatchObject({
    error: expect.stringContaining('may write') as unknown,
    next: expect.stringContaining('chmod 700') as unknown,
  });
});

describe('what a kill left', () => {
  test('is removed at the next start, and nothing else', () => {
    const kept = files.write(TURN);
    expect(existsSync(kept)).toBe(true);
    writeFileSync(`${kept}.0123456789abcdef.new`, 'half');
    writeFileSync(join(folder, 'notes.json'), 'mine');
    symlinkSync('/etc/hostname', join(folder, `${'0'.repeat(32)}.json`));
    new TurnFiles({ folder, log }).removeLeftovers();
    expect(readdirSync(folder).toSorted()).toEqual([`${'0'.repeat(32)}.json`, 'notes.json']);
  });

  test('a folder that is not there is nothing to remove', () => {
    files.removeLeftovers();
    expect(log.lines).toEqual([]);
  });
});

/** A turn whose file is on the disk, so that another user can be given a copy. */
function withFile(): AgentTurn {
  const path = join(state, 'a.png');
  writeFileSync(path, 'picture');
  const attachments = TURN.details?.attachments?.map((file) => ({ ...file, path }));
  return { ...TURN, details: { ...TURN.details, ...(attachments && { attachments }) } };
}

describe.runIf(process.getuid?.() === 0)('of a program that runs as another user', () => {
  test('can be read by that user, who can not put others in its place', async () => {
    const script =
      'id -u; cat "$LARK_TURN_FILE" > /dev/null && echo read; ls "$(dirname "$LARK_TURN_FILE")" || echo closed; touch "$(dirname "$LARK_TURN_FILE")/x" || echo safe';
    const { result, left } = await run(script, withFile(), 'nobody');
    expect(result.ok && result.text.split('\n').slice(1)).toEqual(['read', 'closed', 'safe']);
    const place = readFileSync(join(folder, 'place-for-others'), 'utf8');
    expect([left, readdirSync(place)]).toEqual([['place-for-others'], []]);
  });

  test('is removed at the next start too, with its folder', () => {
    const kept = files.write(TURN, { uid: 65_534, gid: 65_534 });
    expect(lstatSync(kept).uid).toBe(65_534);
    const place = join(kept, '..');
    new TurnFiles({ folder, log }).removeLeftovers();
    expect(existsSync(place)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
    // A next one gets a new place.
    files.remove(TURN);
    expect(existsSync(files.write(TURN, { uid: 65_534, gid: 65_534 }))).toBe(true);
    files.removeLeftovers();
  });
});

/** Programs of `--stream`: JSON lines in and out. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import { OutputFolders } from '../../../src/agents/output-folders.ts';
import type { AgentTurn } from '../../../src/agents/runtime.ts';
import { chatId, messageId, openId } from '../../../src/core/ids.ts';
import type { TurnUpdate } from '../../../src/core/turn-update.ts';
import { turnOf } from '../../contract/agents/agent-contract.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog, silentLog } from '../../kit/log.ts';
import { execOptions } from './exec-options.ts';

type More = Parameters<typeof execOptions>[1];

/** A turn of a shell script that streams, with what it told. */
async function start(script: string, more: More = {}, turn: Partial<AgentTurn> = {}) {
  const spec = { kind: 'exec', argv: ['sh', '-c', script], stream: true } as const;
  const runtime = new ExecRuntime(execOptions([], { ...more, spec }));
  await runtime.start();
  const updates: TurnUpdate[] = [];
  const run = runtime.prompt(turnOf('the text', turn), {
    onUpdate: (update) => updates.push(update),
  });
  return { run, updates };
}

async function lines(...said: readonly string[]) {
  const log = recordingLog();
  const script = `cat << 'EOF_OF_LINES'\n${said.join('\n')}\nEOF_OF_LINES`;
  const { run, updates } = await start(script, { log });
  const result = await run.result;
  const leftOut = log.lines.filter(({ event }) => event === 'agent_line_left_out');
  return { result, updates, leftOut: leftOut.map(({ why }) => why) };
}

test('the texts together are the answer, and each is told as it comes', async () => {
  const { result, updates } = await lines(
    '{"type":"status","text":"thinks"}',
    '{"type":"step","id":"1","title":"read","status":"running"}',
    '{"type":"text","text":"one "}',
    '{"type":"step","id":"1","title":"read","status":"done"}',
    '{"type":"text","text":"two"}',
  );
  expect(result).toEqual({ ok: true, text: 'one two' });
  expect(updates).toEqual([
    { kind: 'status', text: 'thinks' },
    { kind: 'step', step: { id: '1', title: 'read', status: 'running' } },
    { kind: 'text_added', text: 'one ' },
    { kind: 'step', step: { id: '1', title: 'read', status: 'done' } },
    { kind: 'text_added', text: 'two' },
  ]);
});

test('the last final is the answer, and what follows is added to it', async () => {
  const { result } = await lines(
    '{"type":"text","text":"draft"}',
    '{"type":"final","text":"first"}',
    '{"type":"final","text":"second"}',
    '{"type":"text","text":", and more"}',
  );
  expect(result).toEqual({ ok: true, text: 'second, and more' });
});

test('files in LARK_OUTPUT_DIR go with the answer under the names that the program says; others do not', async () => {
  const folder = join(temporaryFolder(), 'out');
  const script = `cd "$LARK_OUTPUT_DIR" && echo 1 > a && echo 2 > b.txt && cat << EOF
{"type":"file","path":"$LARK_OUTPUT_DIR/a","name":"first.txt"}
{"type":"file","path":"/etc/passwd"}
{"type":"text","text":"see"}
EOF`;
  const { run } = await start(script, {
    outputs: new OutputFolders({ folder, log: silentLog }),
  });
  const result = await run.result;
  expect(result).toMatchObject({
    ok: true,
    text: 'see',
    attached: {
      files: [{ name: 'first.txt' }, { name: 'b.txt' }],
      leftOut: [{ name: 'passwd', why: 'elsewhere' }],
    },
  });
});

test('a line that is none of these is logged and left out', async () => {
  const { result, leftOut } = await lines(
    'Loading model...',
    '{"type":"text","text":"a"}',
    '',
    '["type","text"]',
    'noise{"type":"text","text":"glued"}',
    '{"type":"text","text":1}',
    '{"type":"step","id":"1","title":"x","status":"odd"}',
  );
  expect(result).toEqual({ ok: true, text: 'a' });
  expect(leftOut).toEqual(['no_json', 'no_json', 'no_json', 'wrong_fields', 'wrong_fields']);
});

test('of many such lines only the first ones are logged, and then their number', async () => {
  const log = recordingLog();
  const { run } = await start('for i in $(seq 100); do echo noise; done', { log });
  await run.result;
  const told = log.lines.filter(({ event }) => event.startsWith('agent_line'));
  expect(told).toHaveLength(6);
  expect(told.at(-1)).toMatchObject({ event: 'agent_lines_left_out', count: 100 });
});

test.each([
  ['CRLF', String.raw`printf '{"type":"text","text":"a"}\r\n{"type":"text","text":"b"}\r\n'`, 'ab'],
  ['no final newline', String.raw`printf '{"type":"text","text":"a"}'`, 'a'],
  [
    'a character in two writes',
    String.raw`printf '{"type":"text","text":"\344\270'; sleep 0.05; printf '\226"}\n'`,
    '世',
  ],
  [
    'half a character in each of two lines',
    String.raw`printf '{"type":"text","text":"\\ud83c"}\n{"type":"text","text":"\\udf0d"}\n'`,
    '🌍',
  ],
  ['half a character', String.raw`printf '{"type":"text","text":"a\\ud83c"}\n'`, 'a\uFFFD'],
  ['nothing', 'true', ''],
])('it reads %s', async (_what, script, text) => {
  const { run } = await start(script);
  expect(await run.result).toMatchObject({ ok: true, text });
});

test('a line of 1 MB is read, and one of more than 8 MB is left out', async () => {
  const mega = `head -c 900000 /dev/zero | tr '\\0' x`;
  const script = `printf '{"type":"text","text":"'; ${mega}; printf '"}\\n'
    printf '{"type":"text","text":"'; head -c 9000000 /dev/zero | tr '\\0' y; printf '"}\\n'
    printf '{"type":"text","text":"end"}\\n'`;
  const { run } = await start(script);
  const result = await run.result;
  expect(result.ok && result.text.length).toBe(900_003);
  expect(result.ok && result.text.endsWith('xend')).toBe(true);
});

test('an answer that is too long is cut, and the program ends', async () => {
  const script = `while true; do echo '{"type":"text","text":"0123456789"}'; done`;
  const { run } = await start(script, { outputBytesMax: 1_000 });
  const result = await run.result;
  expect(result.ok && result.text.startsWith('0123456789')).toBe(true);
  expect(result.ok && result.text).toContain('It was cut here.');
});

test('the turn is the first line of stdin, which stays open', async () => {
  const script = `read -r line; printf '%s' "$line" >&2; timeout 0.2 cat; exit $?`;
  const lark = {
    brand: 'lark',
    chatId: chatId('oc_1'),
    chatType: 'p2p',
    senderOpenId: openId('ou_1'),
    messageId: messageId('om_1'),
  } as const;
  const details = {
    senderName: 'Mei',
    session: { id: 's1', isNew: true },
    quoted: { senderName: 'Ana', text: 'before' },
  };
  const { run } = await start(script, {}, { lark, details });
  const result = await run.result;
  // The end of `timeout`: the program waited for more.
  expect(result).toMatchObject({ detail: "The agent's program ended with exit code 124." });
  expect(JSON.parse(result.output?.stderr ?? '')).toEqual({
    type: 'turn',
    turn_id: 'turn-1',
    text: 'the text',
    sender: { open_id: 'ou_1', name: 'Mei' },
    chat: { id: 'oc_1', type: 'p2p', name: 'oc_1' },
    attachments: [],
    quoted: { sender_name: 'Ana', text: 'before' },
    thread: [],
    session: { id: 's1', is_new: true },
  });
});

test('a run that is cancelled gives back what was said', async () => {
  const { run, updates } = await start(`echo '{"type":"text","text":"so far"}'; sleep 60`);
  await expect.poll(() => updates.length).toBe(1);
  run.cancel();
  expect(await run.result).toMatchObject({ ok: false, reason: 'cancelled', text: 'so far' });
});

test('a program that fails has no answer, whatever it said', async () => {
  const { run } = await start(`echo '{"type":"text","text":"half"}'; exit 1`);
  expect(await run.result).toMatchObject({
    ok: false,
    reason: 'failed',
    detail: "The agent's program ended with exit code 1.",
  });
});

/** Questions of a program of `--stream`: `ask` out, `answer` in. */
import { describe, expect, test } from 'vitest';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import type { AgentRun } from '../../../src/agents/runtime.ts';
import { openId } from '../../../src/core/ids.ts';
import type { QuestionAnswer, TurnUpdate } from '../../../src/core/turn-update.ts';
import { turnOf } from '../../contract/agents/agent-contract.ts';
import { recordingLog } from '../../kit/log.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { execOptions } from './exec-options.ts';

const OPTIONS = [
  { id: 'yes', label: 'Allow', style: 'primary' },
  { id: 'no', label: 'Deny' },
];
const ASK = { type: 'ask', id: 'q1', text: 'May I?', options: OPTIONS };
const BY_ANN: QuestionAnswer = { kind: 'chosen', option: 'yes', by: openId('ou_ann') };
const CANCELLED: QuestionAnswer = { kind: 'cancelled' };

/** A program that says these lines, and then gives back each line that it is told, until its input ends. */
const saying = (...lines: readonly unknown[]) => `read -r turn
cat << 'EOF_OF_LINES'
${lines.map((line) => JSON.stringify(line)).join('\n')}
EOF_OF_LINES
`;
const TELLS = String.raw`read -r told; printf '%s' "$told" >&2; exit 9`;

interface Started {
  readonly run: AgentRun;
  readonly asked: Extract<TurnUpdate, { kind: 'question' }>[];
  readonly told: () => Promise<unknown>;
}

async function start(
  script: string,
  more: Parameters<typeof execOptions>[1] = {},
  answerWith?: QuestionAnswer,
): Promise<Started> {
  const spec = { kind: 'exec', argv: ['sh', '-c', script], stream: true } as const;
  const runtime = new ExecRuntime(execOptions([], { ...more, spec }));
  await runtime.start();
  const asked: Started['asked'] = [];
  const run = runtime.prompt(turnOf('the text'), {
    onUpdate: (update) => {
      if (update.kind !== 'question') return;
      asked.push(update);
      if (answerWith !== undefined) run.answer(update.id, answerWith);
    },
  });
  const told = async () => {
    const { output } = await run.result;
    return JSON.parse(output?.stderr ?? 'null') as unknown;
  };
  return { run, asked, told };
}

test('a question is told with its options, and the program gets the answer', async () => {
  const { asked, told } = await start(saying({ ...ASK, only: 'owner' }) + TELLS, {}, BY_ANN);
  expect(await told()).toEqual({ type: 'answer', id: 'q1', option: 'yes', by: 'ou_ann' });
  expect(asked).toEqual([
    {
      kind: 'question',
      id: 'q1',
      text: 'May I?',
      options: [
        { id: 'yes', label: 'Allow', style: 'primary' },
        { id: 'no', label: 'Deny', style: 'default' },
      ],
      only: 'owner',
    },
  ]);
});

test('a question that nobody answers any more is told as cancelled', async () => {
  const { told } = await start(saying(ASK) + TELLS, {}, CANCELLED);
  expect(await told()).toEqual({ type: 'answer', id: 'q1', cancelled: true });
});

test('R12: a question without options, or with words, is answered in words', async () => {
  const { options: _, ...bare } = ASK;
  const said = { kind: 'said', text: 'the blue one', by: openId('ou_ann') } as const;
  const open = await start(saying(bare) + TELLS, {}, said);
  expect(await open.told()).toEqual({ type: 'answer', id: 'q1', text: said.text, by: 'ou_ann' });
  expect(open.asked).toMatchObject([{ options: [] }]);
  const both = await start(saying({ ...ASK, words: true }) + TELLS, {}, said);
  expect(await both.told()).toMatchObject({ text: said.text });
  expect(both.asked).toMatchObject([{ takesWords: true, options: [{ id: 'yes' }, { id: 'no' }] }]);
});

test('the same question twice is asked once, and its answer is told again', async () => {
  const script = `${saying(ASK, ASK)}
    read -r first; echo '${JSON.stringify(ASK)}'; read -r second
    [ "$first" = "$second" ] && echo '{"type":"final","text":"the same"}'`;
  const { run, asked } = await start(script, {}, BY_ANN);
  expect(await run.result).toMatchObject({ ok: true, text: 'the same' });
  expect(asked).toHaveLength(1);
});

describe('a wrong question is logged, left out and cancelled', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ id: `o${at}`, label: `${at}` }));
  test.each<[string, object]>([
    ['no options', { options: [] }],
    ['too many options', { options: many(21) }],
    ['options that are no list', { options: { id: 'a', label: 'b' } }],
    ['two options with one id', { options: [OPTIONS[0], OPTIONS[0]] }],
    ['an option without an id', { options: [{ id: '', label: 'x' }] }],
    ['an option without a label', { options: [{ id: 'a', label: '\u200B' }] }],
    ['an option with a label that is too long', { options: [{ id: 'a', label: 'x'.repeat(101) }] }],
    ['an unknown style', { options: [{ id: 'a', label: 'b', style: 'red' }] }],
    ['no text', { text: '  ' }],
    ['a text that is too long', { text: 'x'.repeat(4_001) }],
    ['an unknown person', { only: 'everybody' }],
    ['words that are no yes or no', { words: 'please' }],
    ['neither options nor words', { options: undefined, words: false }],
  ])('%s', async (_what, wrong) => {
    const log = recordingLog();
    const { asked, told } = await start(saying({ ...ASK, ...wrong }) + TELLS, { log });
    expect(await told()).toEqual({ type: 'answer', id: 'q1', cancelled: true });
    expect(asked).toEqual([]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ event: 'agent_line_left_out', why: 'wrong_fields' }),
    );
  });

  test.each([[''], [7], ['x'.repeat(201)]])('an id that can not be read: %s', async (id) => {
    const log = recordingLog();
    const { run, asked } = await start(saying({ ...ASK, id }), { log });
    expect(await run.result).toMatchObject({ ok: true });
    expect(asked).toEqual([]);
    expect(log.lines).toContainEqual(expect.objectContaining({ why: 'wrong_fields' }));
  });

  test('more than five at once', async () => {
    const asks = [1, 2, 3, 4, 5, 6].map((at) => ({ ...ASK, id: `q${at}` }));
    const { asked, told } = await start(saying(...asks) + TELLS);
    expect(await told()).toEqual({ type: 'answer', id: 'q6', cancelled: true });
    expect(asked).toHaveLength(5);
  });

  test('more than a hundred in all', async () => {
    const asks = Array.from({ length: 101 }, (_, at) => ({ ...ASK, id: `q${at}` }));
    const script = `${saying(...asks)} i=0; while [ $i -lt 101 ]; do read -r told; i=$((i + 1)); done
      printf '%s' "$told" >&2; exit 9`;
    const { asked, told } = await start(script, {}, BY_ANN);
    expect(await told()).toEqual({ type: 'answer', id: 'q100', cancelled: true });
    expect(asked).toHaveLength(100);
  });
});

test('what is shown of a question has no terminal controls', async () => {
  const dressed = {
    ...ASK,
    text: '\u001B[31mMay I?\u001B[0m\u0000',
    options: [{ id: 'a', label: 'a\nb' }],
  };
  const { asked, run } = await start(saying(dressed) + TELLS, {}, CANCELLED);
  await run.result;
  expect(asked).toMatchObject([{ text: 'May I?', options: [{ label: 'a b' }] }]);
});

test.each([
  ['has closed its input', 'exec 0<&-'],
  ['does not read', 'true'],
])('an answer to a program that %s breaks nothing', async (_what, then) => {
  const { run, asked } = await start(`${saying(ASK)}${then}; sleep 0.2; exit 0`);
  await expect.poll(() => asked.length).toBe(1);
  run.answer('q1', BY_ANN);
  expect(await run.result).toMatchObject({ ok: true });
});

test('an answer after the end, a second one and one to no question are not taken', async () => {
  const { run, asked } = await start(saying(ASK) + TELLS);
  await expect.poll(() => asked.length).toBe(1);
  expect(run.answer('other', BY_ANN)).toBe(false);
  expect(run.answer('q1', BY_ANN)).toBe(true);
  expect(run.answer('q1', CANCELLED)).toBe(false);
  await run.result;
  const ended = await start(saying(ASK));
  await ended.run.result;
  expect(ended.run.answer('q1', BY_ANN)).toBe(false);
});

test('while a question is open the time limit stands still, and then it goes on', async () => {
  const clock = new VirtualClock();
  const { run, asked } = await start(`${saying(ASK)}read -r told; sleep 60`, {
    clock,
    timeoutMs: 10_000,
  });
  await expect.poll(() => asked.length).toBe(1);
  await clock.pass(3_600_000);
  let isOver = false;
  void run.result.then(() => (isOver = true));
  expect(run.answer('q1', BY_ANN)).toBe(true);
  await clock.pass(9_999);
  expect(isOver).toBe(false);
  await clock.pass(10_000);
  expect(await run.result).toMatchObject({ ok: false, reason: 'timed_out' });
});

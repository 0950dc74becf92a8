import { expect, test } from 'vitest';
import { UpdateReader } from '../../../../src/agents/acp/updates.ts';
import type { Json } from '../../../../src/core/json-object.ts';
import type { TurnStep, TurnUpdate } from '../../../../src/core/turn-update.ts';

const reader = (bytesMax = 1024 * 1024) => new UpdateReader({ folder: '/project', bytesMax });
const text = (said: string) => ({ type: 'text', text: said });
const chunk = (said: string, messageId?: string): Json => ({
  sessionUpdate: 'agent_message_chunk',
  content: text(said),
  ...(messageId !== undefined && { messageId }),
});
const call = (fields: Json): Json => ({ sessionUpdate: 'tool_call', toolCallId: 't1', ...fields });
const change = (fields: Json): Json => ({ ...call(fields), sessionUpdate: 'tool_call_update' });

/** The step that the last one of these updates shows. */
function stepAfter(...updates: readonly Json[]): TurnStep | undefined {
  const one = reader();
  const told = updates.flatMap((update) => one.take(update)).at(-1);
  return told?.kind === 'step' ? told.step : undefined;
}

test('chunks are one answer, and messages have an empty line between them', () => {
  const one = reader();
  const told = [
    chunk('I ', 'a'),
    call({ title: 'x' }),
    // The text may go on after a tool has begun.
    chunk('do it.', 'a'),
    chunk('Done.', 'b'),
    chunk(' Really.'),
    call({ title: 'y', toolCallId: 't2' }),
    chunk('End.'),
  ].flatMap((update) => one.take(update));
  expect(one.answer).toBe('I do it.\n\nDone. Really.\n\nEnd.');
  const shown = told.map((update) => (update.kind === 'text_added' ? update.text : ''));
  expect(shown.join('')).toBe(one.answer);
});

test('R28: an answer that is too long is cut, and says so', () => {
  const one = reader(2048);
  one.take(chunk('wörld '.repeat(200)));
  const told = one.take(chunk('x'.repeat(5_000)));
  expect((told[0] as { text: string }).text.length).toBeLessThan(1_000);
  expect(one.take(chunk('more'))).toEqual([]);
  expect(one.answer).toMatch(/x\n\n\[The answer was longer than 2 KB\. It was cut here\.\]$/);
});

test('thoughts, notices, plans and usage are told', () => {
  const one = reader();
  const told = (update: Json): readonly TurnUpdate[] => one.take(update);
  expect(told({ ...chunk('hm'), sessionUpdate: 'agent_thought_chunk' })).toEqual([
    { kind: 'thought_added', text: 'hm' },
  ]);
  expect(
    told({ sessionUpdate: 'notice', severity: 'warning', title: 'Low', description: 'Disk' }),
  ).toEqual([{ kind: 'remark', level: 'warning', text: 'Low\nDisk' }]);
  expect(told({ sessionUpdate: 'notice', severity: 'fancy', title: 'Low' })).toEqual([
    { kind: 'remark', level: 'info', text: 'Low' },
  ]);
  const entries = ['pending', 'in_progress', 'completed'].map((status) => ({
    content: status,
    status,
    priority: 'high',
  }));
  expect(told({ sessionUpdate: 'plan', entries })).toEqual([
    {
      kind: 'plan',
      entries: [
        { text: 'pending', status: 'pending' },
        { text: 'in_progress', status: 'running' },
        { text: 'completed', status: 'done' },
      ],
    },
  ]);
  told({ sessionUpdate: 'usage_update', used: 10, size: 100 });
  const cost = { amount: 0.5, currency: 'USD' };
  expect(told({ sessionUpdate: 'usage_update', used: 12, size: 100, cost })).toEqual([
    { kind: 'usage', usage: { contextTokens: 12, contextSize: 100, cost } },
  ]);
  expect(one.takeUsage({ inputTokens: 5, outputTokens: 6, totalTokens: 11 })).toEqual([
    {
      kind: 'usage',
      usage: { contextTokens: 12, contextSize: 100, cost, inputTokens: 5, outputTokens: 6 },
    },
  ]);
  expect(one.takeUsage(undefined)).toEqual([]);
});

test.each([
  { sessionUpdate: 'future_kind', what: 1 },
  { sessionUpdate: 'available_commands_update', availableCommands: [] },
  { sessionUpdate: 'session_info_update', title: 'x' },
  { sessionUpdate: 'tool_call', title: 'without an id' },
  { sessionUpdate: 'agent_message_chunk' },
  { sessionUpdate: 'notice' },
  {},
])('what people are not shown makes nothing: %j', (update) => {
  expect(reader().take(update)).toEqual([]);
});

test.each<[string, Json]>([
  ['Bash: ls -la', { kind: 'execute', title: 'Terminal', rawInput: { command: 'ls -la\nrm x' } }],
  ['Bash: git log', { kind: 'execute', rawInput: { command: ['git', 'log'] } }],
  ['Terminal', { kind: 'execute', title: 'Terminal', rawInput: {} }],
  [
    'Read: src/a.ts',
    { kind: 'read', title: 'Read file', locations: [{ path: '/project/src/a.ts' }] },
  ],
  ['Read: /etc/hosts', { kind: 'read', rawInput: { file_path: '/etc/hosts' } }],
  [
    'Edit: a',
    { kind: 'edit', content: [{ type: 'diff', path: '/project/a', oldText: 'x', newText: 'y' }] },
  ],
  [
    'Write: a',
    { kind: 'edit', content: [{ type: 'diff', path: '/project/a', oldText: null, newText: 'y' }] },
  ],
  ['Delete: a', { kind: 'delete', locations: [{ path: '/project/a' }] }],
  ['Grep: needle', { kind: 'search', name: 'Grep', rawInput: { pattern: 'needle' } }],
  ['Glob: *.ts', { kind: 'search', name: 'Glob', rawInput: { pattern: '*.ts' } }],
  ['Search: cats', { kind: 'search', name: 'WebSearch', rawInput: { query: 'cats' } }],
  ['Fetch: https://a.example', { kind: 'fetch', rawInput: { url: 'https://a.example' } }],
  ['Update todos', { kind: 'think', name: 'TodoWrite', title: 'Update todos' }],
  ['brand_new', { kind: 'brand_new_kind', name: 'brand_new' }],
  ['other', {}],
])('CG-OUT-16: a step is called %s', (title, fields) => {
  expect(stepAfter(call(fields))?.title).toBe(title);
});

test('CG-OUT-16: only the first 80 characters of a command are in the title', () => {
  const title = stepAfter(call({ kind: 'execute', rawInput: { command: 'x'.repeat(300) } }))?.title;
  expect(title).toBe(`Bash: ${'x'.repeat(79)}…`);
});

test('an update changes what it names, and nothing else', () => {
  const begun = call({ kind: 'execute', title: 'Terminal', status: 'pending', rawInput: {} });
  const filled = change({ rawInput: { command: 'ls' }, title: null });
  expect(stepAfter(begun, filled)).toEqual({ id: 't1', title: 'Bash: ls', status: 'running' });
  const content = [{ type: 'content', content: text('```\n\u001b[31mhi\u001b[0m\n```') }];
  expect(stepAfter(begun, filled, change({ status: 'completed', content }))).toEqual({
    id: 't1',
    title: 'Bash: ls',
    status: 'done',
    detail: '```\nhi\n```',
  });
});

test.each<[string, Json]>([
  ['as a text', { rawOutput: 'made all' }],
  ['as a list', { rawOutput: [{ type: 'text', text: 'made all' }] }],
  ['in fields', { rawOutput: { stdout: 'made all', stderr: '' } }],
  [
    'beside a terminal of its own',
    { content: [{ type: 'terminal', terminalId: 'x' }], rawOutput: 'made all' },
  ],
  [
    'in a terminal of its own',
    {
      content: [
        { type: 'terminal', terminalId: 'x', _meta: { terminal_output: { data: 'made all' } } },
      ],
    },
  ],
])('output is shown that the agent gives %s', (_how, fields) => {
  expect(stepAfter(call(fields))?.detail).toBe('made all');
});

test('R28: long output and long diffs are cut, and say so', () => {
  const diff = { type: 'diff', path: '/project/a', oldText: null, newText: 'y'.repeat(300_000) };
  const long = { type: 'content', content: text('x'.repeat(50_000)) };
  const step = stepAfter(call({ kind: 'edit', content: [long, diff] }));
  expect(step?.detail).toMatch(/^x{4000}\n\[… 46000 characters more\]$/);
  expect(step?.diffs?.[0]?.after).toMatch(/^y{200000}\n\[… 100000 characters more\]$/);
});

test('a tool is at work until it has ended', () => {
  const one = reader();
  one.take(call({ status: 'pending' }));
  expect(one.hasToolAtWork).toBe(true);
  one.take(change({ status: 'in_progress' }));
  one.take(change({ _meta: {} }));
  expect(one.hasToolAtWork).toBe(true);
  one.take(change({ status: 'failed' }));
  expect(one.hasToolAtWork).toBe(false);
  one.take(call({ toolCallId: 'fast', status: 'completed' }));
  expect(one.hasToolAtWork).toBe(false);
});

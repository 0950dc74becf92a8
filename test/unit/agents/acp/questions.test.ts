/** What agents ask: permissions and forms. */
import { expect, test } from 'vitest';
import { fieldsOf } from '../../../../src/agents/acp/elicitation.ts';
import { optionsOf, permissionOutcome } from '../../../../src/agents/acp/permission.ts';
import { Questions } from '../../../../src/agents/acp/questions.ts';
import { isOwnTool } from '../../../../src/agents/mcp/own-tools.ts';
import { ToolCalls } from '../../../../src/agents/acp/tool-calls.ts';
import type { Json } from '../../../../src/core/json-object.ts';
import { openId } from '../../../../src/core/ids.ts';
import type { QuestionAnswer, QuestionUpdate } from '../../../../src/core/turn-update.ts';

const by = openId('ou_1');
const chosen = (option: string): QuestionAnswer => ({ kind: 'chosen', option, by });
const said = (text: string): QuestionAnswer => ({ kind: 'said', text, by });
const NEVER = new AbortController().signal;

const option = (optionId: string, kind: string, name = optionId): Json => ({
  optionId,
  name,
  kind,
});
const selected = (optionId: string) => ({ outcome: { outcome: 'selected', optionId } });
const CANCELLED = { outcome: { outcome: 'cancelled' } };

function questions(isOwn = false) {
  const asked: QuestionUpdate[] = [];
  let silences = 0;
  const calls = new ToolCalls('/project');
  const all = new Questions({
    onUpdate: (update) => {
      if (update.kind === 'question') asked.push(update);
    },
    expectSilence: () => {
      silences += 1;
      return () => {
        silences -= 1;
      };
    },
    tools: { isOwnTool: () => isOwn },
    callOf: (toolCall) => calls.take(toolCall),
  });
  return { all, asked, silences: () => silences };
}

const TOOL = { toolCallId: 't1', kind: 'execute', rawInput: { command: 'touch x' } };

test.each<[string, readonly Json[], QuestionAnswer, unknown]>([
  [
    'the chosen option',
    [option('a', 'allow_once'), option('b', 'reject_once')],
    chosen('a'),
    selected('a'),
  ],
  ['a kind that nobody knows', [option('s', 'allow_session')], chosen('s'), selected('s')],
  ['an option that was not offered', [option('a', 'allow_once')], chosen('z'), CANCELLED],
  [
    'nobody in time: no',
    [option('a', 'allow_once'), option('n', 'reject_always'), option('r', 'reject_once')],
    { kind: 'expired' },
    selected('r'),
  ],
  [
    'nobody in time, only never: never',
    [option('a', 'allow_once'), option('n', 'reject_always')],
    { kind: 'expired' },
    selected('n'),
  ],
  ['nobody in time, no no: cancelled', [option('a', 'allow_once')], { kind: 'expired' }, CANCELLED],
  [
    'a stop',
    [option('a', 'allow_once'), option('r', 'reject_once')],
    { kind: 'cancelled' },
    CANCELLED,
  ],
])('R13: a permission is answered with %s', (_what, options, answer, outcome) => {
  expect(permissionOutcome(optionsOf({ options }), answer)).toEqual(outcome);
});

test('R15: all options are shown by their names, also several of one kind', async () => {
  const { all, asked } = questions();
  const options = [
    option('once', 'allow_once', 'Yes'),
    option('edits', 'allow_once', 'Yes, and trust edits'),
    option('always', 'allow_always', 'Always'),
    option('new', 'some_new_kind', 'New'),
    option('no', 'reject_once', 'No'),
    option('no', 'reject_once', 'The same id again'),
  ];
  const outcome = all.permission({ options }, TOOL, NEVER);
  expect(asked[0]).toEqual({
    kind: 'question',
    id: 'acp-1',
    text: 'Bash: touch x',
    options: [
      { id: 'once', label: 'Yes', style: 'primary' },
      { id: 'edits', label: 'Yes, and trust edits', style: 'primary' },
      { id: 'always', label: 'Always', style: 'default' },
      { id: 'new', label: 'New', style: 'default' },
      { id: 'no', label: 'No', style: 'danger' },
    ],
    permission: {
      tool: 'execute',
      command: 'touch x',
      allow: 'once',
      reject: 'no',
      lasting: ['always', 'new'],
    },
  });
  expect(all.answer('acp-1', chosen('always'))).toBe(true);
  expect(all.answer('acp-1', chosen('once'))).toBe(false);
  expect(await outcome).toEqual(selected('always'));
});

const JSON_OF = (input: Json) => JSON.stringify(input, undefined, 2);

test.each<[string, Json, Json]>([
  [
    'the words of a command that are not in its first one',
    { kind: 'execute', rawInput: { command: 'rm', args: ['-rf', '/srv'] } },
    { command: 'rm', input: JSON_OF({ args: ['-rf', '/srv'] }) },
  ],
  [
    'what changes how a command runs',
    {
      kind: 'execute',
      rawInput: { command: 'ls', description: 'List files', timeout: 5, cwd: '/', sandbox: false },
    },
    { command: 'ls', input: JSON_OF({ cwd: '/', sandbox: false }) },
  ],
  [
    'the later lines of a command that is only a title',
    { kind: 'execute', title: 'ls\nrm -rf /srv' },
    { command: 'ls\nrm -rf /srv' },
  ],
  [
    'a title that is longer than a line of a card',
    { kind: 'other', title: `${'a'.repeat(300)} and delete all` },
    { input: `${'a'.repeat(300)} and delete all` },
  ],
  [
    'where the words of a command begin and end',
    { kind: 'execute', rawInput: { command: ['sh', '-c', 'rm -rf a', { x: 1 }] } },
    { command: 'sh -c "rm -rf a" {"x":1}' },
  ],
  [
    'what a tool of another server gets',
    { kind: 'other', title: 'delete_repo', rawInput: { repo: 'me/all', description: 'x' } },
    { input: JSON_OF({ repo: 'me/all', description: 'x' }) },
  ],
  [
    'a second path',
    { kind: 'move', rawInput: { path: '/project/a', to_path: '/etc/b' } },
    { paths: ['/project/a'], input: JSON_OF({ to_path: '/etc/b' }) },
  ],
  ['an input that is no object', { kind: 'execute', rawInput: 'reboot' }, { input: '"reboot"' }],
  [
    'how many more paths there are',
    { kind: 'delete', locations: Array.from({ length: 25 }, (_, at) => ({ path: `/${at}` })) },
    { paths: [...Array.from({ length: 20 }, (_, at) => `/${at}`), '[… 5 more]'] },
  ],
  [
    'how many more changes there are',
    {
      kind: 'edit',
      content: Array.from({ length: 23 }, () => ({ type: 'diff', path: 'a', newText: 'b' })),
    },
    {
      diffs: Array.from({ length: 20 }, () => ({ path: 'a', before: null, after: 'b' })),
      input: '[… 3 more changes of files]',
    },
  ],
  ['no more than is needed', { kind: 'read', rawInput: { file_path: '/a' } }, { paths: ['/a'] }],
])('what a person allows is what runs: %s', async (_what, call, shown) => {
  const { all, asked } = questions();
  void all.permission(
    { options: [option('a', 'allow_once')] },
    { toolCallId: 't', ...call },
    NEVER,
  );
  const { tool: _tool, allow: _allow, ...rest } = asked[0]?.permission ?? {};
  expect(rest).toEqual(shown);
});

test('an input that is not there yet takes nothing away from what is shown', () => {
  const calls = new ToolCalls('/project');
  calls.take(TOOL);
  expect(calls.take({ toolCallId: 't1', rawInput: {} })).toMatchObject({ command: 'touch x' });
});

test('a command with the name of a tool of the bridge is asked about', () => {
  const asked: QuestionUpdate[] = [];
  const calls = new ToolCalls('/project');
  const all = new Questions({
    onUpdate: (update) => void (update.kind === 'question' && asked.push(update)),
    expectSilence: () => () => {},
    tools: { isOwnTool },
    callOf: (toolCall) => calls.take(toolCall),
  });
  const title = 'mcp__lark_bridge__react';
  calls.take({ toolCallId: 't1', kind: 'execute', title });
  // The request leaves out what was told before.
  void all.permission({ options: [option('a', 'allow_once')] }, { toolCallId: 't1', title }, NEVER);
  const command = { toolCallId: 't2', title, rawInput: { command: title } };
  void all.permission({ options: [option('a', 'allow_once')] }, command, NEVER);
  expect(asked).toHaveLength(2);
});

test("the bridge's own tools are allowed without a question", async () => {
  const { all, asked } = questions(true);
  const options = [option('always', 'allow_always'), option('once', 'allow_once')];
  expect(await all.permission({ options }, TOOL, NEVER)).toEqual(selected('once'));
  expect(asked).toEqual([]);
  // Without a yes among the options a person is asked.
  void all.permission({ options: [option('no', 'reject_once')] }, TOOL, NEVER);
  expect(asked).toHaveLength(1);
});

test('R13: questions end with the turn, and none begins after it', async () => {
  const { all, silences } = questions();
  const options = [option('a', 'allow_once')];
  const outcomes = [1, 2].map(() => all.permission({ options }, TOOL, NEVER));
  expect(silences()).toBe(2);
  all.end();
  expect(await Promise.all(outcomes)).toEqual([CANCELLED, CANCELLED]);
  expect(silences()).toBe(0);
  expect(await all.permission({ options }, TOOL, NEVER)).toEqual(CANCELLED);
});

test('a request that its agent takes back is over', async () => {
  const { all } = questions();
  const gone = new AbortController();
  const outcome = all.permission({ options: [option('a', 'allow_once')] }, TOOL, gone.signal);
  gone.abort();
  expect(await outcome).toEqual(CANCELLED);
  expect(all.answer('acp-1', chosen('a'))).toBe(false);
});

test('a request without options can not be answered', async () => {
  const { all, asked } = questions();
  expect(await all.permission({ options: 'none' }, TOOL, NEVER)).toEqual(CANCELLED);
  expect(asked).toEqual([]);
});

const COLOUR = {
  type: 'string',
  title: 'Colour',
  oneOf: [
    { const: 'red', title: 'Red' },
    { const: 'blue', title: 'Blue' },
  ],
};
const form = (properties: Json): Json => ({
  mode: 'form',
  message: 'Which one?',
  requestedSchema: { type: 'object', properties },
});

async function filled(request: Json, ...answers: readonly QuestionAnswer[]) {
  const { all, asked } = questions();
  const result = all.elicitation(request, NEVER);
  for (const answer of answers) {
    await expect.poll(() => asked.at(-1) !== undefined).toBe(true);
    all.answer(asked.at(-1)?.id ?? '', answer);
    await Promise.resolve();
  }
  return { result: await result, asked };
}

test('a form with a choice and words of its own is one question', async () => {
  const request = form({ question_0: COLOUR, question_0_custom: { type: 'string' } });
  const { result, asked } = await filled(request, chosen('2'));
  expect(asked).toEqual([
    {
      kind: 'question',
      id: 'acp-1',
      text: 'Which one?\nColour',
      options: [
        { id: '1', label: 'Red', style: 'default' },
        { id: '2', label: 'Blue', style: 'default' },
      ],
      takesWords: true,
    },
  ]);
  expect(result).toEqual({ action: 'accept', content: { question_0: 'blue' } });
  const own = await filled(request, said('green'));
  expect(own.result).toEqual({ action: 'accept', content: { question_0_custom: 'green' } });
});

test('the fields of a form are asked one after another', async () => {
  const request = form({ name: { type: 'string', title: 'Name' }, age: { type: 'integer' } });
  const { result, asked } = await filled(request, said('Ada'), said(' 36 '));
  expect(asked.map(({ text, options }) => [text, options.length])).toEqual([
    ['Which one?\nName', 0],
    ['age', 0],
  ]);
  expect(result).toEqual({ action: 'accept', content: { name: 'Ada', age: 36 } });
});

test.each<[string, Json, QuestionAnswer, unknown]>([
  [
    'a yes',
    { on: { type: 'boolean' } },
    chosen('true'),
    { action: 'accept', content: { on: true } },
  ],
  [
    'one of many',
    { tags: { type: 'array', items: { enum: ['a', 'b'] } } },
    chosen('1'),
    { action: 'accept', content: { tags: ['a'] } },
  ],
  ['no number', { age: { type: 'number' } }, said('old'), { action: 'decline' }],
  ['nobody in time', { colour: COLOUR }, { kind: 'expired' }, { action: 'decline' }],
  ['a stop', { colour: COLOUR }, { kind: 'cancelled' }, { action: 'cancel' }],
])('a form is answered: %s', async (_what, properties, answer, result) => {
  expect((await filled(form(properties), answer)).result).toEqual(result);
});

test('a link is shown, and opened by the person', async () => {
  const request = { mode: 'url', message: 'Agree here', url: 'https://example.com/a' };
  const { result, asked } = await filled(request, chosen('done'));
  expect(asked[0]?.text).toBe('Agree here\nhttps://example.com/a');
  expect(result).toEqual({ action: 'accept', content: {} });
  expect((await filled(request, chosen('refuse'))).result).toEqual({ action: 'decline' });
});

test.each([
  ['a link that is none', { mode: 'url', message: 'x', url: 'javascript:alert(1)' }],
  ['no fields', form({})],
  ['nothing', {}],
  [
    'too many fields',
    form(Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`f${at}`, {}]))),
  ],
])('what can not be asked in a chat is declined: %s', async (_what, request) => {
  expect(fieldsOf(request)).toBeUndefined();
  expect((await filled(request)).result).toEqual({ action: 'decline' });
});

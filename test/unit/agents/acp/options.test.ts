import { expect, test } from 'vitest';
import {
  abilitiesIn,
  knownLoginCommand,
  loginCommandIn,
} from '../../../../src/agents/acp/abilities.ts';
import { askingMode, optionsAfter, optionsIn } from '../../../../src/agents/acp/options.ts';

const MODES = {
  currentModeId: 'auto',
  availableModes: [
    { id: 'auto', name: 'Auto', description: 'Acts' },
    { id: 'default', name: 'Manual' },
  ],
};
const select = (id: string, category: string, values: readonly string[]) => ({
  id,
  name: id.toUpperCase(),
  category,
  type: 'select',
  currentValue: values[0],
  options: values.map((value) => ({ value, name: value })),
});

test('modes are an option like others', () => {
  expect(optionsIn({ modes: MODES })).toEqual([
    {
      id: 'mode',
      name: 'Mode',
      is: 'mode',
      current: 'auto',
      values: [
        { id: 'auto', name: 'Auto', description: 'Acts' },
        { id: 'default', name: 'Manual' },
      ],
      from: 'modes',
      isBoolean: false,
    },
  ]);
});

test('an option for the mode counts before the modes, and only the first is the mode', () => {
  const configOptions = [
    select('mode', 'mode', ['a', 'b']),
    select('collaboration', 'mode', ['x']),
    select('model', 'model', ['m1']),
    { id: 'brave', type: 'boolean', currentValue: true },
    { id: 1 },
    {
      id: 'effort',
      currentValue: 'low',
      options: [{ group: 'g', options: [{ value: 'low', name: 'Low' }] }],
    },
  ];
  const options = optionsIn({ configOptions, modes: MODES });
  expect(options?.map(({ id, is, from }) => [id, is, from])).toEqual([
    ['mode', 'mode', 'config'],
    ['collaboration', 'other', 'config'],
    ['model', 'model', 'config'],
    ['brave', 'other', 'config'],
    ['effort', 'other', 'config'],
  ]);
  expect(options?.[3]).toMatchObject({
    current: 'true',
    values: [{ id: 'true' }, { id: 'false' }],
  });
  expect(options?.[4]?.values).toEqual([{ id: 'low', name: 'Low' }]);
});

test('an answer that says nothing of options changes none', () => {
  expect(optionsIn({})).toBeUndefined();
  expect(optionsIn({ models: { currentModelId: 'm1' } })).toBeUndefined();
});

test('updates change what is current', () => {
  const options = optionsIn({ modes: MODES }) ?? [];
  const update = { sessionUpdate: 'current_mode_update', currentModeId: 'default' };
  expect(optionsAfter(options, update)[0]?.current).toBe('default');
  const configOptions = [select('model', 'model', ['m2'])];
  const changed = { sessionUpdate: 'config_option_update', configOptions };
  expect(optionsAfter(options, changed).map(({ id }) => id)).toEqual(['mode', 'model']);
  expect(optionsAfter(options, { sessionUpdate: 'plan' })).toBe(options);
});

test('R16: the mode that asks is the one of the table, else the first of the usual ones', () => {
  const [mode] = optionsIn({ modes: MODES }) ?? [];
  if (mode === undefined) throw new Error('there is no mode');
  expect(askingMode(mode, undefined)).toBe('default');
  expect(askingMode(mode, ['plan', 'auto'])).toBe('auto');
  expect(askingMode(mode, ['plan'])).toBeUndefined();
  expect(
    askingMode({ ...mode, values: [{ id: 'yolo', name: 'Yolo' }] }, undefined),
  ).toBeUndefined();
});

test('an agent that names no abilities has none', () => {
  expect(abilitiesIn({})).toEqual({
    load: false,
    resume: false,
    close: false,
    prompt: { image: false, embedded: false },
    tools: { http: false },
  });
});

test('R11: the command to log in is told as it can be typed', () => {
  const terminal = { id: 'x', type: 'terminal', args: ['--login', 'a b'] };
  expect(loginCommandIn({ authMethods: [{ id: 'browser' }, terminal] }, ['/bin/agent'])).toBe(
    "/bin/agent --login 'a b'",
  );
  const older = { _meta: { 'terminal-auth': { command: 'copilot', args: ['login'] } } };
  expect(loginCommandIn({ authMethods: [older] }, ['x'])).toBe('copilot login');
  expect(loginCommandIn({}, ['x'])).toBeUndefined();
  const known = { args: ['--acp'], login: ['auth'] };
  expect(knownLoginCommand(known, ['/bin/node', '/x/agent.js', '--acp'])).toBe(
    '/bin/node /x/agent.js auth',
  );
  expect(knownLoginCommand(undefined, ['x'])).toBeUndefined();
});

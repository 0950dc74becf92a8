/** What can be chosen for a session: as the agent tells it, and in the form of the runtimes. */
import { asObject, isObject, type Json } from '../../core/json-object.ts';
import type { SessionOption } from '../runtime.ts';

/** How the mode is named of agents that have modes and no option for them. */
const MODE_OPTION = 'mode';

/** Agents outside of the table: the first of these that exists asks before it acts. */
const ASKING_MODES = ['default', 'ask', 'manual', 'read-only'];

export interface AgentOption extends SessionOption {
  /** `modes`: it is set with the request for modes. */
  readonly from: 'modes' | 'config';
  readonly isBoolean: boolean;
}

/** Reads the answer to the begin of a session. Undefined: it says nothing of options. */
export function optionsIn({ configOptions, modes }: Json): readonly AgentOption[] | undefined {
  const config = Array.isArray(configOptions)
    ? withOneMode(configOptions.filter(isObject).flatMap((option) => configOption(option) ?? []))
    : [];
  const hasMode = config.some(({ is }) => is === 'mode');
  const own = hasMode ? undefined : modeOption(asObject(modes));
  if (configOptions === undefined && own === undefined) return undefined;
  return own === undefined ? config : [own, ...config];
}

/** After an update about the mode or the options. */
export function optionsAfter(
  options: readonly AgentOption[],
  update: Json,
): readonly AgentOption[] {
  const { sessionUpdate, currentModeId } = update;
  if (sessionUpdate === 'current_mode_update' && typeof currentModeId === 'string') {
    return options.map((option) =>
      option.is === 'mode' ? { ...option, current: currentModeId } : option,
    );
  }
  if (sessionUpdate !== 'config_option_update') return options;
  const ownMode = options.filter(({ from }) => from === 'modes');
  return [...ownMode, ...(optionsIn({ configOptions: update['configOptions'] }) ?? [])];
}

/** Which mode asks the person. Undefined: nobody knows. `known`: those of an agent of the table, the best first. */
export function askingMode(
  mode: AgentOption,
  known: readonly string[] | undefined,
): string | undefined {
  const ids = new Set(mode.values.map(({ id }) => id));
  return (known ?? ASKING_MODES).find((id) => ids.has(id));
}

/** Other options of this category are about something else than how freely the agent acts. */
function withOneMode(options: readonly AgentOption[]): readonly AgentOption[] {
  const first = options.find(({ is }) => is === 'mode');
  return options.map((one) => (one.is === 'mode' && one !== first ? { ...one, is: 'other' } : one));
}

function configOption(given: Json): AgentOption | undefined {
  const { id, name, category, type, currentValue, options } = given;
  if (typeof id !== 'string') return undefined;
  const isBoolean = type === 'boolean';
  const values = isBoolean ? BOOLEAN_VALUES : valuesIn(options);
  const isA = typeof category === 'string' ? category : id;
  return {
    id,
    name: typeof name === 'string' ? name : id,
    is: isA === 'mode' || isA === 'model' ? isA : 'other',
    current: String(currentValue),
    values,
    from: 'config',
    isBoolean,
  };
}

const BOOLEAN_VALUES: SessionOption['values'] = [
  { id: 'true', name: 'on' },
  { id: 'false', name: 'off' },
];

/** Values may stand in groups. */
function valuesIn(options: unknown): SessionOption['values'] {
  const given = Array.isArray(options) ? options.filter(isObject) : [];
  return given.flatMap((one) => {
    if (Array.isArray(one['options'])) return valuesIn(one['options']);
    return valueOf(one['value'], one);
  });
}

function modeOption(modes: Json | undefined): AgentOption | undefined {
  const { currentModeId, availableModes } = modes ?? {};
  if (typeof currentModeId !== 'string' || !Array.isArray(availableModes)) return undefined;
  const values = availableModes.filter(isObject).flatMap((mode) => valueOf(mode['id'], mode));
  const is = 'mode';
  const about = { id: MODE_OPTION, name: 'Mode', is, current: currentModeId, values } as const;
  return { ...about, from: 'modes', isBoolean: false };
}

function valueOf(id: unknown, { name, description }: Json): SessionOption['values'] {
  if (typeof id !== 'string') return [];
  const named = { id, name: typeof name === 'string' ? name : id };
  return [typeof description === 'string' ? { ...named, description } : named];
}

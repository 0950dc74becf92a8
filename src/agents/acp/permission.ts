/** Requests of an agent to use a tool, as questions; and what is answered to them. */
import { asObject, isObject, type Json } from '../../core/json-object.ts';
import type {
  PermissionAsked,
  QuestionAnswer,
  QuestionOption,
  QuestionUpdate,
} from '../../core/turn-update.ts';
import { shortened } from '../../text/cut.ts';
import type { ToolUse } from './tools-port.ts';
import type { ToolCall } from './tool-calls.ts';

/** A card has room for no more buttons. */
const OPTIONS_MAX = 20;
const LABEL_CHARS_MAX = 100;

/** An option as the agent offers it. Agents may have kinds that this version does not know. */
interface PermissionOption {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
}

export function optionsOf({ options }: Json): readonly PermissionOption[] {
  const given = Array.isArray(options) ? options.filter(isObject) : [];
  const all = given.flatMap(({ optionId: id, name, kind }) =>
    typeof id === 'string'
      ? [{ id, name: typeof name === 'string' ? name : id, kind: String(kind) }]
      : [],
  );
  const first = all.filter(({ id }, at) => all.findIndex((one) => one.id === id) === at);
  return first.slice(0, OPTIONS_MAX);
}

export function permissionQuestion(
  id: string,
  { call, options }: { readonly call: ToolCall; readonly options: readonly PermissionOption[] },
): QuestionUpdate {
  const allow = options.find(({ kind }) => kind === 'allow_once');
  const reject = rejecting(options);
  const { kind: tool, paths, diffs, words } = call;
  // Some agents name a command only in its title.
  const command = call.command ?? (tool === 'execute' ? words : undefined);
  const beside = [command === words ? undefined : words, call.input];
  const input = beside.filter((one) => one !== undefined).join('\n\n');
  const lasting = options.filter((one) => isLasting(one)).map((one) => one.id);
  const permission: PermissionAsked = {
    tool,
    ...(command !== undefined && { command }),
    ...(paths.length > 0 && { paths }),
    ...(diffs.length > 0 && { diffs }),
    ...(input !== '' && { input }),
    ...(allow !== undefined && { allow: allow.id }),
    ...(reject !== undefined && { reject: reject.id }),
    ...(lasting.length > 0 && { lasting }),
  };
  return { kind: 'question', id, text: call.title, options: options.map(shownOption), permission };
}

/** What the agent is told. Nobody in time: no. */
export function permissionOutcome(
  options: readonly PermissionOption[],
  answer: QuestionAnswer,
): Json {
  switch (answer.kind) {
    case 'chosen':
      return selected(options.find(({ id }) => id === answer.option));
    case 'said':
    case 'expired':
      return selected(rejecting(options));
    case 'cancelled':
      return selected(undefined);
  }
}

/** For a tool of the bridge itself. Undefined: the agent offers no yes. */
export function allowedOutcome(options: readonly PermissionOption[]): Json | undefined {
  const once = options.find(({ kind }) => kind === 'allow_once');
  const option = once ?? options.find(({ kind }) => kind === 'allow_always');
  return option && selected(option);
}

/** `call`: what is known of it already. A request need not say again that it is a command. */
export function toolUseOf(toolCall: Json, call: ToolCall | undefined): ToolUse {
  const { name, title, _meta: meta } = toolCall;
  const kind = call?.command === undefined ? (call?.kind ?? toolCall['kind']) : 'execute';
  return {
    name: typeof name === 'string' ? name : undefined,
    title: typeof title === 'string' ? title : undefined,
    kind: typeof kind === 'string' ? kind : undefined,
    meta: asObject(meta),
  };
}

function selected(option: PermissionOption | undefined): Json {
  return {
    outcome: option ? { outcome: 'selected', optionId: option.id } : { outcome: 'cancelled' },
  };
}

function rejecting(options: readonly PermissionOption[]): PermissionOption | undefined {
  const once = options.find(({ kind }) => kind === 'reject_once');
  return once ?? options.find(({ kind }) => kind === 'reject_always');
}

function shownOption({ id, name, kind }: PermissionOption): QuestionOption {
  return { id, label: shortened(name, LABEL_CHARS_MAX), style: styleOf(kind) };
}

/** Of a kind that this version does not know nobody can say how much it allows. */
function isLasting({ kind }: PermissionOption): boolean {
  return kind !== 'allow_once' && !kind.startsWith('reject');
}

function styleOf(kind: string): QuestionOption['style'] {
  if (kind === 'allow_once') return 'primary';
  return kind.startsWith('reject') ? 'danger' : 'default';
}

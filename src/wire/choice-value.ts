/**
 * The value of a card's button. Lark sends it back when somebody presses the button. A card can be forwarded into
 * another chat, and other programs can send any value with the app's credentials, so each value is signed for the
 * place that it was made for. Names in a value that begin with `lark_bridge` are ours.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ButtonAction } from '../core/content.ts';
import {
  type ChatId,
  messageId,
  type MessageId,
  openId,
  type OpenId,
  turnId,
  type TurnId,
} from '../core/ids.ts';

/** Every button of ours has this mark. Without it the press is on another program's card. */
const CHOICE_MARK = 'lark_bridge_choice';
const ACTIONS: readonly ButtonAction[] = [
  ...(['run', 'skip', 'retry'] as const),
  ...(['help', 'status', 'new', 'stop'] as const),
  ...(['agent', 'folder', 'mode', 'model', 'resume'] as const),
  // About a person.
  ...(['allow', 'block'] as const),
  'answer',
];
/** After a week nobody remembers what a question was about. What waits can still be decided by a typed command. */
const VALID_MS = 7 * 24 * 60 * 60 * 1000;

/** In place of the number of an option: the one that allows it, and what is like it from now on. */
export const ALWAYS_OPTION = 'always';

/** What a button is about. */
export interface Choice {
  readonly action: ButtonAction;
  /** The key of the outbox row that its card is sent as. */
  readonly row: string;
  /** The message that the card is shown under. */
  readonly under?: MessageId | undefined;
  /** Undefined: all old messages of the person who presses. */
  readonly turn?: TurnId | undefined;
  /** Whom it works for. Undefined: everybody. */
  readonly person?: OpenId | undefined;
  /** Whom it is about. Only buttons about who may talk have it. */
  readonly about?: OpenId | undefined;
  /** The key of the question that an `answer` is for, and the number of the option, from 0, or `ALWAYS_OPTION`. */
  readonly question?: string | undefined;
  readonly option?: string | undefined;
  /** What would be typed after the command. */
  readonly argument?: string | undefined;
}

type ChoiceRefusal = 'not_signed' | 'wrong_signature' | 'too_old';

type ParsedChoice =
  | { readonly kind: 'choice'; readonly choice: Choice }
  /** `action`: what it says that it does, if that is known. */
  | {
      readonly kind: 'refused';
      readonly why: ChoiceRefusal;
      readonly action: ButtonAction | undefined;
    };

export type ButtonValue = Readonly<Record<string, string>>;

/** Makes and checks values with one key. */
export class ChoiceValues {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** `sinceMs`: when the question was asked. `untilMs`: when it is over, if that is known. */
  valueOf(
    choice: Choice,
    { chat, sinceMs, untilMs }: { chat: ChatId; sinceMs: number; untilMs?: number | undefined },
  ): ButtonValue {
    const { action, row, under, turn, person, about, question, option, argument } = choice;
    const until = String(untilMs ?? sinceMs + VALID_MS);
    return {
      [CHOICE_MARK]: action,
      row,
      ...(under !== undefined && { under }),
      ...(turn !== undefined && { turn }),
      ...(person !== undefined && { person }),
      ...(about !== undefined && { about }),
      ...(question !== undefined && { question }),
      ...(option !== undefined && { option }),
      ...(argument !== undefined && { argument }),
      until,
      signature: this.#sign(choice, chat, until),
    };
  }

  /** `chat`: where the button was pressed. Undefined if the value is not one of ours. */
  parse(
    value: Readonly<Record<string, unknown>>,
    { chat, nowMs }: { chat: ChatId; nowMs: number },
  ): ParsedChoice | undefined {
    if (!Object.hasOwn(value, CHOICE_MARK)) return undefined;
    const text = (name: string) => (typeof value[name] === 'string' ? value[name] : undefined);
    const action = ACTIONS.find((one) => one === value[CHOICE_MARK]);
    const [row, until, signature] = [text('row'), text('until'), text('signature')];
    if (action === undefined || row === undefined || until === undefined || signature === undefined)
      return { kind: 'refused', why: 'not_signed', action };
    const [under, turn, person, about] = ['under', 'turn', 'person', 'about'].map(text);
    const [question, option, argument] = ['question', 'option', 'argument'].map(text);
    const choice: Choice = {
      action,
      row,
      under: under === undefined ? undefined : messageId(under),
      turn: turn === undefined ? undefined : turnId(turn),
      person: person === undefined ? undefined : openId(person),
      about: about === undefined ? undefined : openId(about),
      ...(question !== undefined && { question }),
      ...(option !== undefined && { option }),
      ...(argument !== undefined && { argument }),
    };
    if (!isSame(signature, this.#sign(choice, chat, until)))
      return { kind: 'refused', why: 'wrong_signature', action };
    return Number(until) < nowMs
      ? { kind: 'refused', why: 'too_old', action }
      : { kind: 'choice', choice };
  }

  #sign(choice: Choice, chat: ChatId, until: string): string {
    const { action, row, under, turn, person, about, question, option, argument } = choice;
    const common = [action, chat, row, under ?? null, turn ?? null, person ?? null, until];
    // Without these it is what earlier versions signed, so that their buttons go on working.
    const isForNone = [question, option, argument].every((one) => one === undefined);
    const signed = isForNone
      ? about === undefined
        ? common
        : [...common, about]
      : [
          ...common,
          about ?? null,
          question ?? null,
          option ?? null,
          ...(argument === undefined ? [] : [argument]),
        ];
    return createHmac('sha256', this.#key).update(JSON.stringify(signed)).digest('base64url');
  }
}

/** Takes the same time wherever they differ. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

import { appId, chatId, messageId, openId, turnId, workspaceId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import type { LanguageChoices } from '../../../src/bridge/ports/languages.ts';
import type { QuestionStore } from '../../../src/bridge/ports/questions.ts';
import { Languages } from '../../../src/bridge/texts/languages.ts';
import { ChoiceValues } from '../../../src/wire/choice-value.ts';
import type { Turn, TurnState } from '../../../src/core/turn.ts';
import type { OutboxDraft, OutboxRow } from '../../../src/bridge/ports/outbox.ts';

export const message: InboundMessage = {
  appId: appId('cli_0123456789abcdef'),
  messageId: messageId('om_1'),
  eventId: 'e1',
  chatId: chatId('oc_1'),
  chatType: 'p2p',
  senderOpenId: openId('ou_1'),
  rootId: undefined,
  parentId: undefined,
  threadId: undefined,
  sentAtMs: 1_000,
  parts: [{ kind: 'text', text: 'hello' }],
};

/** Signs the buttons of the tests. */
export const choiceValues = new ChoiceValues(new Uint8Array(32).fill(7));

/** Nobody has chosen a language. */
export const noChoices: LanguageChoices = {
  chosenBy: () => undefined,
  store: () => Promise.resolve(),
};

/** No agent asks anything. */
export const noQuestions: QuestionStore = {
  question: () => undefined,
  ofTurn: () => [],
  openIn: () => [],
  unsettled: () => [],
  insert: () => {},
  update: () => {},
  shown: () => undefined,
};

/** Everybody reads English. */
export const english = new Languages(noChoices, 'en');

export const target = workspaceId('w');

export function turnIn(state: TurnState): Turn {
  return { id: turnId('om_1'), seq: 1, message, receivedAtMs: 1_000, run: 1, state };
}

export function rowOf(change: Partial<OutboxRow> = {}): OutboxRow {
  return {
    key: 'key',
    seq: 1,
    lane: 'oc_1',
    turn: turnId('om_1'),
    chatId: message.chatId,
    replyTo: message.messageId,
    placement: 'reply',
    priority: 'answer',
    body: { kind: 'message', content: { kind: 'answer', text: 'the answer' } },
    createdAtMs: 1_000,
    triedAtMs: 1_000,
    replayedAtMs: undefined,
    attempts: 0,
    lastError: undefined,
    state: { phase: 'pending', dueAtMs: 0 },
    ...change,
  };
}

/** An answer that is due. */
export function draftOf(key: string, change: Partial<OutboxDraft> = {}): OutboxDraft {
  return {
    key,
    lane: 'oc_1',
    turn: turnId('om_1'),
    chatId: message.chatId,
    replyTo: message.messageId,
    placement: 'reply',
    priority: 'answer',
    body: { kind: 'message', content: { kind: 'answer', text: key } },
    createdAtMs: 1_000,
    dueAtMs: 0,
    ...change,
  };
}

/** Live cards: streaming cards (CardKit), and cards that are changed through their message. */
import { type MessageId, LARK_ID_PATTERN } from '../../core/ids.ts';
import type {
  LiveCardRef,
  LiveEnding,
  LiveGateway,
  LiveResult,
  LiveTrouble,
} from '../../bridge/ports/live.ts';
import type { Content } from '../../core/content.ts';
import { isPassing, type Tried } from '../codes.ts';
import { endedCard, LIVE_TEXT_ELEMENT, liveCard, liveText } from '../content/live-card.ts';
import { idOf, listOf } from '../inbound/fields.ts';
import type { CallSpec } from './broker.ts';
import type { Caller, CallResult } from './calls.ts';

/** What Lark's codes mean for a live card. Others mean that it refuses what the card says. */
const TROUBLES: Readonly<Record<number, LiveTrouble>> = {
  // A person has just pressed a button of the card.
  200810: 'passing',
  200850: 'closed',
  300309: 'closed',
  200740: 'gone',
  200750: 'gone',
  230011: 'gone',
  230031: 'gone',
  230110: 'gone',
  231003: 'gone',
  300317: 'sequence',
  300311: 'no_right',
  230027: 'no_right',
  99991672: 'no_right',
  99991679: 'no_right',
};
/** An operation with this key was carried out before. */
const DONE_BEFORE = 200770;

const LIVE: Tried = { kind: 'send', inThread: false, card: false };

export function createLiveGateway(caller: Caller): LiveGateway {
  return {
    async create(view) {
      const data = liveCard(view, { streams: true });
      const result = await caller.call(spec('card_create', 'new'), LIVE, (client, authorization) =>
        client.cardkit.v1.card.create({ data: { type: 'card_json', data } }, authorization),
      );
      return made(result, (body) => body.data?.card_id);
    },
    async send({ chatId, replyTo, inThread }, card, key) {
      const content =
        typeof card === 'string'
          ? JSON.stringify({ type: 'card', data: { card_id: card } })
          : liveCard(card, { streams: false });
      const sending = { ...spec('message_reply', key), pacedBy: chatId };
      const result = await caller.call(sending, LIVE, (client, authorization) =>
        client.im.v1.message.reply(
          {
            path: { message_id: replyTo },
            data: { msg_type: 'interactive', content, uuid: key, reply_in_thread: inThread },
          },
          authorization,
        ),
      );
      return made(result, (body) => body.data?.message_id);
    },
    update: (card, view, sequence) => {
      const data = liveCard(view, { streams: card.cardId !== undefined });
      return card.cardId === undefined
        ? patch(caller, card, { data, priority: 'stream' })
        : replace(caller, card.cardId, { data, sequence, priority: 'stream' });
    },
    async updateText({ cardId, messageId }, view, sequence) {
      const wrong = wrongId(cardId);
      if (wrong !== undefined) return wrong;
      const path = { card_id: cardId, element_id: LIVE_TEXT_ELEMENT };
      const data = { content: liveText(view), sequence };
      const result = await caller.call(spec('card_text', cardId), LIVE, (client, authorization) =>
        client.cardkit.v1.cardElement.content({ path, data }, authorization),
      );
      return made(result, () => messageId);
    },
    end: (card, content, ending) => end(caller, { card, content, ending }),
  };
}

async function end(
  caller: Caller,
  { card, content, ending }: { card: LiveCardRef; content: Content; ending: LiveEnding },
): Promise<LiveResult> {
  const { key, sequence, priority, buttonValues } = ending;
  const data = endedCard(content, buttonValues);
  if (data === undefined) return refused('refused', 'no card can show it');
  if (card.cardId === undefined) return patch(caller, card, { data, priority });
  const result = await replace(caller, card.cardId, { data, sequence, priority, key });
  if (!result.ok && result.code !== DONE_BEFORE) return result;
  // The card lives on if its message was recalled. Then nobody would see the answer.
  return (await isRecalled(caller, card.messageId))
    ? refused('gone', 'the message of the card was recalled')
    : { ok: true, id: card.messageId };
}

interface Change {
  readonly data: string;
  readonly priority: CallSpec['priority'];
}

async function replace(
  caller: Caller,
  cardId: string,
  change: Change & { readonly sequence: number; readonly key?: string },
): Promise<LiveResult> {
  const wrong = wrongId(cardId);
  if (wrong !== undefined) return wrong;
  const { data, sequence, priority, key } = change;
  const result = await caller.call(
    { ...spec('card_update', cardId), priority },
    LIVE,
    (client, authorization) =>
      client.cardkit.v1.card.update(
        {
          path: { card_id: cardId },
          data: {
            card: { type: 'card_json', data },
            sequence,
            ...(key !== undefined && { uuid: key }),
          },
        },
        authorization,
      ),
  );
  return made(result, () => cardId);
}

async function patch(
  caller: Caller,
  { chatId, messageId }: LiveCardRef,
  { data, priority }: Change,
): Promise<LiveResult> {
  const wrong = wrongId(messageId);
  if (wrong !== undefined) return wrong;
  const result = await caller.call(
    { ...spec('message_patch', messageId), priority, pacedBy: chatId },
    LIVE,
    (client, authorization) =>
      client.im.v1.message.patch(
        { path: { message_id: messageId }, data: { content: data } },
        authorization,
      ),
  );
  return made(result, () => messageId);
}

/** False if Lark does not say. */
async function isRecalled(caller: Caller, messageId: MessageId): Promise<boolean> {
  const reading = { api: 'message_get', priority: 'answer' } as const;
  const result = await caller.call(reading, { ...LIVE, kind: 'read' }, (client, authorization) =>
    client.im.v1.message.get({ path: { message_id: messageId } }, authorization),
  );
  if (!result.ok) return TROUBLES[result.code ?? 0] === 'gone';
  return listOf(result.body.data?.items)[0]?.['deleted'] === true;
}

/** Calls about one card go one after another. */
function spec(api: string, lane: string) {
  return { api, priority: 'stream', lane: `live:${lane}` } as const;
}

function made<T>(result: CallResult<T>, id: (body: T) => string | undefined): LiveResult {
  if (!result.ok) {
    const { action, code, detail, retryAfterMs } = result;
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    return { ok: false, action, code, detail, ...wait, why: troubleOf(result) };
  }
  const named = idOf(id(result.body));
  return named === undefined ? refused('unknown', 'Lark named no id') : { ok: true, id: named };
}

function troubleOf(result: Extract<CallResult<unknown>, { ok: false }>): LiveTrouble {
  const known = TROUBLES[result.code ?? 0];
  if (known !== undefined) return known;
  if (result.action === 'unknown') return 'unknown';
  return isPassing(result) ? 'passing' : 'refused';
}

/** The SDK puts ids into paths as they are. */
function wrongId(id: string): LiveResult | undefined {
  if (LARK_ID_PATTERN.test(id)) return undefined;
  return refused('refused', 'an id has a form that Lark never gives');
}

function refused(why: LiveTrouble, detail: string): LiveResult {
  const action = why === 'unknown' ? 'unknown' : 'give_up';
  return { ok: false, action, code: undefined, detail, why };
}

import { WaitedInVain } from '../world/changes.ts';
import { command, type ControlCommand } from './command.ts';
import { noted, numberIn, optional, text, type Given } from './fields.ts';
import { parseJson } from '../world/json.ts';
import type { LarkCloud } from './lark-cloud.ts';
import { Misuse } from '../world/misuse.ts';
import type { Shown } from './shown-message.ts';

const WAIT_MS = 10_000;
/** No test waits longer for one thing. */
const WAIT_MAX_MS = 3_600_000;

const TIMEOUT = optional(numberIn({ min: 0, max: WAIT_MAX_MS }));
const WAIT_FIELDS = {
  chat: text,
  from: optional(noted(text, 'user:NAME, app:ID')),
  containing: optional(text),
  replyTo: optional(text),
  count: optional(numberIn({ min: 0, max: 1_000_000 })),
  timeoutMs: TIMEOUT,
};

/** What is seen, on the screen and on the wire. */
export const LOOK_COMMANDS: readonly ControlCommand[] = [
  command({
    method: 'GET',
    path: '/shows',
    fields: { chat: text, last: optional(numberIn({ min: 1, max: 1_000_000 })) },
    answer: 'messages',
    doc: 'the chat as people see it, oldest first; of cards their JSON, buttons and earlier states',
    run: (lark, { chat, last }) => ({
      messages: lark.shows(chat, last === undefined ? {} : { last }),
    }),
  }),
  command({
    method: 'GET',
    path: '/wait',
    fields: WAIT_FIELDS,
    answer: 'messages',
    doc: 'answers as soon as the chat shows that many fitting messages, one unless told',
    run: waitForMessages,
  }),
  command({
    method: 'GET',
    path: '/online',
    fields: { app: text, count: optional(numberIn({ min: 0, max: 50 })), timeoutMs: TIMEOUT },
    answer: 'online',
    doc: 'answers as soon as the app has that many connections that take events, one unless told',
    run: (lark, { app: ref, count = 1, timeoutMs = WAIT_MS }) => {
      const app = lark.findApp(ref);
      return patiently(lark, timeoutMs, {
        look: () => (lark.online(app) >= count ? { online: lark.online(app) } : undefined),
        otherwise: () => `${app.name} has ${lark.online(app)} of ${count} connections`,
      });
    },
  }),
  command({
    method: 'GET',
    path: '/calls',
    fields: {
      path: optional(text),
      method: optional(text),
      appId: optional(text),
      since: optional(noted(numberIn({ min: 0, max: Number.MAX_SAFE_INTEGER }), "a call's number")),
    },
    answer: 'calls',
    doc: 'API calls received, oldest first, with what was sent and answered; status 0: never answered',
    run: (lark, filter) => ({
      calls: lark.calls(filter).map((call) => {
        const bodies = lark.bodiesOf(call);
        return {
          ...call,
          ...(bodies && { request: asJson(bodies.request), response: asJson(bodies.response) }),
        };
      }),
    }),
  }),
  command({
    method: 'GET',
    path: '/deliveries',
    fields: { appId: optional(text), eventType: optional(text) },
    answer: 'deliveries',
    doc: 'events, how often they were tried and whether they were acked',
    run: (lark, filter) => ({ deliveries: lark.deliveries(filter) }),
  }),
];

function waitForMessages(
  lark: LarkCloud,
  given: Given<typeof WAIT_FIELDS>,
): Promise<{ readonly messages: readonly Shown[] }> {
  const { chat, from, replyTo, containing = '', count = 1, timeoutMs = WAIT_MS } = given;
  const fits = (shown: Shown) =>
    (from === undefined || shown.from === from) &&
    (replyTo === undefined || shown.replyTo === replyTo) &&
    shown.text.includes(containing);
  const find = () => lark.shows(chat).filter(fits);
  return patiently(lark, timeoutMs, {
    look: () => (find().length >= count ? { messages: find() } : undefined),
    otherwise: () => `the chat shows ${find().length} of ${count}`,
  });
}

/** What `look` finds in time; or a refusal that says how it is instead. */
async function patiently<T extends object>(
  lark: LarkCloud,
  timeoutMs: number,
  { look, otherwise }: { readonly look: () => T | undefined; readonly otherwise: () => string },
): Promise<T> {
  try {
    return await lark.waitFor(look, timeoutMs);
  } catch (error) {
    if (!(error instanceof WaitedInVain)) throw error;
    throw new Misuse(`after ${timeoutMs} ms ${otherwise()}`);
  }
}

/** As an object where it is JSON; otherwise the text. */
function asJson(body: string): unknown {
  return parseJson(body) ?? body;
}

import { WaitTimeout } from '../world/changes.ts';
import { command, type ControlCommand } from './command.ts';
import { withNote, numberIn, optional, text, type ValuesOf } from './fields.ts';
import { parseJson } from '../world/json.ts';
import type { LarkCloud } from './lark-cloud.ts';
import { Misuse } from '../world/misuse.ts';
import type { ShownMessage } from './shown-message.ts';

const WAIT_MS = 10_000;
/** An hour. No test waits longer for one thing. */
const WAIT_MAX_MS = 3_600_000;
/** So many of the newest messages are quoted when the ones that were waited for did not come. */
const QUOTED_MAX = 5;
const QUOTED_CHARS_MAX = 100;

const TIMEOUT = optional(numberIn({ min: 0, max: WAIT_MAX_MS }));
const WAIT_FIELDS = {
  chat: text,
  from: optional(withNote(text, 'user:NAME, app:ID')),
  containing: optional(text),
  replyTo: optional(text),
  count: optional(numberIn({ min: 0, max: 1_000_000 })),
  timeoutMs: TIMEOUT,
};

/** What people see, and which calls, events and connections the cloud has. */
export const READ_COMMANDS: readonly ControlCommand[] = [
  command({
    method: 'GET',
    path: '/shows',
    fields: { chat: text, last: optional(numberIn({ min: 1, max: 1_000_000 })) },
    answer: 'messages',
    doc: 'lists the messages of a chat as people see them, oldest first; cards with their JSON, buttons and earlier states',
    run: (lark, { chat, last }) => ({
      messages: lark.shows(chat, last === undefined ? {} : { last }),
    }),
  }),
  command({
    method: 'GET',
    path: '/wait',
    fields: WAIT_FIELDS,
    answer: 'messages',
    doc: 'answers as soon as the chat shows `count` matching messages (1 by default)',
    run: waitForMessages,
  }),
  command({
    method: 'GET',
    path: '/online',
    fields: { app: text, count: optional(numberIn({ min: 0, max: 50 })), timeoutMs: TIMEOUT },
    answer: 'online',
    doc: 'answers as soon as the app has `count` connections that get events (1 by default)',
    run: (lark, { app: ref, count = 1, timeoutMs = WAIT_MS }) => {
      const app = lark.findApp(ref);
      return waitOrRefuse(lark, timeoutMs, {
        find: () => (lark.online(app) >= count ? { online: lark.online(app) } : undefined),
        describe: () => `${app.name} has ${lark.online(app)} of ${count} connections`,
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
      since: optional(
        withNote(numberIn({ min: 0, max: Number.MAX_SAFE_INTEGER }), "a call's number"),
      ),
    },
    answer: 'calls',
    doc: 'lists the API calls, oldest first, with the bodies of request and answer; status 0: never answered',
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
    doc: 'lists the events, how often each was sent and whether it was acked',
    run: (lark, filter) => ({ deliveries: lark.deliveries(filter) }),
  }),
];

function waitForMessages(
  lark: LarkCloud,
  given: ValuesOf<typeof WAIT_FIELDS>,
): Promise<{ readonly messages: readonly ShownMessage[] }> {
  const { chat, from, replyTo, containing = '', count = 1, timeoutMs = WAIT_MS } = given;
  const matches = (shown: ShownMessage) =>
    (from === undefined || shown.from === from) &&
    (replyTo === undefined || shown.replyTo === replyTo) &&
    shown.text.includes(containing);
  const matching = () => lark.shows(chat).filter(matches);
  return waitOrRefuse(lark, timeoutMs, {
    find: () => (matching().length >= count ? { messages: matching() } : undefined),
    describe: () =>
      `the chat shows ${matching().length} of ${count} such messages; ${newestOf(lark.shows(chat, { last: QUOTED_MAX }))}`,
  });
}

/** The end of a chat in one line, for somebody who waited for something else. */
function newestOf(messages: readonly ShownMessage[]): string {
  if (messages.length === 0) return 'it is empty';
  const quotes = messages.map(({ messageId, from, text: said, replyTo }) => {
    const short = said.length > QUOTED_CHARS_MAX ? `${said.slice(0, QUOTED_CHARS_MAX)}…` : said;
    const to = replyTo === undefined ? '' : ` in reply to ${replyTo}`;
    return `${messageId} of ${from}${to} ${JSON.stringify(short)}`;
  });
  return `its newest messages: ${quotes.join(', ')}`;
}

/** What `find` returns in time; otherwise a refusal with what `describe` says. */
async function waitOrRefuse<T extends object>(
  lark: LarkCloud,
  timeoutMs: number,
  { find, describe }: { readonly find: () => T | undefined; readonly describe: () => string },
): Promise<T> {
  try {
    return await lark.waitFor(find, timeoutMs);
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new Misuse(`after ${timeoutMs} ms ${describe()}`);
  }
}

/** The value if the text is JSON, otherwise the text. */
function asJson(body: string): unknown {
  return parseJson(body) ?? body;
}

/** `lark-bridge webhooks`: addresses elsewhere that are told what happens. Works while a daemon runs or not. */
import type { Webhook } from '../../bridge/ports/webhooks.ts';
import { BridgeError } from '../../core/errors.ts';
import type { CommandGroup, Invocation, Subcommand } from '../command.ts';
import { timeOf } from '../journal-views.ts';
import { tableOf } from '../table.ts';

type Webhooks = ReturnType<(typeof import('../../app/webhooks.ts'))['openWebhooks']>;

const id = {
  id: { describe: 'Id of the webhook, from `webhooks list`', offers: 'webhook' },
} as const;

const COLUMNS = [
  { head: 'ID' },
  { head: 'TO', narrowest: 20 },
  { head: 'EVENTS', narrowest: 12 },
  { head: 'OPTIONS', narrowest: 9 },
];

const list: Subcommand = {
  usage: 'list',
  describe: 'Show the webhooks',
  examples: { 'lark-bridge webhooks list': 'Show the webhooks with their ids' },
  run: (invocation) =>
    withWebhooks(invocation, (webhooks) => {
      const views = webhooks.list().map(viewOf);
      const rows = views.map(
        ({ id: one, to, events, with_text: withText, is_private: isPrivate }) => [
          one,
          to,
          events.join(','),
          [withText ? 'with text' : '', isPrivate ? 'private' : ''].filter(Boolean).join(', '),
        ],
      );
      const { output } = invocation;
      const table = tableOf(COLUMNS, rows, output.width);
      output.result(rows.length === 0 ? 'There are no webhooks.' : table, { webhooks: views });
      return Promise.resolve();
    }),
};

const add: Subcommand = {
  usage: 'add <url>',
  isForOperator: true,
  describe: 'Call a URL when something happens; prints the secret for its signatures, once',
  examples: {
    'lark-bridge webhooks add https://example.com/hook':
      'Call this URL about turns, errors and questions',
    'lark-bridge webhooks add http://127.0.0.1:9000 --private --events errors':
      'Call a program of this machine about errors',
  },
  positionals: { url: { describe: 'URL that gets a POST (https://…)' } },
  options: {
    events: {
      default: 'turns,errors,questions',
      describe: 'What to tell, separated by commas: turns, errors, questions, tools',
    },
    private: {
      type: 'boolean',
      describe: 'Allow an address of this machine or of the network around it',
    },
    'with-text': {
      type: 'boolean',
      describe: 'Also tell what people and agents wrote, not only facts',
    },
  },
  run: (invocation) =>
    withWebhooks(invocation, async (webhooks) => {
      const { options, output } = invocation;
      const { webhook, secret } = await webhooks.add({
        url: String(options['url']),
        events: String(options['events']),
        isPrivate: options['private'] === true,
        withText: options['with-text'] === true,
      });
      const view = viewOf(webhook);
      const lines = [
        `Webhook ${webhook.id} is told: ${view.events.join(', ')}.`,
        `Secret for its signatures (it is not shown again): ${secret.reveal()}`,
        `Try it with \`lark-bridge webhooks test ${webhook.id}\`.`,
      ];
      output.result(lines.join('\n'), { ...view, secret: secret.reveal() });
    }),
};

const remove: Subcommand = {
  usage: 'remove <id>',
  isForOperator: true,
  describe: 'Remove a webhook; what waits for it is dropped',
  examples: { 'lark-bridge webhooks remove wh_a1b2': 'Remove this one' },
  positionals: id,
  run: (invocation) =>
    withWebhooks(invocation, async (webhooks) => {
      const removed = String(invocation.options['id']);
      await webhooks.remove(removed);
      invocation.output.result(`Webhook ${removed} is removed.`, { removed });
    }),
};

const test: Subcommand = {
  usage: 'test <id>',
  describe: 'Call a webhook once, and show what it answered',
  examples: { 'lark-bridge webhooks test wh_a1b2': 'Call this one' },
  positionals: id,
  run: (invocation) =>
    withWebhooks(invocation, async (webhooks) => {
      const tested = String(invocation.options['id']);
      const { ok, detail } = await webhooks.test(tested, invocation.signal);
      if (!ok) {
        throw new BridgeError('failed', `webhook ${tested} did not take it: ${detail}`, {
          next: 'It has to answer a POST with a status from 200 to 299.',
        });
      }
      invocation.output.result(`Webhook ${tested} took it: ${detail}`, { tested, detail });
    }),
};

export const webhooksCommand: CommandGroup = {
  commands: [list, add, remove, test],
  standard: list,
};

/** The rest of an address may be a secret. */
function viewOf({ id: one, url, kinds, isPrivate, withText, addedAtMs }: Webhook) {
  return {
    id: one,
    to: new URL(url).origin,
    events: kinds,
    is_private: isPrivate,
    with_text: withText,
    added_at: timeOf(addedAtMs),
  };
}

async function withWebhooks(
  invocation: Invocation,
  work: (webhooks: Webhooks) => Promise<void>,
): Promise<void> {
  const config = await invocation.loadConfig([]);
  const log = await invocation.createLog(config);
  const { openWebhooks } = await import('../../app/webhooks.ts');
  const webhooks = openWebhooks({ config, log });
  try {
    await work(webhooks);
  } finally {
    webhooks.close();
  }
}

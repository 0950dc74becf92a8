/** `lark-bridge send`: one message to a chat, a person or an address. */
import { readFileSync } from 'node:fs';
import { BridgeError, isSystemError } from '../../core/errors.ts';
import { LARK_RECEIVERS } from '../../core/ids.ts';
import type { Command, Invocation } from '../command.ts';

/** What `--text` may have in all: as much as a program may answer. */
const TEXT_BYTES_MAX = 1024 * 1024;

const TO = {
  chat: { form: LARK_RECEIVERS.chat, like: 'oc_…' },
  user: { form: LARK_RECEIVERS.person, like: 'ou_…' },
  email: { form: LARK_RECEIVERS.email, like: 'name@example.com' },
} as const;

export const sendCommand: Command = {
  usage: 'send [text]',
  positionals: {
    text: { describe: 'What to say, in Markdown; without it, stdin is read' },
  },
  options: {
    chat: { describe: 'Send it to this chat (oc_…)', offers: 'chat' },
    user: { describe: 'Send it to this person (ou_…)', offers: 'person' },
    email: { describe: 'Send it to the person with this email address' },
    file: {
      type: 'array',
      offers: 'file',
      describe: 'Also send this file, an image as an image; may be given several times',
    },
    card: { describe: 'Send the card whose JSON is in this file', offers: 'file' },
  },
  examples: {
    'lark-bridge send --chat oc_a1b2 "The deploy is done"': 'Say something in a group',
    'git log -3 | lark-bridge send --email mia@example.com': 'Send what a program prints',
    'lark-bridge send --user ou_a1b2 "The report" --file report.pdf': 'Send a file',
  },
  run: async (invocation) => {
    const { options, output, signal } = invocation;
    const to = receiverOf(options);
    const files = ((options['file'] ?? []) as readonly unknown[]).map(String);
    const card = typeof options['card'] === 'string' ? readCard(options['card']) : undefined;
    const hasOther = files.length > 0 || card !== undefined;
    const text = await textOf(invocation, hasOther);
    const config = await invocation.loadConfig(['lark', 'state']);
    const log = await invocation.createLog({ ...config, logLevel: 'error' });
    const { sendMessage } = await import('../../app/send.ts');
    const ids = await sendMessage(
      { to, files, ...(text !== undefined && { text }), ...(card !== undefined && { card }) },
      { config, log, signal },
    );
    output.result(ids.join('\n'), {
      message_id: ids[0],
      ...(ids.length > 1 && { message_ids: ids }),
    });
  },
};

function receiverOf(options: Invocation['options']): string {
  const given = Object.entries(TO).flatMap(([name, row]) => {
    const value = options[name];
    return typeof value === 'string' ? [{ name, value, ...row }] : [];
  });
  const [only] = given;
  if (only === undefined || given.length > 1) {
    throw new BridgeError('usage', 'send needs exactly one of --chat, --user and --email', {
      next: 'Say where to, for example: --chat oc_… (`lark-bridge chats list` shows the groups).',
    });
  }
  if (only.form.test(only.value)) return only.value;
  throw new BridgeError('usage', `--${only.name} has a wrong form`, {
    next: `Give it as in \`--${only.name} ${only.like}\`.`,
  });
}

/** Stdin is read only if there is nothing else to send: it may never end. */
async function textOf(
  { options, stdin }: Invocation,
  hasOther: boolean,
): Promise<string | undefined> {
  const { text } = options;
  if (typeof text === 'string') return text;
  if (hasOther || stdin.isTTY) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk as Uint8Array);
    bytes += part.length;
    if (bytes > TEXT_BYTES_MAX) {
      throw new BridgeError('usage', 'the text has more than 1 MB', {
        next: 'Send it as a file, with --file.',
      });
    }
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readCard(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new BridgeError('usage', `the card can't be read: ${error.message}`, {
      next: 'Name a file that you may read, for example: --card card.json',
      cause: error,
    });
  }
}

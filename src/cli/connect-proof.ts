/** The proof at the end of `connect` that messages arrive: whether it runs, and what it shows. */
import type { ProofEvent, ProofStep } from '../app/connect.ts';
import type { Config } from '../config/load.ts';
import type { Credentials } from '../core/credentials.ts';
import { BridgeError } from '../core/errors.ts';
import type { Invocation } from './command.ts';
import type { Output } from './output.ts';
import type { Log } from '../core/log.ts';

/** On a terminal it runs by default. A script must not wait for a person who isn't there. */
export function isProofWanted({ options, output, stdout }: Invocation): boolean {
  if (options['verify'] === true && options['no-verify'] === true) {
    throw new BridgeError('usage', '--verify and --no-verify contradict each other', {
      next: 'Use only one of them.',
    });
  }
  if (options['verify'] === true) return true;
  return options['no-verify'] !== true && stdout.isTTY && !output.json;
}

interface ConnectionProof {
  readonly config: Config;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
  /** The full command line for a command about this bot. */
  readonly commandLine: (words: string) => string;
}

/** Resolves when messages and button presses arrive. Throws a `BridgeError` that says what is missing. */
export async function proveConnection(
  invocation: Invocation,
  { config, credentials, timeoutMs, commandLine }: ConnectionProof,
): Promise<void> {
  const { output, signal } = invocation;
  const { proveMessagesArrive } = await import('../app/connect.ts');
  let step: ProofStep = 'connected';
  output.note('Checking that messages arrive. Ctrl-C ends the check and keeps the bot.');
  try {
    await proveMessagesArrive({
      config,
      credentials,
      timeoutMs,
      signal,
      log: await logFor(invocation, config),
      onEvent: (event) => {
        ({ step } = event);
        showProof(event, output);
      },
    });
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    if (output.json) output.result('', { event: 'check', step, ok: false });
    const next = nextFor(error, commandLine);
    throw new BridgeError(error.code, error.message, { next, cause: error });
  }
}

function nextFor({ code, next }: BridgeError, commandLine: ConnectionProof['commandLine']): string {
  const again = `\`${commandLine('connect --verify')}\``;
  if (code === 'interrupted') {
    return `Go on with ${again}, or start the bot without the check: \`${commandLine('run')}\`.`;
  }
  if (next === undefined) return `Check again with ${again}.`;
  // Some texts end with a link, others with a sentence.
  return `${next}${next.endsWith('.') ? ' Then' : ', then'} check again with ${again}.`;
}

const SILENT: Log = { debug: drop, info: drop, warn: drop, error: drop };

function drop(): void {
  // The output says everything. With --log-level there is a log as well.
}

async function logFor({ configRequest, createLog }: Invocation, config: Config): Promise<Log> {
  return configRequest([]).flags.logLevel === undefined ? SILENT : createLog(config);
}

/** Shows one event: as one line of JSON on stdout, or as text. */
export function showProof(event: ProofEvent, output: Output): void {
  const { step } = event;
  switch (event.kind) {
    case 'step_begun': {
      if (event.ask === undefined) return;
      const { text, ...fields } = askText(event.ask);
      const asked = { event: 'status', status: 'asked', step, message: text, ...fields };
      if (output.json) output.result('', asked);
      output.note(fields.url === undefined ? `${text} …` : `${text} …\n  ${fields.url}`);
      return;
    }
    case 'step_passed':
      if (output.json) output.result('', { event: 'check', step, ok: true });
      output.note(`✓ ${PASSED[step]}`);
      return;
    case 'step_waits': {
      const { text: message, next } = event.problem;
      const waits = { event: 'status', status: 'still_waiting', step, message, next };
      if (output.json) output.result('', waits);
      output.note(`Still waiting: ${message}.\n  ${next}`);
    }
  }
}

const PASSED: Readonly<Record<ProofStep, string>> = {
  connected: 'The long connection to Lark is up.',
  sent: 'The bot has written to you.',
  reply: 'Your message has arrived.',
  press: 'Your button press has arrived.',
};

type Ask = NonNullable<Extract<ProofEvent, { kind: 'step_begun' }>['ask']>;

function askText(ask: Ask): { text: string; url?: string } {
  switch (ask.what) {
    case 'reply':
      return { text: 'Answer it in Lark with any text' };
    case 'press':
      return { text: "Press the button on the bot's card" };
    case 'write_first': {
      const bot = ask.bot === '' ? 'the bot' : `the bot "${ask.bot}"`;
      const text = `Write any text to ${bot} in Lark`;
      return ask.chatUrl === undefined ? { text } : { text, url: ask.chatUrl };
    }
  }
}

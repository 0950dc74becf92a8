/** The check that `connect` ends with: whether it is made, and what it says. */
import type { ProofEvent, ProofStep } from '../app/start.ts';
import type { Config } from '../config/load.ts';
import type { Credentials } from '../core/credentials.ts';
import { BridgeError } from '../core/errors.ts';
import type { Invocation } from './command.ts';
import type { Output } from './output.ts';
import type { Log } from '../core/log.ts';

/** Somebody at a terminal gets it unasked; a script must not wait for a person who isn't there. */
export function isCheckWanted({ options, output, stdout }: Invocation): boolean {
  if (options['verify'] === true && options['no-verify'] === true) {
    throw new BridgeError('usage', '--verify and --no-verify contradict each other', {
      next: 'Leave one of them out.',
    });
  }
  if (options['verify'] === true) return true;
  return options['no-verify'] !== true && stdout.isTTY && !output.json;
}

export interface BotCheck {
  readonly config: Config;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
  /** What has to be typed to run a command about this bot. */
  readonly commandLine: (words: string) => string;
}

/** Resolves when messages and presses arrive. Throws a `BridgeError` that says what is missing. */
export async function checkConnection(
  invocation: Invocation,
  { config, credentials, timeoutMs, commandLine }: BotCheck,
): Promise<void> {
  const { output, signal } = invocation;
  const { checkBot } = await import('../app/start.ts');
  let step: ProofStep = 'connected';
  output.note('Checking that messages arrive. Ctrl-C ends the check and keeps the bot.');
  try {
    await checkBot({
      config,
      credentials,
      timeoutMs,
      signal,
      log: await logFor(invocation, config),
      onEvent: (event) => {
        ({ step } = event);
        showCheck(event, output);
      },
    });
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    if (output.json) output.result('', { event: 'check', step, ok: false });
    const next = nextFor(error, commandLine);
    throw new BridgeError(error.code, error.message, { next, cause: error });
  }
}

function nextFor({ code, next }: BridgeError, commandLine: BotCheck['commandLine']): string {
  const again = `\`${commandLine('connect --verify')}\``;
  if (code === 'interrupted') {
    return `Go on with ${again}, or start the bot unchecked with \`${commandLine('run')}\`.`;
  }
  if (next === undefined) return `Check again with ${again}.`;
  // Some end with a link, and some with a sentence.
  return `${next}${next.endsWith('.') ? ' Then' : ', then'} check again with ${again}.`;
}

const SILENT: Log = { debug: drop, info: drop, warn: drop, error: drop };

function drop(): void {
  // What a person has to know is said in words; whoever wants the log as well asks for it.
}

async function logFor({ configRequest, createLog }: Invocation, config: Config): Promise<Log> {
  return configRequest([]).flags.logLevel === undefined ? SILENT : createLog(config);
}

/** Shows one event: one line of JSON on stdout, or words. */
export function showCheck(event: ProofEvent, output: Output): void {
  const { step } = event;
  switch (event.kind) {
    case 'step_begun': {
      if (event.ask === undefined) return;
      const { text, ...fields } = wordsFor(event.ask);
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
  press: 'Your press has arrived.',
};

type Ask = NonNullable<Extract<ProofEvent, { kind: 'step_begun' }>['ask']>;

function wordsFor(ask: Ask): { text: string; url?: string } {
  switch (ask.what) {
    case 'reply':
      return { text: 'Answer it in Lark with any word' };
    case 'press':
      return { text: "Press the button on the bot's card" };
    case 'write_first': {
      const bot = ask.bot === '' ? 'the bot' : `the bot "${ask.bot}"`;
      const text = `Write any word to ${bot} in Lark`;
      return ask.chatUrl === undefined ? { text } : { text, url: ask.chatUrl };
    }
  }
}

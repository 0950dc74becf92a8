/** The demo on a terminal: a person chats with the bot. */
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import { type Invocation, stopRequested } from '../command.ts';
import type { Stage } from './stage.ts';
import { createTranscript } from './transcript.ts';

/** How often the screen is updated. A person sees no delay. */
const UPDATE_EVERY_MS = 100;

/** Resolves when the person ends it: `/quit`, Ctrl-C, Ctrl-D, or a closed terminal. */
export function chat(
  stage: Stage,
  { stdin, stdout, output, signal }: Pick<Invocation, 'stdin' | 'stdout' | 'output' | 'signal'>,
): Promise<void> {
  const { cloud, user, direct, app } = stage;
  const lines = linesOf({ stdin, stdout });
  if (lines === undefined) return Promise.resolve();
  output.note(
    `You are ${user.name}, in a direct chat with ${app.name}. Write something. /quit ends the demo.`,
  );
  // The screen already has what the person typed there, but not what the person wrote on the page.
  const knownIds = new Set<string>();
  const showNew = createTranscript(stage, output, { chats: ['direct'], knownIds });
  const removePrompt = () => {
    cursorTo(stdout, 0);
    clearLine(stdout, 0);
  };
  const show = () => {
    // It comes back with the text that was typed so far.
    if (showNew(removePrompt)) lines.prompt(true);
  };
  const timer = setInterval(show, UPDATE_EVERY_MS);
  const close = () => lines.close();
  void stopRequested(signal).then(close);
  lines.on('SIGINT', close);
  lines.on('line', (line) => {
    const text = line.trim();
    if (text === '/quit') {
      lines.close();
      return;
    }
    if (text !== '') knownIds.add(cloud.say({ chat: direct, from: user, text }).messageId);
    lines.prompt();
  });
  lines.prompt();
  return new Promise((resolve) => {
    const end = () => {
      clearInterval(timer);
      resolve();
    };
    lines.once('close', end);
    // The terminal is gone, so closing would fail too.
    lines.on('error', end);
  });
}

/** `undefined` if the terminal was closed meanwhile. */
function linesOf({ stdin, stdout }: Pick<Invocation, 'stdin' | 'stdout'>): Interface | undefined {
  try {
    return createInterface({ input: stdin, output: stdout, prompt: '> ' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return undefined;
    throw error;
  }
}

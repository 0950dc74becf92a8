/** The demo on a terminal: a person chats with the bot. */
import { clearLine, createInterface, cursorTo } from 'node:readline';
import { type Invocation, stopRequested } from '../command.ts';
import type { Stage } from './stage.ts';
import { createTeller } from './transcript.ts';

/** How often the screen is brought up to date; a person sees no delay. */
const LOOK_MS = 100;

/** Resolves when the person has had enough: `/quit`, Ctrl-C, Ctrl-D, or the terminal closed. */
export function chat(
  stage: Stage,
  { stdin, stdout, output, signal }: Pick<Invocation, 'stdin' | 'stdout' | 'output' | 'signal'>,
): Promise<void> {
  const { cloud, user, direct } = stage;
  output.note(`You are ${user.name}, in a direct chat with the bot. Say something; /quit ends it.`);
  const lines = createInterface({ input: stdin, output: stdout, prompt: '> ' });
  // What the person typed is on the screen already.
  const tellNews = createTeller(stage, output, ({ from }) => from.startsWith('app:'));
  let shownCount = 0;
  const show = () => {
    const count = cloud.shows(direct).length;
    if (count === shownCount) return;
    shownCount = count;
    // The prompt makes room, and comes back with what was typed so far.
    cursorTo(stdout, 0);
    clearLine(stdout, 0);
    tellNews();
    lines.prompt(true);
  };
  const timer = setInterval(show, LOOK_MS);
  const close = () => lines.close();
  void stopRequested(signal).then(close);
  lines.on('SIGINT', close);
  lines.on('line', (line) => {
    const text = line.trim();
    if (text === '/quit') {
      lines.close();
      return;
    }
    if (text !== '') cloud.say({ chat: direct, from: user, text });
    lines.prompt();
  });
  lines.prompt();
  return new Promise((resolve) => {
    const end = () => {
      clearInterval(timer);
      resolve();
    };
    lines.once('close', end);
    // The terminal is gone: closing needs it too, and fails again.
    lines.on('error', end);
  });
}

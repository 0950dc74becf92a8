/** The end of `connect`: the offer to keep the bot running as a service of the person. */
import { BridgeError } from '../core/errors.ts';
import type { Config } from '../config/load.ts';
import type { Invocation } from './command.ts';
import { install, unitFacts } from './commands/os-service.ts';
import { choose, isAtTerminal } from './terminal-choice.ts';
import { systemdFor } from './service-scope.ts';

interface Offer {
  readonly config: Config;
  /** The full command line for a command about this bot. */
  readonly commandLine: (words: string) => string;
}

/**
 * Asks at a terminal, where systemd runs services of this user. Returns whether a service runs the bot. The bot is
 * connected whatever comes of it.
 */
export async function offerService(
  invocation: Invocation,
  { commandLine }: Offer,
): Promise<boolean> {
  const { output } = invocation;
  if (!isAtTerminal(invocation)) return false;
  const state = await stateHere(invocation);
  if (state === undefined) return false;
  if (state.installed) {
    output.note(
      `A service is installed. To let it run this bot: ${commandLine('service restart --user')}`,
    );
    return true;
  }
  const chosen = await choose(invocation, {
    question: 'Keep the bot running in the background, also after a restart of the machine?',
    options: [
      { label: 'yes, install a systemd service for you', value: true },
      { label: 'no', value: false },
    ],
  });
  if (chosen.kind !== 'option' || !chosen.value) return false;
  try {
    await install.run({ ...invocation, options: { ...invocation.options, user: true } });
    return true;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    output.warning(`no service was installed: ${error.message}`);
    if (error.next !== undefined) output.note(`next: ${error.next}`);
    return false;
  }
}

/** Undefined where no service can be installed. */
async function stateHere(invocation: Invocation) {
  try {
    // Refuses a program that is at no steady place, such as one that `npx` runs.
    unitFacts(invocation, 'user');
    return await systemdFor('user', invocation).status();
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return undefined;
  }
}

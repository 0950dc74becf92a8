/** The end of `connect`: the coding agents of this machine are offered, so that the bot answers with one of them. */
import type { KnownHere } from '../app/known-here.ts';
import type { Config } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import { type Agents, withAgents } from './agent-access.ts';
import type { Invocation } from './command.ts';
import { choose, isAtTerminal } from './terminal-choice.ts';

interface Offer {
  readonly config: Config;
  /** The full command line for a command about this bot. */
  readonly commandLine: (words: string) => string;
}

/**
 * Asks at a terminal, and adds what was chosen. Elsewhere it names the commands. Says nothing if there is nothing to
 * choose. The bot is connected whatever comes of it.
 */
export async function offerAgents(invocation: Invocation, offer: Offer): Promise<void> {
  const { config } = offer;
  // Agents of a hub elsewhere are not on this machine.
  if (config.platformUrl !== undefined) return;
  const { knownHere } = await import('../app/known-here.ts');
  const { packagesFolder } = await import('../app/agent-specs.ts');
  const place = { home: config.home, packages: packagesFolder(config.stateDir) };
  const known = await knownHere({ env: invocation.env, ...place });
  const found = known.filter((one) => one.found !== undefined);
  if (found.length === 0) return;
  try {
    await withAgents(invocation, (agents) => offerFound(found, agents, invocation, offer));
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    invocation.output.warning(`no agent was added: ${error.message}`);
  }
}

async function offerFound(
  found: readonly KnownHere[],
  agents: Agents,
  invocation: Invocation,
  { commandLine }: Offer,
): Promise<void> {
  const { output, signal } = invocation;
  // Whoever has chosen an agent already is not asked again.
  if ((await agents.list()).some(({ builtIn }) => !builtIn)) return;
  if (!isAtTerminal(invocation)) {
    const commands = found.map(({ id }) => ({
      name: id,
      command: commandLine(`agents add ${id}`),
    }));
    if (output.json) output.result('', { event: 'agents', found: commands });
    output.note('Coding agents are on this machine. To let one of them answer:');
    for (const { command } of commands) output.note(`  ${command}`);
    return;
  }
  const chosen = await choose<string | undefined>(invocation, {
    question: 'These coding agents are on this machine. Which one shall answer?',
    options: [
      ...found.map((one) => ({ label: labelOf(one), value: one.id })),
      { label: 'none of them', value: undefined },
    ],
    standard: 1,
  });
  if (chosen.kind !== 'option' || chosen.value === undefined) return;
  await agents.add({ name: chosen.value }, { signal, onInstall: () => {} });
  output.note(
    `${chosen.value} answers from now on, and asks in the chat before it acts. It works in a folder of its own. To let it work in one of yours: ${commandLine('folders add DIR')}, and then /folder in the chat.`,
  );
}

function labelOf({ name, found, login }: KnownHere): string {
  const version = found?.version === undefined ? '' : ` ${found.version}`;
  return `${name}${version}${login.is === 'no' ? ' (not logged in)' : ''}`;
}

/** `lark-bridge simulate`: a simulated Lark cloud on this machine, for a bridge to connect to. */
import { BridgeError } from '../../core/errors.ts';
import { flagRows } from '../../sim/program/flags.ts';
import { Trouble } from '../../sim/program/trouble.ts';
import type { LeafCommand } from '../command.ts';

const OPTIONS = Object.fromEntries(
  flagRows().map(([name, { type, describe, fallback }]) => [
    name,
    {
      type,
      describe,
      ...(type === 'string' && { requiresArg: true }),
      ...(fallback !== undefined && { defaultDescription: fallback }),
    },
  ]),
);

export const simulateCommand: LeafCommand = {
  usage: 'simulate',
  describe: 'run a simulated Lark cloud, alone or around a command: simulate -- pytest',
  takesCommand: true,
  options: OPTIONS,
  run: async ({ options, words, env, stdin, output, signal }) => {
    const { simulate } = await import('../../sim/program/simulate.ts');
    try {
      const isTerminal = stdin.isTTY;
      return await simulate({ options, words, env, isTerminal, screen: output, signal });
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      const { kind, message, next } = error;
      throw new BridgeError(kind, message, { next, cause: error });
    }
  },
};

/** `lark-bridge simulate`: a simulated Lark cloud on this machine, for a bridge to connect to. */
import { BridgeError } from '../../core/errors.ts';
import { flagRows } from '../../sim/program/flags.ts';
import { Trouble } from '../../sim/program/trouble.ts';
import type { Command, Option } from '../command.ts';

type Flag = ReturnType<typeof flagRows>[number][1];

const OPTIONS = Object.fromEntries(flagRows().map(([name, flag]) => [name, optionOf(flag)]));

/** The simulator's own program has the same rows, and a help that names values otherwise. */
function optionOf({ type, value = '', describe, fallback }: Flag): Option {
  return {
    type: value === 'N' ? 'number' : type,
    describe,
    ...(value === 'FILE' && { offers: 'file' }),
    ...(value.includes('|') && { choices: value.split('|') }),
    ...(fallback !== undefined && { defaultDescription: fallback }),
  };
}

export const simulateCommand: Command = {
  usage: 'simulate',
  takesCommand: true,
  options: OPTIONS,
  examples: {
    'lark-bridge simulate': 'Start a cloud, and print the variables for a bridge to use it',
    'lark-bridge simulate --port 9000 --seed 7 --world world.json':
      'The same people, ids and faults each time',
    'lark-bridge simulate -- pytest tests/': 'Run tests in its environment, and end with them',
  },
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

/** `lark-bridge completion`: the script that makes a shell ask the program what can follow. */
import { basename } from 'node:path';
import { BridgeError } from '../../core/errors.ts';
import type { Command, Invocation } from '../command.ts';
import { SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';

export const completionCommand: Command = {
  usage: 'completion [shell]',
  positionals: {
    shell: { choices: SHELLS, describe: 'Name of the shell; without it, that of $SHELL' },
  },
  examples: {
    'source <(lark-bridge completion bash)':
      'Complete in this bash; put it into ~/.bashrc to keep it',
    'source <(lark-bridge completion zsh)': 'The same for zsh, in ~/.zshrc after compinit',
    'lark-bridge completion fish > ~/.config/fish/completions/lark-bridge.fish':
      'Install it for fish',
  },
  run: (invocation) => {
    const shell = shellOf(invocation);
    const script = SCRIPTS[shell];
    invocation.output.result(script.trimEnd(), { shell, script });
    return Promise.resolve();
  },
};

function shellOf({ options, env }: Invocation): Shell {
  const named = options['shell'] ?? basename(env['SHELL'] ?? '');
  const shell = SHELLS.find((one) => one === named);
  if (shell !== undefined) return shell;
  throw new BridgeError('usage', '$SHELL names none of bash, zsh and fish', {
    next: 'Name the shell, as in `lark-bridge completion bash`.',
  });
}

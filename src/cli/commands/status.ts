/** `lark-bridge status`: whether the daemon of a state directory runs, and how it is. */
import type { Command } from '../command.ts';
import { statusFields, statusScreen } from '../status-views.ts';

export const statusCommand: Command = {
  usage: 'status',
  options: {
    verbose: { type: 'boolean', describe: 'Also show everything that the daemon says of itself' },
  },
  examples: {
    'lark-bridge status': 'Look how the bot is; exit code 1 if it is not ready',
    'lark-bridge status --json': 'The same for a script',
  },
  run: async ({ options, output, loadConfig }) => {
    const config = await loadConfig([]);
    const { readStatus } = await import('../../app/status.ts');
    const status = await readStatus(config);
    const screen = statusScreen(status, {
      width: output.width,
      verbose: options['verbose'] === true,
      nowMs: Date.now(),
    });
    output.marked(screen, statusFields(status));
    return status.health.ready ? 0 : 1;
  },
};

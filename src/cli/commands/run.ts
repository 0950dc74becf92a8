/** `lark-bridge run`: the daemon in the foreground. */
import { type Command, settingFlag, stopRequested } from '../command.ts';
import { tellStart } from '../start-lines.ts';

export const runCommand: Command = {
  usage: 'run',
  options: {
    ...settingFlag('mode'),
    ...settingFlag('turnTimeoutSecs'),
    ...settingFlag('onInterrupted'),
    ...settingFlag('lang'),
  },
  examples: {
    'lark-bridge run': 'Run the bot in this terminal until Ctrl-C',
    'lark-bridge run --state-dir ~/second-bot --log-level debug':
      'Run another bot, and log everything',
  },
  run: async (invocation) => {
    const config = await invocation.loadConfig(['lark', 'platform', 'state']);
    const log = await invocation.createLog(config);
    const { startBridge } = await import('../../app/start.ts');
    const bridge = await startBridge({ config, env: invocation.env, log });
    try {
      tellStart(bridge, invocation.output);
      await Promise.race([stopRequested(invocation.signal), bridge.ended]);
    } finally {
      await bridge.stop();
    }
  },
};

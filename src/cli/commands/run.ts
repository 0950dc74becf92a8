/** `lark-bridge run`: the daemon in the foreground. */
import { type LeafCommand, settingFlag, stopRequested } from '../command.ts';

export const runCommand: LeafCommand = {
  usage: 'run',
  describe: 'run the bot: take messages, bring back answers',
  options: {
    ...settingFlag('mode'),
    ...settingFlag('turnTimeoutSecs'),
    ...settingFlag('onInterrupted'),
    ...settingFlag('lang'),
  },
  run: async (invocation) => {
    const config = await invocation.loadConfig(['lark', 'platform', 'state']);
    const log = await invocation.createLog(config);
    const { startBridge } = await import('../../app/start.ts');
    const bridge = await startBridge({ config, env: invocation.env, log });
    try {
      const { hubUrl } = bridge;
      invocation.output.result(`lark-bridge is ready: hub ${hubUrl}`, {
        event: 'ready',
        hub_url: hubUrl,
      });
      await Promise.race([stopRequested(invocation.signal), bridge.ended]);
    } finally {
      await bridge.stop();
    }
  },
};

/** `lark-bridge hub`: the embedded hub alone. */
import { type Command, stopRequested } from '../command.ts';
import { tellStart } from '../start-lines.ts';

export const hubCommand: Command = {
  usage: 'hub',
  examples: { 'lark-bridge hub': 'Run the hub on its usual port, 4001' },
  run: async (invocation) => {
    const config = await invocation.loadConfig(['state']);
    const log = await invocation.createLog(config);
    const { startHub } = await import('../../app/start.ts');
    const hub = await startHub({ config, env: invocation.env, log });
    try {
      tellStart(hub, invocation.output);
      await Promise.race([stopRequested(invocation.signal), hub.ended]);
    } finally {
      await hub.stop();
    }
  },
};

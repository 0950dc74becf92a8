/** `lark-bridge run`: the daemon in the foreground. */
import type { RunningBridge } from '../../app/start.ts';
import { type Command, settingFlag, stopRequested } from '../command.ts';
import type { Output } from '../output.ts';

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

/** One line when it has started, if it is not ready then, and one when it is. */
function tellStart({ hubUrl, health, becameReady }: RunningBridge, output: Output): void {
  const { ready, problems } = health();
  const isReady = () =>
    output.result(`lark-bridge is ready: hub ${hubUrl}`, { event: 'ready', hub_url: hubUrl });
  if (ready) return isReady();
  output.result(
    `lark-bridge has started, and is not ready yet: hub ${hubUrl}\n${problems[0]?.text ?? ''}`,
    { event: 'started', hub_url: hubUrl },
  );
  void becameReady.then(isReady);
}

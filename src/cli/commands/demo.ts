/** `lark-bridge demo`: everything in one process, without a Lark app. */
import { BridgeError } from '../../core/errors.ts';
import { type Command, type Invocation, settingFlag, stopRequested } from '../command.ts';
import { AGENT_OPTIONS } from '../demo/own-agent.ts';
import type { Stage } from '../demo/stage.ts';

export const demoCommand: Command = {
  usage: 'demo',
  options: {
    ...settingFlag('lang'),
    ...AGENT_OPTIONS,
    once: { type: 'boolean', describe: 'Show a scripted conversation, also on a terminal' },
  },
  examples: {
    'lark-bridge demo': 'Chat with an echo bot',
    'lark-bridge demo --agent claude': 'Chat with Claude Code',
    'lark-bridge demo --exec "python3 agent.py"': 'Chat with your own program',
  },
  run: async (invocation) => {
    const { openStage } = await import('../demo/stage.ts');
    const stage = await openStage(invocation);
    try {
      const { cloud, hubUrl } = stage;
      const { openBaseUrl, pageUrl } = cloud;
      const text = `lark-bridge is ready: hub ${hubUrl}, Lark ${openBaseUrl}, page ${pageUrl}`;
      invocation.output.result(text, {
        event: 'ready',
        hub_url: hubUrl,
        page_url: pageUrl,
        open_base_url: openBaseUrl,
        accounts_base_url: cloud.accountsBaseUrl,
        control_url: cloud.controlUrl,
      });
      await Promise.race([play(stage, invocation), stage.ended]);
    } finally {
      await stage.close();
    }
  },
};

async function play(stage: Stage, invocation: Invocation): Promise<void> {
  const { options, output, stdin, stdout } = invocation;
  const isTerminal = stdin.isTTY && stdout.isTTY;
  if (options['once'] !== true && !output.json && isTerminal) {
    const { chat } = await import('../demo/chat.ts');
    await chat(stage, invocation);
    return;
  }
  if (stage.hasAgent) {
    output.note(`Chat with it on the page: ${stage.cloud.pageUrl}`);
    await stopRequested(invocation.signal);
    return;
  }
  const { playScript } = await import('../demo/script.ts');
  await Promise.race([playScript(stage, output), interruption(invocation)]);
}

async function interruption({ signal }: Invocation): Promise<never> {
  await stopRequested(signal);
  throw new BridgeError('interrupted', 'the demo was interrupted');
}

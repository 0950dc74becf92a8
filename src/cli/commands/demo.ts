/** `lark-bridge demo`: everything in one process, without a Lark app. */
import { BridgeError } from '../../core/errors.ts';
import { type Invocation, type LeafCommand, settingFlag, stopRequested } from '../command.ts';
import { AGENT_OPTIONS } from '../demo/own-agent.ts';
import type { Stage } from '../demo/stage.ts';

export const demoCommand: LeafCommand = {
  usage: 'demo',
  describe:
    'try it without a Lark app: chat with an echo bot or your own agent, or watch a scripted conversation',
  options: {
    ...settingFlag('lang'),
    ...AGENT_OPTIONS,
    once: { type: 'boolean', describe: 'Run the scripted conversation, also on a terminal' },
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

/** One real turn of an agent in this process, without the hub: for a person who wants to see that it works. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramPlaces } from '../agents/acp/places.ts';
import { createRuntime } from '../agents/create-runtime.ts';
import { OutputFolders } from '../agents/output-folders.ts';
import type { AgentResult, RunnableSpec, RuntimeHost } from '../agents/runtime.ts';
import { TurnFiles } from '../agents/turn-files.ts';
import type { Brand } from '../core/brand.ts';
import type { LarkContext } from '../core/message.ts';
import type { QuestionAnswer, QuestionUpdate, TurnUpdate } from '../core/turn-update.ts';
import { systemClock } from '../time/clock.ts';
import type { AppContext } from './context.ts';
import { AGENT_FOLDERS } from './state.ts';

export interface Trial {
  readonly name: string;
  readonly spec: RunnableSpec;
  readonly text: string;
  readonly signal: AbortSignal;
  /** Everything but questions. */
  readonly onUpdate: (update: Exclude<TurnUpdate, QuestionUpdate>) => void;
  readonly onQuestion: (question: QuestionUpdate) => Promise<QuestionAnswer>;
}

export interface TrialEnd {
  readonly result: AgentResult;
  readonly tookMs: number;
}

/** Nobody is told what the agent says outside of its turn. */
const NOBODY: Omit<RuntimeHost, 'agent'> = { onLateText: () => {}, onOwnerNotice: () => {} };

export async function tryAgent(
  { config, env, log }: AppContext,
  { name, spec, text, signal, onUpdate, onQuestion }: Trial,
): Promise<TrialEnd> {
  // A daemon may run, and removes what it does not know in its own folder.
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(config.stateDir, 'test-'));
  const outputs = new OutputFolders({ folder, log });
  const turnFiles = new TurnFiles({ folder, log });
  const kept = {
    places: new ProgramPlaces(1),
    idleMs: config.agentIdleSecs * 1000,
    agentFolders: join(config.stateDir, AGENT_FOLDERS),
    proxies: config,
  };
  const timeoutMs = config.turnTimeoutSecs * 1000;
  const given = { env, timeoutMs, outputs, turnFiles, ...kept, clock: systemClock, log };
  const runtime = createRuntime(spec, given, { agent: name, ...NOBODY });
  const sinceMs = systemClock.nowMs();
  await runtime.start();
  try {
    const turn = { turnId: 'test', text, lark: testContext(config.brand) };
    const run = runtime.prompt(turn, {
      onUpdate: (update) => {
        if (update.kind === 'question') {
          void onQuestion(update).then((answer) => run.answer(update.id, answer));
        } else onUpdate(update);
      },
    });
    if (signal.aborted) run.cancel();
    signal.addEventListener('abort', () => run.cancel());
    return { result: await run.result, tookMs: systemClock.nowMs() - sinceMs };
  } finally {
    await runtime.stop();
    turnFiles.removeLeftovers();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Stands for a message in a direct chat. */
function testContext(brand: Brand): LarkContext {
  return {
    brand,
    chatId: 'oc_test',
    chatType: 'p2p',
    senderOpenId: 'ou_test',
    // No two messages have the same id.
    messageId: `om_test_${systemClock.nowMs()}`,
  };
}

import { endedRun, NOT_RUNNING } from './ended-run.ts';
import type { AgentRun, AgentRuntime, AgentTurn } from './runtime.ts';

/** Answers with the text of the message. For trying things out, and for the demo. */
export class EchoRuntime implements AgentRuntime {
  #life: 'new' | 'started' | 'stopped' = 'new';

  start(): Promise<void> {
    if (this.#life === 'new') this.#life = 'started';
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#life = 'stopped';
    return Promise.resolve();
  }

  prompt(turn: AgentTurn): AgentRun {
    return endedRun(this.#life === 'started' ? { ok: true, text: turn.text } : NOT_RUNNING);
  }
}

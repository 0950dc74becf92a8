/** Counts what agents that live on between turns report. */
import { Distribution } from './distribution.ts';

/** Upper bounds in seconds. A session that has to begin takes some, and a model that thinks takes many. */
const FIRST_UPDATE_BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export class AgentMeter {
  processes = 0;
  restarts = 0;
  prompts = 0;
  /** By what became of the agent's memory. */
  readonly sessions = { kept: 0, begun: 0, lost: 0 };
  readonly firstUpdates = new Distribution(FIRST_UPDATE_BOUNDS);

  readonly programStarted = (isRestart: boolean): void => {
    this.processes += 1;
    if (isRestart) this.restarts += 1;
  };

  readonly programEnded = (): void => {
    this.processes -= 1;
  };

  readonly sessionOpened = (memory: keyof AgentMeter['sessions']): void => {
    this.sessions[memory] += 1;
  };

  readonly promptSent = (): void => {
    this.prompts += 1;
  };

  readonly firstUpdateAfter = (durationMs: number): void => {
    this.firstUpdates.add(durationMs / 1000);
  };
}

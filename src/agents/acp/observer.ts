/** `begun`: there was no memory. `lost`: there was one, and the agent could not take it up. */
export type Memory = 'kept' | 'begun' | 'lost';

/** Who counts what agents that live on do. */
export interface AcpObserver {
  /** `isRestart`: the one before in its folder ended while turns were at work. */
  readonly programStarted: (isRestart: boolean) => void;
  /** Nothing is left of it. */
  readonly programEnded: () => void;
  /** A session lives in a program from now on. `kept`: it was taken up. */
  readonly sessionOpened: (memory: Memory) => void;
  readonly promptSent: () => void;
  /** The time from the prompt of a turn to the first that its agent tells of it. */
  readonly firstUpdateAfter: (durationMs: number) => void;
}

export const NOBODY: AcpObserver = {
  programStarted: () => {},
  programEnded: () => {},
  sessionOpened: () => {},
  promptSent: () => {},
  firstUpdateAfter: () => {},
};

import type { Agent } from './runtime.ts';

/** Answers with what was said. For trying things out, and for the demo. */
export function createEchoAgent(): Agent {
  return {
    start: (turn) => ({
      result: Promise.resolve({ ok: true, text: turn.text }),
      cancel: () => {},
    }),
  };
}

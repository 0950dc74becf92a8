/** Finds out whether an agent elsewhere can be reached and used. It is asked nothing. */
import type { FailedResult } from '../runtime.ts';
import { type AgentParts, RemoteAgent } from './agent.ts';
import { failureFor } from './failures.ts';
import { AgentTrouble } from './trouble.ts';

/** Reads its card, as its first turn would. Takes at most a quarter of a minute for each of two addresses. */
export async function probeRemoteAgent(
  parts: AgentParts,
): Promise<{ readonly ok: true } | FailedResult> {
  const agent = new RemoteAgent(parts);
  try {
    await agent.client();
    return { ok: true };
  } catch (error) {
    if (!(error instanceof AgentTrouble)) throw error;
    return failureFor(error, (text) => text);
  } finally {
    await agent.close();
  }
}

import type { RunnableSpec, SessionOption } from '../../agents/runtime.ts';
import type { AgentRecord } from '../ports/agents.ts';
import type { AgentSessionStore } from '../ports/sessions.ts';
import type { Runtimes } from './runtimes.ts';

interface SessionChoicesParts {
  readonly runtimes: Pick<Runtimes, 'sessionsOf'>;
  readonly store: AgentSessionStore;
}

/** What people can choose for a memory of an agent, such as its mode and model. */
export class SessionChoices {
  readonly #parts: SessionChoicesParts;

  constructor(parts: SessionChoicesParts) {
    this.#parts = parts;
  }

  /** As the agent said it last, with what was chosen since. Empty: it has said nothing, or has no memory. */
  async options(agent: AgentRecord, session: string): Promise<readonly SessionOption[]> {
    const said = this.#sessionsOf(agent)?.options(session) ?? [];
    const kept = await this.#parts.store.agentSession({ agent: agent.workspaceId, session });
    return said.map((option) => ({
      ...option,
      current: kept?.choices[option.id] ?? option.current,
    }));
  }

  /** Stored when the agent has taken it, and told to each process of the agent from then on. Rejects if it refuses. */
  async choose(
    agent: AgentRecord,
    session: string,
    { option, value }: { readonly option: string; readonly value: string },
  ): Promise<void> {
    await this.#sessionsOf(agent)?.choose(session, option, value);
    await this.#parts.store.keepChoice({ agent: agent.workspaceId, session }, option, value);
  }

  #sessionsOf({ spec, ...agent }: AgentRecord) {
    return isRunnable(spec) ? this.#parts.runtimes.sessionsOf({ ...agent, spec }) : undefined;
  }
}

function isRunnable(spec: AgentRecord['spec']): spec is RunnableSpec {
  return spec.kind !== 'external';
}

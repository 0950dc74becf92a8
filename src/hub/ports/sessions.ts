/** What the hub keeps of the agents' memories, and what it asks of whoever shows them to people. */
import type { WorkspaceId } from '../../core/ids.ts';
import type { LarkContext } from '../../core/message.ts';
import type { RuntimeNotice } from '../../core/turn-update.ts';
import type { ChatTools, OwnerNotice } from '../../agents/runtime.ts';

/** A memory of an agent. Whoever sends the turns gives it its id. */
export interface SessionKey {
  readonly agent: WorkspaceId;
  readonly session: string;
}

export interface StoredSession {
  /** The agent's own id of it. */
  readonly nativeId: string | undefined;
  /** The ids of values by the ids of options. */
  readonly choices: Readonly<Record<string, string>>;
}

export interface AgentSessionStore {
  agentSession(key: SessionKey): Promise<StoredSession | undefined>;
  /** Undefined forgets the agent's own id. */
  keepNativeId(key: SessionKey, nativeId: string | undefined): Promise<void>;
  keepChoice(key: SessionKey, option: string, value: string): Promise<void>;
}

/** The people's side of the agents' memories: the bridge in this process. Without it nobody sees any of this. */
export interface SessionAudience {
  /** What was said in a session before its latest turn, bounded. */
  saidBefore(session: string): Promise<string>;
  /** The agent said more after a turn. Stored before it is shown; a repeat within a second is no second message. */
  lateText(session: string, text: string): void;
  /** A runtime says something about a turn that nobody watches any more, such as one that was stopped. */
  told(session: string, what: RuntimeNotice): void;
  /** For the owner of the bot, once for each agent and kind. */
  ownerNotice(agent: string, notice: OwnerNotice): void;
  chatOf(turn: LarkContext): ChatTools;
}

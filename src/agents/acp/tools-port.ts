/** The tools that the bridge gives to an agent of a session, as the runtime of the agent uses them. */
import type { QuestionAnswer, QuestionUpdate } from '../../core/turn-update.ts';
import type { ProgramUser } from '../program-user.ts';
import type { TurnHost } from '../runtime.ts';

/** What an agent is told of a server of tools, in the form of the Agent Client Protocol (version 1). */
export type ToolServer =
  | {
      readonly name: string;
      /** Absolute. */
      readonly command: string;
      readonly args: readonly string[];
      readonly env: readonly NamedValue[];
    }
  | {
      readonly type: 'http';
      readonly name: string;
      readonly url: string;
      readonly headers: readonly NamedValue[];
    };

interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** Which servers of tools an agent can reach. Every agent can start a program. */
export interface ToolAbilities {
  readonly http: boolean;
}

/** A use of a tool, as the agent describes it when it asks whether it may. */
export interface ToolUse {
  readonly name?: string | undefined;
  readonly title?: string | undefined;
  /** As the protocol names kinds of tools. */
  readonly kind?: string | undefined;
  /** What the agent adds in its own form. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** The turn that the calls of tools belong to. */
export interface ToolTurn {
  readonly host: TurnHost;
  /** Asks a person. The id of the question must be new in the turn. */
  readonly ask: (question: QuestionUpdate) => Promise<QuestionAnswer>;
}

export interface SessionTools {
  /** Given to the agent each time that the session is begun or taken up. They hold a token, so nobody logs them. */
  servers(abilities: ToolAbilities): Promise<readonly ToolServer[]>;
  /** Calls belong to this turn from now on. Undefined: to none, and they are refused. */
  attach(turn: ToolTurn | undefined): void;
  /** The agent has asked at least once which tools there are. */
  readonly wasListed: boolean;
  isOwnTool(use: ToolUse): boolean;
  close(): void;
}

interface SessionOfTools {
  /** The bridge's id of it. */
  readonly id: string;
  /** Where the agent works, and where the files are that it may send. */
  readonly folder: string;
  /** As whom the agent works, if that is not the user of the bridge. */
  readonly user?: Pick<ProgramUser, 'uid' | 'gid'> | undefined;
}

export type OpenTools = (session: SessionOfTools) => SessionTools;

/** What people can choose of the agents on this machine. A bridge whose hub is elsewhere has none of it. */
import type { SessionOfTurn } from '../../core/turn-details.ts';
import type { AllowedFolder } from '../../files/folder-check.ts';
import type { Chosen } from './sessions.ts';

interface KnownAgent {
  readonly name: string;
  /** It gets the turns of chats that chose nobody. */
  readonly isUsual: boolean;
}

/** `mode`: how freely the agent acts. `model`: which model it asks. */
export interface ChoosableOption {
  readonly id: string;
  readonly is: 'mode' | 'model' | 'other';
  readonly current: string;
  readonly values: readonly { readonly id: string; readonly name: string }[];
}

export interface AgentControls {
  agents(): Promise<readonly KnownAgent[]>;
  /** Folders that agents may work in, and everywhere below them. */
  folders(): Promise<readonly string[]>;
  /** Where a path leads, if agents may work there. A relative one is looked for in `from`, and then in each folder. */
  folderOf(path: string, from: string | undefined): Promise<AllowedFolder>;
  /** What can be chosen for a session, as its agent said it last. */
  options(session: SessionOfTurn): Promise<readonly ChoosableOption[]>;
  /** Rejects with a `BridgeError` if the agent refuses. */
  choose(session: SessionOfTurn, option: string, value: string): Promise<void>;
  /** What of a choice can't be had any more. */
  goneOf(chosen: Chosen): Promise<Chosen | undefined>;
}

import type { OpenId } from '../../core/ids.ts';
import type { Text } from '../../core/language.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { AgentControls } from './agent-controls.ts';
import type { AccessOrders } from './access.ts';
import type { LongConnection } from './intake.ts';
import type { LanguageOrders } from './languages.ts';
import type { FollowOrders } from './news.ts';
import type { ReportOrders } from './reports.ts';

/** What commands need that is not in the bridge. Without an optional part its commands do not exist. */
export interface CommandSurroundings {
  /** Stands before each word. */
  readonly prefix: string;
  readonly version: string;
  /** The agent that gets new turns, by its name. Undefined if it can't be found out. */
  readonly agentName: () => Promise<string | undefined>;
  readonly isOwner: (person: OpenId) => Promise<boolean>;
  /** What people call a person in Lark, if that is known. */
  readonly nameOf?: (
    chat: Pick<InboundMessage, 'chatId' | 'chatType'>,
    person: OpenId,
  ) => Promise<string | undefined>;
  readonly link?: () => Pick<LongConnection, 'connectedSinceMs' | 'restart'>;
  /** What `doctor` can check while the bridge runs. */
  readonly diagnose?: () => Promise<readonly Diagnosis[]>;
  readonly languages?: LanguageOrders;
  readonly access?: AccessOrders;
  /** What people can choose of the agents. Undefined: the agents run elsewhere. */
  readonly agents?: AgentControls;
  readonly follows?: FollowOrders;
  readonly reports?: ReportOrders;
}

/** One result of a check. What is in order is only counted. */
export type Diagnosis =
  | { readonly level: 'ok' | 'note' }
  | { readonly level: 'warning' | 'problem'; readonly finding: Text; readonly next: Text };

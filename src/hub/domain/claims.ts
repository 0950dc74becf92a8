/**
 * Who may say that a turn comes from Lark. What anybody else says about it is a claim: it is stored and handed on
 * under other names, and a line of its text that looks like the header line is escaped. Pure.
 */
import { isSameWorkspace, type WorkspaceId } from '../../core/ids.ts';
import { isObject } from '../../core/json-object.ts';
import { withEscapes } from '../../wire/header-escape.ts';
import { claimsLark, withClaimedNames } from '../../wire/lark-context.ts';
import type { HubMessage, TurnContent } from '../ports/turns.ts';
import type { Workspace } from '../ports/workspaces.ts';

/** The log names each sender once. This many are enough for an operator to see what is wrong. */
const NAMED_IN_LOG_MAX = 100;

export class Bridges {
  readonly #named: readonly WorkspaceId[];
  readonly #inLog = new Set<WorkspaceId>();

  /** `named`: bridges elsewhere that the operator trusts. */
  constructor(named: readonly WorkspaceId[]) {
    this.#named = named;
  }

  /** The program makes workspaces only for itself, so a provisioned one is that of its own bridge. */
  has({ id, origin }: Pick<Workspace, 'id' | 'origin'>): boolean {
    return origin === 'provisioned' || this.#named.some((one) => isSameWorkspace(one, id));
  }

  /** True once for each sender that speaks of Lark and is not believed, so that the operator can be told. */
  isNews(source: Pick<Workspace, 'id' | 'origin'>, { metadata }: TurnContent): boolean {
    if (metadata === undefined || !claimsLark(metadata) || this.has(source)) return false;
    const isNew = this.#inLog.size < NAMED_IN_LOG_MAX && !this.#inLog.has(source.id);
    if (isNew) this.#inLog.add(source.id);
    return isNew;
  }
}

interface Ends {
  readonly source: Pick<Workspace, 'id' | 'origin'>;
  readonly target: Pick<Workspace, 'id' | 'origin'>;
}

/** A message from outside this process as the hub stores it for this sender. Files of this machine it can't name. */
export function contentFrom(
  given: TurnContent,
  { source, target }: Ends,
  bridges: Bridges,
): TurnContent {
  const content = withoutDetails(given);
  if (bridges.has(source)) return content;
  const { message, metadata } = content;
  const within = message['metadata'];
  return {
    ...content,
    message: {
      ...message,
      // What a bridge gets is an answer for a chat, and nobody reads it for a header.
      ...(!bridges.has(target) && { parts: message.parts.map(withEscapedText) }),
      ...(isObject(within) && { metadata: withClaimedNames(within) }),
    },
    ...(metadata !== undefined && { metadata: withClaimedNames(metadata) }),
  };
}

function withoutDetails(content: TurnContent): TurnContent {
  const { details, ...rest } = content;
  return details === undefined ? content : rest;
}

function withEscapedText(part: HubMessage['parts'][number]): HubMessage['parts'][number] {
  return typeof part.text === 'string' ? { ...part, text: withEscapes(part.text) } : part;
}

/** Who makes a request. Every route except `/health` begins with one of these checks. */
import type { FastifyRequest } from 'fastify';
import type { Workspace, WorkspaceStore } from '../../ports/workspaces.ts';
import { workspaceId, type WorkspaceId } from '../../../core/ids.ts';
import { sameHash, tokenHash } from '../../domain/tokens.ts';
import { Refusal } from './refusal.ts';

/** Ids that are not workspaces and could be mistaken for the platform's own (MOL-HDR-06). */
const RESERVED_CLAIM = /^(?:webhook|system|test|channel):/i;

interface Caller {
  readonly workspace: Workspace;
  /** False if the caller gave a token but no `X-Workspace-ID`. */
  readonly named: boolean;
}

export interface Callers {
  /** The token is that of some workspace. For routes that name the workspace in the body: `owner` follows there. */
  holder(request: FastifyRequest): Promise<void>;
  /** The owner of the bearer token, for calls from one workspace to another. */
  peer(request: FastifyRequest, missing?: string): Promise<Caller>;
  /** The workspace of this id, by its own token. A removed one only with `removedToo`. */
  owner(
    request: FastifyRequest,
    id: string,
    options?: { readonly removedToo: boolean },
  ): Promise<Workspace>;
}

interface Check {
  readonly missing?: string;
  readonly invalid?: string;
  /** The route is for this workspace. */
  readonly isMeant: (workspace: Workspace) => boolean;
}

export function createCallers(store: WorkspaceStore): Callers {
  /** Hooks and handlers of one request ask for the same workspace. */
  const asked = new WeakMap<FastifyRequest, Promise<Workspace | undefined>>();
  const workspaceOf = (request: FastifyRequest, token: string) => {
    const known = asked.get(request) ?? workspaceOfToken(store, token);
    asked.set(request, known);
    return known;
  };
  const callerOf = async (request: FastifyRequest, check: Check): Promise<Caller> => {
    const { missing = 'missing workspace auth token', invalid = 'invalid workspace auth token' } =
      check;
    const claim = claimOf(request);
    const token = bearerOf(request);
    if (token === undefined) throw new Refusal(401, missing);
    const workspace = await workspaceOf(request, token);
    if (workspace === undefined || !check.isMeant(workspace)) throw new Refusal(401, invalid);
    if (claim !== undefined && claim !== workspace.id) {
      throw new Refusal(401, 'caller ID does not match workspace auth token');
    }
    return { workspace, named: claim !== undefined };
  };
  return {
    async holder(request) {
      await callerOf(request, { isMeant: () => true });
    },
    peer: (request, missing = 'missing caller auth token') =>
      callerOf(request, {
        missing,
        invalid: 'invalid caller auth token',
        isMeant: ({ removed }) => !removed,
      }),
    async owner(request, id, { removedToo } = { removedToo: false }) {
      const isMeant = (workspace: Workspace) =>
        workspace.id === idOf(id) && (removedToo || !workspace.removed);
      return (await callerOf(request, { isMeant })).workspace;
    },
  };
}

/** Hooks of routes. They run before the body is read, so that callers without a token cost the hub no work. */
export function onlyPeers(callers: Callers, missing?: string) {
  return async (request: FastifyRequest): Promise<void> => {
    await callers.peer(request, missing);
  };
}

export function onlyOwner(callers: Callers, options?: { readonly removedToo: boolean }) {
  return async (request: FastifyRequest<{ Params: { id: string } }>): Promise<void> => {
    await callers.owner(request, request.params.id, options);
  };
}

/** UUIDs are compared as text, so they are all written in lower case. */
export function idOf(raw: string): WorkspaceId {
  return workspaceId(raw.toLowerCase());
}

export function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1];
}

export async function workspaceOfToken(
  store: WorkspaceStore,
  token: string,
): Promise<Workspace | undefined> {
  const hash = tokenHash(token);
  const workspace = await store.workspaceByToken(hash);
  if (workspace?.tokenHash === undefined || !sameHash(workspace.tokenHash, hash)) return undefined;
  return workspace;
}

function claimOf(request: FastifyRequest): WorkspaceId | undefined {
  const claim = request.headers['x-workspace-id'];
  if (typeof claim !== 'string' || claim === '') return undefined;
  if (RESERVED_CLAIM.test(claim)) throw new Refusal(403, 'invalid caller ID');
  return idOf(claim);
}

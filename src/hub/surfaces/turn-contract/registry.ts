import type { FastifyRequest } from 'fastify';
import type { HubStore } from '../../ports/store.ts';
import {
  REGISTERED_WORKSPACES_MAX,
  type AgentCard,
  type ListedWorkspace,
  type Workspace,
} from '../../ports/workspaces.ts';
import type { Secret } from '../../../core/secret.ts';
import { storable } from '../../../text/storable.ts';
import { createToken, sameHash, tokenHash } from '../../domain/tokens.ts';
import { mustBeSmall } from './json-bounds.ts';
import { bearerOf, idOf, onlyOwner, onlyPeers, workspaceOfToken, type Callers } from './callers.ts';
import { objectText, sendJson } from './raw-json.ts';
import { Refusal } from './refusal.ts';
import { CardBody, HeartbeatBody, RegisterBody, WorkspacePath } from './schemas.ts';
import type { Server } from './server.ts';
import { TURN_WAIT_MS_MAX } from '../../domain/turns.ts';
import type { Log } from '../../../core/log.ts';
import type { Clock } from '../../../time/clock.ts';

/** Two missed heartbeats of 30 s and a margin (MOL-REG-08). */
const HUB_STALE_AFTER_MS = 90_000;

/** What this hub offers in addition to the platform's contract. */
const CAPABILITIES = {
  /** Every answer can be read with the queue id of its request. */
  correlated_answers: true,
  /** A repeated message id never makes a second turn. */
  idempotent_messages: true,
  queue_wait_secs: TURN_WAIT_MS_MAX / 1000,
  /** `DELETE` on a message ends the turn that it made. */
  cancel: true,
} as const;

interface RegistryParts {
  readonly store: HubStore;
  readonly callers: Callers;
  readonly clock: Clock;
  readonly log: Log;
  readonly provisionToken: Secret;
}

/** `/registry/…` and `/workspaces/:id/state`. */
export function addRegistryRoutes(server: Server, parts: RegistryParts): void {
  addReports(server, parts);
  addLookups(server, parts);
}

/** Who is there, and lives. */
function addReports(server: Server, parts: RegistryParts): void {
  const { store, callers, clock } = parts;
  const asHolder = (request: FastifyRequest) => callers.holder(request);
  const asRegistrar = async (request: FastifyRequest) => {
    const isNew = isProvision(bearerOf(request), parts.provisionToken);
    if (!isNew) await callers.holder(request);
  };

  const registering = { schema: { body: RegisterBody }, onRequest: asRegistrar };
  server.post('/registry/register', registering, async (request) => {
    const { id, agent_card: card, delivery_mode: mode, url } = request.body;
    checkDelivery(mode, url);
    mustBeSmall('agent_card', card);
    const token = bearerOf(request);
    if (token === undefined) throw new Refusal(401, 'missing workspace auth token');
    const authToken = await register(parts, { id: idOf(id), card: cardOf(card), token });
    return {
      status: 'registered',
      delivery_mode: 'poll',
      ...(authToken === undefined ? {} : { auth_token: authToken.reveal() }),
      capabilities: CAPABILITIES,
    };
  });

  const beating = { schema: { body: HeartbeatBody }, onRequest: asHolder };
  server.post('/registry/heartbeat', beating, async (request) => {
    const { workspace_id: id, agent_card: card } = request.body;
    mustBeSmall('agent_card', card);
    const workspace = await callers.owner(request, id);
    const brought = card === null || card === undefined ? undefined : cardOf(card);
    await store.seen(workspace.id, clock.nowMs(), brought);
    return { status: 'ok' };
  });

  const updating = { schema: { body: CardBody }, onRequest: asHolder };
  server.post('/registry/update-card', updating, async (request) => {
    const { workspace_id: id, agent_card: card } = request.body;
    mustBeSmall('agent_card', card);
    const workspace = await callers.owner(request, id);
    await store.seen(workspace.id, clock.nowMs(), cardOf(card));
    return { status: 'updated' };
  });
}

function addLookups(server: Server, { store, callers, clock }: RegistryParts): void {
  const params = { schema: { params: WorkspacePath } };
  // A workspace that was removed may ask about its state.
  const ofOwner = { ...params, onRequest: onlyOwner(callers, { removedToo: true }) };
  server.get('/registry/:id/peers', ofOwner, async (request, reply) => {
    const workspace = await callers.owner(request, request.params.id);
    const peers = await store.listing();
    const nowMs = clock.nowMs();
    const others = peers.filter((peer) => peer.id !== workspace.id);
    return sendJson(reply, `[${others.map((peer) => shown(peer, nowMs)).join(',')}]`);
  });

  const ofPeer = { ...params, onRequest: onlyPeers(callers) };
  server.get('/registry/discover/:id', ofPeer, async (request, reply) => {
    const workspace = await store.listed(idOf(request.params.id));
    if (workspace === undefined || workspace.removed) throw new Refusal(404, 'workspace not found');
    return sendJson(reply, shown(workspace, clock.nowMs()));
  });

  server.get('/workspaces/:id/state', ofOwner, async (request) => {
    const workspace = await callers.owner(request, request.params.id, { removedToo: true });
    const known = { workspace_id: workspace.id, paused: false };
    if (workspace.removed) {
      throw new Refusal(404, 'workspace was removed', {
        ...known,
        status: 'removed',
        deleted: true,
      });
    }
    return { ...known, status: statusOf(workspace, clock.nowMs()), deleted: false };
  });
}

/** Returns the token of a new workspace. `undefined` for a known one, which has its token. */
async function register(
  { store, clock, log, provisionToken }: RegistryParts,
  { id, card, token }: { id: Workspace['id']; card: AgentCard; token: string },
): Promise<Secret | undefined> {
  const known = await store.workspace(id);
  if (known === undefined) {
    if (!isProvision(token, provisionToken)) {
      throw new Refusal(401, 'invalid workspace auth token', {
        hint: 'a new workspace registers with the provision token of the hub',
      });
    }
    const own = createToken('workspace');
    const added = await store.addWorkspace({
      id,
      name: card.name ?? id,
      agentCard: card,
      tokenHash: tokenHash(own.reveal()),
      atMs: clock.nowMs(),
    });
    if (added === 'known') throw new Refusal(409, 'the workspace was registered by another call');
    if (added === 'full') throw tooManyWorkspaces();
    log.info('workspace_registered', { workspace: id });
    return own;
  }
  if ((await workspaceOfToken(store, token))?.id !== id) {
    throw new Refusal(401, 'invalid workspace auth token');
  }
  if (known.removed) throw new Refusal(409, 'the workspace was removed and is not brought back');
  if (known.hubRun) throw new Refusal(409, 'the hub runs the agent of this workspace itself');
  await store.seen(id, clock.nowMs(), card);
  return undefined;
}

function tooManyWorkspaces(): Refusal {
  const error = `${REGISTERED_WORKSPACES_MAX.toLocaleString('en')} workspaces have registered at this hub, which is all it takes`;
  const hint = 'register again with the id and the token of one that exists';
  return new Refusal(507, error, { max: REGISTERED_WORKSPACES_MAX, hint });
}

function isProvision(token: string | undefined, provisionToken: Secret): boolean {
  return token !== undefined && sameHash(tokenHash(token), tokenHash(provisionToken.reveal()));
}

/** This hub can't call a push-mode workspace. Without a mode the platform means push. */
function checkDelivery(mode: string | undefined, url: string | undefined): void {
  if (mode === 'poll') return;
  if (mode !== undefined && mode !== '' && mode !== 'push') {
    throw new Refusal(400, "delivery_mode must be 'push' or 'poll'");
  }
  if (url === undefined || url === '') {
    throw new Refusal(400, 'url is required for push-mode workspaces');
  }
  throw new Refusal(400, "this hub does not push: register with delivery_mode 'poll'");
}

function shown(workspace: ListedWorkspace, nowMs: number): string {
  const name = workspace.cardName ?? workspace.name;
  const fields = {
    id: workspace.id,
    name,
    role: workspace.hubRun ? 'agent' : null,
    url: '',
    status: statusOf(workspace, nowMs),
    delivery_mode: workspace.hubRun ? 'push' : 'poll',
  };
  const card = workspace.agentCard?.json ?? JSON.stringify({ name, skills: [] });
  return objectText(fields, { agent_card: card });
}

function statusOf({ hubRun, heartbeatAtMs }: Workspace, nowMs: number): string {
  const seen = heartbeatAtMs !== undefined && nowMs - heartbeatAtMs < HUB_STALE_AFTER_MS;
  return hubRun || seen ? 'online' : 'awaiting_agent';
}

function cardOf(given: Readonly<Record<string, unknown>>): AgentCard {
  const { name } = given;
  return {
    json: JSON.stringify(given),
    name: typeof name === 'string' && name !== '' ? storable(name) : undefined,
  };
}

/** A notice that says where in Lark it is to be shown. The bridge in this process shows it. */
import { createHash, randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { storable } from '../../../text/storable.ts';
import { LARK_RECEIVERS } from '../../../core/ids.ts';
import type { Activity } from '../../ports/activity.ts';
import {
  LARK_SEND,
  type LarkOutlet,
  type LarkSend,
  type LarkSendOutcome,
  type LarkSendStored,
  type NewLarkSend,
} from '../../ports/lark-sends.ts';
import type { HubStore } from '../../ports/store.ts';
import type { Workspace } from '../../ports/workspaces.ts';
import { emptyRow } from './empty-row.ts';
import { busy, overQuota, Refusal } from './refusal.ts';
import type { LarkPlaceBody } from './schemas.ts';
import type { Clock } from '../../../time/clock.ts';

/** More than an agent has to say unasked. People and Lark are to be safe from one that never ends. */
const MESSAGES_MAX_PER_HOUR = 60;
const HOUR_MS = 60 * 60 * 1000;
/** A start or a stop of the bridge takes seconds. */
const RETRY_AFTER_SECS = 5;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Printable ASCII. */
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,256}$/;

const PLACES = {
  chat_id: { form: LARK_RECEIVERS.chat, like: 'oc_…' },
  open_id: { form: LARK_RECEIVERS.person, like: 'ou_…' },
  email: { form: LARK_RECEIVERS.email, like: 'name@example.com' },
} as const;

interface LarkSendParts {
  readonly store: HubStore;
  readonly outlet?: LarkOutlet;
  readonly clock: Clock;
}

interface Wanted {
  readonly message: string;
  readonly lark: LarkPlaceBody;
  readonly key: string | undefined;
}

/** Resolves with the id of what was stored. The same key of a workspace makes one message. */
export async function sendToLark(
  { store, outlet, clock }: LarkSendParts,
  workspace: Workspace,
  wanted: Wanted,
): Promise<string> {
  if (workspace.origin !== 'agent') {
    throw new Refusal(403, 'only agents that the operator added to this hub may write to Lark', {
      hint: 'the operator adds one with `lark-bridge agents add NAME`',
    });
  }
  if (outlet === undefined) throw new Refusal(409, 'this hub runs without a bridge to Lark');
  const send = sendOf(workspace, wanted);
  const plan = outlet.plan(send);
  if (plan.kind === 'not_now') throw busy('the bridge to Lark does not run now', RETRY_AFTER_SECS);
  if (plan.kind === 'refused') throw new Refusal(400, plan.why);
  const nowMs = clock.nowMs();
  const row = { ...rowOf(send, workspace, nowMs), messages: plan.messages };
  const bound = { messagesMax: MESSAGES_MAX_PER_HOUR, sinceMs: nowMs - HOUR_MS };
  const answer: { stored?: LarkSendStored } = {};
  await plan.store(() => {
    answer.stored = store.joined.addLarkSend(row, bound);
    return answer.stored.kind === 'added';
  });
  if (answer.stored !== undefined) mustBeStored(answer.stored, row, nowMs);
  return send.id;
}

/** Rows of messages to Lark with what came of them. The dead letters of the bridge are kept as long as such rows. */
export function withOutcomes(
  rows: readonly Activity[],
  outlet: LarkOutlet | undefined,
): Promise<readonly Activity[]> {
  return Promise.all(
    rows.map(async (row) => {
      const outcome = row.activityType === LARK_SEND && (await outlet?.outcome(row.id));
      return outcome === false || outcome === undefined ? row : { ...row, ...toldBy(outcome) };
    }),
  );
}

function toldBy(outcome: LarkSendOutcome): Pick<Activity, 'status' | 'errorDetail'> {
  switch (outcome.kind) {
    case 'waiting':
      return { status: 'queued', errorDetail: undefined };
    case 'shown':
      return { status: 'ok', errorDetail: undefined };
    case 'refused':
      return { status: 'error', errorDetail: outcome.why };
  }
}

export function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && IDEMPOTENCY_KEY.test(key)) return key;
  throw new Refusal(400, 'Idempotency-Key must be 1 to 256 printable ASCII characters');
}

function mustBeStored(stored: LarkSendStored, row: NewLarkSend, nowMs: number): void {
  switch (stored.kind) {
    case 'added':
      return;
    case 'known':
      if (stored.requestBody === row.requestBody) return;
      throw new Refusal(422, 'this Idempotency-Key was used for another message');
    case 'over_quota':
      throw overQuota(stored.quota);
    case 'too_many':
      throw new Refusal(
        429,
        `a workspace may write ${MESSAGES_MAX_PER_HOUR} messages an hour to Lark`,
        { retry_after: Math.max(1, Math.ceil((stored.oldestMs + HOUR_MS - nowMs) / 1000)) },
      );
  }
}

function sendOf({ id: workspace }: Workspace, { message, lark, key }: Wanted): LarkSend {
  const { card, files = [] } = lark;
  return {
    id: key === undefined ? randomUUID() : idOfKey(workspace, key),
    to: placeOf(lark),
    text: storable(message),
    ...(card !== undefined && { card: JSON.stringify(card) }),
    files: files.map(({ name, base64 }) => ({ name, bytes: bytesOf(name, base64) })),
  };
}

function placeOf(lark: LarkPlaceBody): string {
  const names = Object.keys(PLACES) as (keyof typeof PLACES)[];
  const given = names.flatMap((name) => (lark[name] === undefined ? [] : [name]));
  const [only] = given;
  if (only === undefined || given.length > 1) {
    throw new Refusal(400, 'lark needs exactly one of chat_id, open_id and email');
  }
  const { form, like } = PLACES[only];
  const value = lark[only] ?? '';
  if (form.test(value)) return value;
  throw new Refusal(400, `lark.${only} has a wrong form`, { hint: `it looks like ${like}` });
}

function bytesOf(name: string, base64: string): Uint8Array {
  if (!BASE64.test(base64)) throw new Refusal(400, `the base64 of ${name} is damaged`);
  if (base64 === '') throw new Refusal(400, `${name} is empty, and Lark takes no empty files`);
  return Buffer.from(base64, 'base64');
}

/** Its text has what the outbox keeps of the message, so that the quota counts it, and tells what the files were. */
function rowOf(send: LarkSend, { id }: Workspace, nowMs: number) {
  const { to, text, card, files } = send;
  const kept = files.map(({ name, bytes }) => ({ name, sha256: hashOf(bytes) }));
  return {
    ...emptyRow(id, nowMs),
    id: send.id,
    status: 'queued',
    method: 'notify',
    target: to,
    ...(text !== '' && { summary: text }),
    requestBody: JSON.stringify({ to, text_sha256: hashOf(text), card, files: kept }),
  };
}

function hashOf(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** In the form of a UUID, as all ids of rows. */
function idOfKey(workspace: string, key: string): string {
  const hex = hashOf(`${workspace} ${key}`);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
}

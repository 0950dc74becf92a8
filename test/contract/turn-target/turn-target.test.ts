/**
 * What the bridge may rely on at our hub, whichever way it reaches it: in the same process, or over HTTP
 * from elsewhere. A new implementation of `TurnTarget` is done when it passes this.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { UnmatchedAnswer, TurnRequest, TurnTarget } from '../../../src/bridge/ports/target.ts';
import { chatId, openId, workspaceId, type WorkspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { TurnUpdate } from '../../../src/core/turn-update.ts';
import type { Service } from '../../../src/time/service.ts';
import type { AgentRecord } from '../../../src/hub/ports/agents.ts';
import { InProcessTarget } from '../../../src/hub/surfaces/in-process/target.ts';
import { PlatformClient } from '../../../src/platform/client.ts';
import { SqliteCursor } from '../../../src/store/sqlite/bridge/cursors.ts';
import { systemClock, type Clock } from '../../../src/time/clock.ts';
import { Rig, type Account } from '../hub/rig.ts';
import { silentLog } from '../../kit/log.ts';
import { quickClock } from '../platform/rig.ts';

interface Place {
  readonly rig: Rig;
  readonly own: WorkspaceId;
  readonly target: TurnTarget & Service & { status(): { readonly detail: string | undefined } };
  readonly received: UnmatchedAnswer[];
}

/** Which agent gets the turns. */
type Agent = () => Promise<AgentRecord>;
type Open = (rig: Rig, agent: Agent, clock?: Clock) => Promise<Place>;

const inProcess: Open = async (rig, agent, clock = systemClock) => {
  const own = await rig.directory.provisionWorkspace('lark-bridge');
  const received: UnmatchedAnswer[] = [];
  const target = new InProcessTarget({
    turns: rig.hub.turns,
    agentWatch: rig.hub.agentWatch,
    store: rig.store,
    own,
    agent,
    receive: keepIn(received),
    cursor: new SqliteCursor(rig.db, own),
    clock,
    log: silentLog,
  });
  return { rig, own, target, received };
};

const overHttp: Open = async (rig, agent, clock = systemClock) => {
  const { id, token } = await rig.bridge();
  const own = workspaceId(id);
  const received: UnmatchedAnswer[] = [];
  const target = new PlatformClient({
    url: rig.hub.address,
    workspace: own,
    token: () => new Secret(token),
    orgId: undefined,
    target: async () => (await agent()).workspaceId,
    turnTimeoutMs: 60_000,
    receive: keepIn(received),
    cursor: new SqliteCursor(rig.db, own),
    proxies: { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined },
    clock,
    log: silentLog,
  });
  return { rig, own, target, received };
};

function keepIn(received: UnmatchedAnswer[]) {
  return (answer: UnmatchedAnswer) => {
    received.push(answer);
    return Promise.resolve();
  };
}

const NEVER = new AbortController().signal;

function turnFor(target: WorkspaceId, text = 'hello'): TurnRequest {
  return {
    messageId: randomUUID(),
    text,
    target,
    context: {
      brand: 'feishu',
      chatId: 'oc_1',
      chatType: 'p2p',
      senderOpenId: 'ou_1',
      messageId: 'om_1',
      threadId: 'omt_1',
    },
  };
}

describe.each([
  ['in process', inProcess],
  ['over HTTP', overHttp],
])('the hub %s', (_name, open) => {
  async function start(
    kind: 'exec' | 'external',
    { rig: given, clock }: { rig?: Rig; clock?: Clock } = {},
  ) {
    const rig = given ?? (await Rig.start());
    const account = await rig.addAgent('agent', kind);
    const place = await open(rig, () => rig.directory.agentNamed('agent'), clock);
    await place.target.start();
    onTestFinished(() => place.target.stop());
    return { ...place, account, ask: await place.target.currentTarget() };
  }

  test('gives new turns to the agent that is chosen, tells answers apart and knows repeats', async () => {
    const { target, account, ask } = await start('exec');
    expect(ask).toBe(account.id);
    expect(target.correlates).toBe(true);
    expect(target.deduplicates).toBe(true);
  });

  test('gives the agent what the person wrote, and where it comes from', async () => {
    const { rig, target, ask } = await start('exec');
    const text = '[lark-channel] brand=lark\nsecond line';
    rig.agents.answerWith = (turn) => ({ ok: true, text: turn.text });
    const turn = turnFor(ask, text);
    expect(await target.send(turn, NEVER)).toMatchObject({ kind: 'answered', text });
    expect(rig.agents.runs.map((run) => run.turn.lark)).toEqual([turn.context]);
  });

  test('gives the agent what was said before', async () => {
    const { rig, target, ask } = await start('exec');
    const said = {
      quoted: { senderName: 'Tom', text: 'look' },
      thread: [{ senderName: 'Mei', text: 'one' }],
    };
    await target.send({ ...turnFor(ask), details: said }, NEVER);
    expect(rig.agents.runs[0]?.turn.details).toEqual(said);
  });

  test('gives an agent that polls what was said before as metadata', async () => {
    const { rig, target, account, ask } = await start('external');
    const details = { senderName: 'Mei', quoted: { senderName: 'Tom', text: 'look' } };
    await target.send({ ...turnFor(ask), details }, NEVER);
    const { body: rows } = await rig.inbox(account);
    expect(rows[0].request_body.params.metadata).toMatchObject({
      source: 'lark',
      quoted: { sender_name: 'Tom', text: 'look' },
    });
  });

  test('gives an answer that comes at once with the send, and a later one under the ticket', async () => {
    const { rig, target, ask } = await start('exec');
    const sent = await target.send(turnFor(ask), NEVER);
    expect(sent).toMatchObject({ kind: 'accepted', ticket: expect.any(String) });
    const ticket = sent.kind === 'accepted' ? sent.ticket : '';
    const waiting = target.wait(ask, ticket, NEVER);
    rig.agents.runs[0]?.answer('later');
    expect(await waiting).toMatchObject({ kind: 'answered', text: 'later' });
  });

  test('runs a turn once, however often it is sent', async () => {
    const { rig, target, ask } = await start('exec');
    rig.agents.answerWith = () => ({ ok: true, text: 'once' });
    const turn = turnFor(ask);
    const first = await target.send(turn, NEVER);
    if ('store' in first) await rig.db.write(() => first.store?.());
    expect(await target.send(turn, NEVER)).toMatchObject({ kind: 'answered', text: 'once' });
    expect(rig.agents.runs).toHaveLength(1);
  });

  test('says in the agent’s words why there is no answer', async () => {
    const { rig, target, ask } = await start('exec');
    rig.agents.answerWith = () => ({
      ok: false,
      reason: 'failed',
      detail: 'It ended with code 3.',
    });
    expect(await target.send(turnFor(ask), NEVER)).toMatchObject({
      kind: 'failed',
      detail: 'It ended with code 3.',
    });
  });

  test('says that the agent was interrupted, where turns are not run again by themselves', async () => {
    const rig = await Rig.start({ onInterrupted: 'fail' });
    const { target, ask, own } = await start('exec', { rig });
    const turn = turnFor(ask);
    await target.send(turn, NEVER);
    await rig.restart({ clean: false });
    const after = await open(rig, () => rig.directory.agentNamed('agent'));
    expect(after.own).toBe(own);
    expect(await after.target.send(turn, NEVER)).toMatchObject({
      kind: 'failed',
      interrupted: true,
    });
  });

  test('keeps the order of a chat', async () => {
    const { rig, target, ask } = await start('exec');
    await target.send(turnFor(ask, 'one'), NEVER);
    await target.send(turnFor(ask, 'two'), NEVER);
    expect(rig.agents.runs.map((run) => run.turn.text)).toEqual(['one']);
    rig.agents.answerWith = () => ({ ok: true, text: 'done' });
    rig.agents.runs[0]?.answer('done');
    // The first is expected by nobody any more, so the hub stores it, and the second begins.
    await expect.poll(() => rig.agents.runs.map((run) => run.turn.text)).toEqual(['one', 'two']);
  });

  test('ends the work on a turn that is called off', async () => {
    const { rig, target, ask } = await start('exec');
    const turn = turnFor(ask);
    const sent = await target.send(turn, NEVER);
    const ticket = sent.kind === 'accepted' ? sent.ticket : '';
    await target.cancel?.(ask, turn.messageId, NEVER);
    expect(rig.agents.runs[0]?.cancelled).toBe(true);
    expect(await target.wait(ask, ticket, NEVER)).toMatchObject({ kind: 'failed' });
  });

  test('stops waiting when the bridge does', async () => {
    const { target, ask } = await start('exec');
    const sent = await target.send(turnFor(ask), NEVER);
    const ticket = sent.kind === 'accepted' ? sent.ticket : '';
    const stop = new AbortController();
    const waiting = target.wait(ask, ticket, stop.signal);
    stop.abort();
    // Over HTTP the cut call tells nothing; both leave the turn as it is.
    expect(['pending', 'unreachable']).toContain((await waiting).kind);
  });

  test('a wait that the bridge gave up is no trouble, and the next turn goes on', async () => {
    const { rig, target, ask } = await start('exec');
    const sent = await target.send(turnFor(ask), NEVER);
    const ticket = sent.kind === 'accepted' ? sent.ticket : '';
    const over = new AbortController();
    const waiting = target.wait(ask, ticket, over.signal);
    over.abort();
    await waiting;
    expect(target.status().detail).toBeUndefined();
    rig.agents.answerWith = () => ({ ok: true, text: 'next' });
    const next = turnFor(ask);
    const elsewhere = { ...next, context: { ...next.context, chatId: chatId('oc_2') } };
    expect(await target.send(elsewhere, NEVER)).toMatchObject({ kind: 'answered', text: 'next' });
    expect(target.status().detail).toBeUndefined();
  });

  test('an answer that nobody waits for is stored by the hub, and found later', async () => {
    const { rig, target, ask } = await start('exec');
    const sent = await target.send(turnFor(ask), NEVER);
    const ticket = sent.kind === 'accepted' ? sent.ticket : '';
    rig.agents.runs[0]?.answer('meanwhile');
    await expect
      .poll(() => rig.db.get('SELECT status FROM hub_items')?.['status'])
      .toBe('completed');
    expect(await target.wait(ask, ticket, NEVER)).toMatchObject({ text: 'meanwhile' });
  });

  test('an unknown ticket is lost', async () => {
    const { target, ask } = await start('exec');
    expect(await target.wait(ask, randomUUID(), NEVER)).toMatchObject({ kind: 'lost' });
  });

  test('a turn for an agent that was removed is refused', async () => {
    const { rig, target, ask } = await start('exec');
    await rig.directory.removeAgent('agent');
    expect(await target.send(turnFor(ask), NEVER)).toMatchObject({ kind: 'refused' });
  });

  test('an agent elsewhere finds the turn in its inbox, and answers by naming it', async () => {
    const { rig, target, own, account, ask, received } = await start('external');
    const sent = await target.send(turnFor(ask, 'far away?'), NEVER);
    const ticket = sent.kind === 'accepted' ? sent.ticket : '';
    const { body } = await rig.inbox(account);
    expect(body).toMatchObject([
      {
        source_id: own,
        method: 'message/send',
        request_body: {
          jsonrpc: '2.0',
          method: 'message/send',
          params: {
            message: { role: 'user', contextId: 'oc_1', parts: [{ kind: 'text' }] },
            metadata: { source: 'lark', chat_id: 'oc_1', thread_id: 'omt_1' },
          },
        },
      },
    ]);
    const waiting = target.wait(ask, ticket, NEVER);
    await rig.send(account, own, { text: 'here', answers: ticket });
    expect(await waiting).toEqual({ kind: 'answered', text: 'here' });
    expect(received).toEqual([]);
  });

  test('what an agent says unasked is handed over in order, once, also after a restart', async () => {
    const clock = quickClock;
    const { rig, target, own, account, received } = await start('external', { clock });
    await say(rig, account, own, ['one', 'two']);
    await expect.poll(() => received.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(received[0]?.from).toBe(account.id);
    await expect
      .poll(() => rig.db.get('SELECT row_id FROM cursors')?.['row_id'])
      .toBe(received[1]?.id);
    await target.stop();
    await say(rig, account, own, ['three']);
    const next = await open(rig, () => rig.directory.agentNamed('agent'), clock);
    await next.target.start();
    onTestFinished(() => next.target.stop());
    await expect.poll(() => next.received.map(({ text }) => text)).toEqual(['three']);
  });
});

async function say(rig: Rig, from: Account, to: string, texts: readonly string[]): Promise<void> {
  for (const text of texts) await rig.send(from, to, { text });
}

describe('the hub in process', () => {
  async function start() {
    const rig = await Rig.start();
    await rig.addAgent('agent', 'exec');
    const { target } = await inProcess(rig, () => rig.directory.agentNamed('agent'));
    return { rig, target, turn: turnFor(await target.currentTarget()) };
  }

  const statusOf = (rig: Rig) => rig.db.get('SELECT status FROM hub_items')?.['status'];

  const progress = (text: string): TurnUpdate => ({ kind: 'status', text });

  test('R27: brings the warning of an answer that may be incomplete', async () => {
    const { rig, target, turn } = await start();
    rig.agents.answerWith = () => ({ ok: true, text: 'half', warning: 'It ended early.' });
    const answer = { kind: 'answered', text: 'half', warning: 'It ended early.' };
    expect(await target.send(turn, NEVER)).toMatchObject(answer);
  });

  test.each([{ command: 'claude login' }, { command: undefined }])(
    'R11: brings that an agent needs a login, which nobody retries: %o',
    async (login) => {
      const { rig, target, turn } = await start();
      const failed = { ok: false, reason: 'failed', detail: 'not logged in' } as const;
      rig.agents.answerWith = () => ({ ...failed, login });
      const answer = await target.send(turn, NEVER);
      const needed = login.command === undefined ? {} : login;
      expect(answer).toMatchObject({ kind: 'failed', agent: 'agent', login: needed });
      expect(rig.agents.runs).toHaveLength(1);
    },
  );

  test('brings what is told after a stop, until the agent has ended', async () => {
    const { rig, target, turn } = await start();
    const told: TurnUpdate[] = [];
    target.watch?.(turn.target, turn.messageId, (update) => told.push(update));
    await target.send(turn, NEVER);
    rig.agents.obeysCancel = false;
    await target.cancel?.(turn.target, turn.messageId, NEVER);
    const [run] = rig.agents.runs;
    run?.tell(progress('goes on'));
    run?.tell({ kind: 'told', what: { kind: 'still_running' } });
    expect(told).toEqual([{ kind: 'told', what: { kind: 'still_running' } }]);
  });

  test('brings what a turn tells to who watches it, while the turn is open', async () => {
    const { rig, target, turn } = await start();
    const other = {
      ...turnFor(turn.target, 'other'),
      context: { ...turn.context, chatId: chatId('oc_2') },
    };
    const told: [string, TurnUpdate][] = [];
    const watch = (name: string, { messageId }: TurnRequest) =>
      target.watch?.(turn.target, messageId, (update) => told.push([name, update]));
    watch('one', turn);
    const unwatch = watch('other', other);
    const sent = await target.send(turn, NEVER);
    await target.send(other, NEVER);
    const [one, two] = rig.agents.runs;
    one?.tell(progress('reads'));
    two?.tell(progress('writes'));
    expect(told).toEqual([
      ['one', progress('reads')],
      ['other', progress('writes')],
    ]);
    unwatch?.();
    two?.tell(progress('unheard'));
    const ticket = sent.kind === 'accepted' ? sent.ticket : '';
    const waiting = target.wait(turn.target, ticket, NEVER);
    one?.answer('done');
    expect(await waiting).toMatchObject({ kind: 'answered' });
    one?.tell(progress('too late'));
    expect(told).toHaveLength(2);
  });

  test('brings nothing of a turn that was called off, although its agent goes on', async () => {
    const { rig, target, turn } = await start();
    rig.agents.obeysCancel = false;
    const told: TurnUpdate[] = [];
    target.watch?.(turn.target, turn.messageId, (update) => told.push(update));
    await target.send(turn, NEVER);
    await target.cancel?.(turn.target, turn.messageId, NEVER);
    rig.agents.runs[0]?.tell(progress('too late'));
    expect(told).toEqual([]);
  });

  const question = (id: string): TurnUpdate => ({
    kind: 'question',
    id,
    text: 'May I?',
    options: [{ id: 'yes', label: 'Yes', style: 'default' }],
  });
  const yes = { kind: 'chosen', option: 'yes', by: openId('ou_1') } as const;

  test('brings questions under ids of their own, and each answer to its agent, once', async () => {
    const { rig, target, turn } = await start();
    const told: TurnUpdate[] = [];
    target.watch?.(turn.target, turn.messageId, (update) => told.push(update));
    await target.send(turn, NEVER);
    const [run] = rig.agents.runs;
    run?.tell(question('1'));
    run?.tell(question('2'));
    run?.tell(question('1'));
    const ids = told.map((update) => (update.kind === 'question' ? update.id : ''));
    expect(new Set(ids).size).toBe(2);
    const asked = { target: turn.target, messageId: turn.messageId, id: ids[1] ?? '' };
    expect(await target.answerQuestion?.(asked, yes)).toBe('taken');
    expect(await target.answerQuestion?.(asked, { kind: 'cancelled' })).toBe('over');
    expect(run?.answers).toEqual([['2', yes]]);
    run?.answer('done');
    await expect.poll(() => statusOf(rig)).toBe('dispatched');
    const first = { ...asked, id: ids[0] ?? '' };
    await expect.poll(() => target.answerQuestion?.(first, yes)).toBe('over');
  });

  test('calls a question off at once that nobody watches', async () => {
    const { rig, target, turn } = await start();
    await target.send(turn, NEVER);
    rig.agents.runs[0]?.tell(question('1'));
    await expect.poll(() => rig.agents.runs[0]?.answers).toEqual([['1', { kind: 'cancelled' }]]);
    const asked = { target: turn.target, messageId: 'another', id: '1' };
    expect(await target.answerQuestion?.(asked, yes)).toBe('over');
  });

  test('gives the agent what comes with the turn beside its text', async () => {
    const { rig, target, turn } = await start();
    const details = { senderName: 'Ann', quoted: { senderName: 'Bob', text: 'look' } };
    await target.send({ ...turn, details }, NEVER);
    expect(rig.agents.runs[0]?.turn.details).toEqual(details);
  });

  test('stores the turn in the commit of the bridge, and begins it only then', async () => {
    const { rig, target, turn } = await start();
    rig.agents.answerWith = () => ({ ok: true, text: 'done' });
    const failing = rig.db.write(() => {
      target.join?.(turn);
      throw new Error('the bridge changed its mind');
    });
    await expect(failing).rejects.toThrow('changed its mind');
    expect(statusOf(rig)).toBeUndefined();
    expect(rig.agents.runs).toEqual([]);
    await rig.db.write(() => target.join?.(turn));
    expect(statusOf(rig)).toBe('dispatched');
    expect(await target.send(turn, NEVER)).toMatchObject({ kind: 'answered', text: 'done' });
    expect(rig.agents.runs).toHaveLength(1);
  });

  test('gives the answer to be stored in the commit of the bridge', async () => {
    const { rig, target, turn } = await start();
    rig.agents.answerWith = () => ({ ok: true, text: 'done' });
    await rig.db.write(() => target.join?.(turn));
    const sent = await target.send(turn, NEVER);
    expect(statusOf(rig)).toBe('dispatched');
    await rig.db.write(() => ('store' in sent ? sent.store?.() : undefined));
    expect(statusOf(rig)).toBe('completed');
  });

  test('a bridge that dies between its commit and the answer finds the turn run again', async () => {
    const { rig, target, turn } = await start();
    await rig.db.write(() => target.join?.(turn));
    await rig.restart({ clean: false });
    rig.agents.answerWith = () => ({ ok: true, text: 'the second run' });
    const after = await inProcess(rig, () => rig.directory.agentNamed('agent'));
    await after.target.currentTarget();
    await rig.db.write(() => after.target.join?.(turn));
    const sent = await after.target.send(turn, NEVER);
    const end =
      sent.kind === 'accepted' ? await after.target.wait(turn.target, sent.ticket, NEVER) : sent;
    expect(end).toMatchObject({ kind: 'answered', text: 'the second run' });
    expect(rig.db.all('SELECT queue_id FROM hub_items')).toHaveLength(1);
  });
});

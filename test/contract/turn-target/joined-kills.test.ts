/**
 * Goal: a turn of the bridge and its item at the hub in the same process agree, whenever the process dies.
 * Method: turns on a real SQLite file, each commit joined as the bridge joins it; the process is killed a few
 * times at random points, then lives on until every turn has its answer.
 */
import { expect, test } from 'vitest';
import type {
  SendResult,
  TurnRequest,
  TurnTarget,
  WaitResult,
} from '../../../src/bridge/ports/target.ts';
import type { WorkspaceId } from '../../../src/core/ids.ts';
import { InProcessTarget } from '../../../src/hub/surfaces/in-process/target.ts';
import type { Db } from '../../../src/store/sqlite/db.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seeded } from '../../sim/random.ts';
import { Rig } from '../hub/rig.ts';

const TURNS = 6;
const KILLS = 4;
/** Commits in one life. A turn takes about four. */
const LIFE_COMMITS_MAX = 10;
const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);
const { SEED } = process.env;
const NEVER = new AbortController().signal;

test.each(SEED === undefined ? SEEDS : [Number(SEED)])(
  'every turn is answered once, and as the hub says, whenever the process dies (SEED=%i)',
  async (seed) => {
    const random = seeded(seed);
    const rig = await Rig.start();
    const { id } = await rig.addAgent('agent');
    const turns = Array.from({ length: TURNS }, (_, index) => turnOf(id as WorkspaceId, index));
    rig.db.run('CREATE TABLE shown (message_id TEXT, text TEXT)');
    for (let kill = 0; kill < KILLS; kill += 1) {
      // The life ends before they do.
      void (await begin(rig, turns, random));
      const commits = random() * LIFE_COMMITS_MAX;
      for (let commit = 0; commit < commits; commit += 1) {
        const run = rig.agents.runs[Math.floor(random() * rig.agents.runs.length)];
        if (random() < 0.5) run?.answer(`run ${kill}`);
        await rig.db.write(() => undefined);
      }
      await rig.restart({ clean: false });
    }
    rig.agents.answerWith = () => ({ ok: true, text: 'the last life' });
    await Promise.all(await begin(rig, turns, random));

    const shown = rig.db.all('SELECT message_id, text FROM shown ORDER BY message_id');
    expect(shown.map((row) => row['message_id'])).toEqual(turns.map((turn) => turn.messageId));
    const items = rig.db.all(
      `SELECT message_id, json_extract(outcome, '$.message.parts[0].text') AS text
       FROM hub_items WHERE status = 'completed' ORDER BY message_id`,
    );
    expect(items).toEqual(shown);
    expect(rig.db.all(`SELECT 1 FROM hub_items WHERE status <> 'completed'`)).toEqual([]);
  },
);

function turnOf(target: WorkspaceId, index: number): TurnRequest {
  const messageId = `message-${index}`;
  const context = {
    brand: 'feishu',
    chatId: `oc_${index % 3}`,
    chatType: 'p2p',
    senderOpenId: 'ou_1',
    messageId,
  } as const;
  return { messageId, text: `question ${index}`, target, context };
}

/** A life of the bridge goes on with what the lives before it left without an answer. */
async function begin(
  { hub, store, directory, db }: Rig,
  turns: readonly TurnRequest[],
  random: () => number,
): Promise<Promise<void>[]> {
  const target = new InProcessTarget({
    turns: hub.turns,
    agentWatch: hub.agentWatch,
    store,
    own: await directory.provisionWorkspace('lark-bridge'),
    agent: () => directory.agentNamed('agent'),
    receive: () => Promise.resolve(),
    cursor: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
    clock: systemClock,
    log: silentLog,
  });
  await target.currentTarget();
  const open = turns.filter(({ messageId }) => !isShown(db, messageId));
  return open.map((turn) => {
    const answered = answer(db, target, { turn, joins: random() < 0.7 });
    // It fails when its process is dead.
    answered.catch(() => {});
    return answered;
  });
}

function isShown(db: Db, messageId: string): boolean {
  return db.get('SELECT 1 FROM shown WHERE message_id = ?', messageId) !== undefined;
}

/** `joins`: the hub gets the turn in the bridge's own commit, else with the send. */
async function answer(
  db: Db,
  target: TurnTarget,
  { turn, joins }: { readonly turn: TurnRequest; readonly joins: boolean },
): Promise<void> {
  if (joins) await db.write(() => target.join?.(turn));
  let end: SendResult | WaitResult = await target.send(turn, NEVER);
  const ticket = end.kind === 'accepted' ? end.ticket : '';
  while (end.kind === 'accepted' || end.kind === 'pending') {
    end = await target.wait(turn.target, ticket, NEVER);
  }
  if (end.kind !== 'answered') throw new Error(`${turn.messageId} ended as ${end.kind}`);
  const { text, store } = end;
  await db.write(() => {
    db.run('INSERT INTO shown (message_id, text) VALUES (?, ?)', turn.messageId, text);
    store?.();
  });
}

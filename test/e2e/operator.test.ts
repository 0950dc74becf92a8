/** What an operator sees and orders from beside the daemon. */
import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { undocumented } from '../documents.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

interface TurnView {
  readonly id: string;
  readonly phase: string;
}

/** A command that ends well, with what it says as JSON. */
async function told<T = Record<string, unknown>>(...words: string[]): Promise<T> {
  const { code, stdout, stderr } = await rig.command([...words, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

async function turnsIn(phase: string): Promise<string[]> {
  const { turns } = await told<{ turns: TurnView[] }>('turns', 'list', '--phase', phase);
  return turns.map(({ id }) => id);
}

describe('turns', () => {
  test('one that failed is listed, and begins anew while the daemon runs', async () => {
    await rig.addAgent('moody', 'if [ -e "$HOME/better" ]; then echo fine; else exit 3; fi');
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({ chat, from: user, text: 'how are you?' });
    await rig.repliesIn(chat, 1);
    expect(await turnsIn('failed')).toEqual([asked.messageId]);
    expect(await turnsIn('answered')).toEqual([]);
    writeFileSync(`${rig.home}/better`, '');
    expect(await told('turns', 'retry', asked.messageId)).toMatchObject({ outcome: 'done' });
    const [, better] = await rig.repliesIn(chat, 2);
    expect(better).toMatchObject({ text: 'fine', replyTo: asked.messageId });
    await expect.poll(() => turnsIn('answered')).toEqual([asked.messageId]);
    const { runs } = await told<{ runs: unknown[] }>('turns', 'show', asked.messageId);
    expect(runs).toMatchObject([
      {
        run: 1,
        ended_as: 'failed',
        reason: 'agent_failed',
        agent: 'moody',
        detail: expect.stringContaining('exit code 3') as string,
      },
      { run: 2, ended_as: 'answered' },
    ]);
    const again = await rig.command(['turns', 'retry', asked.messageId]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('is answered');
    expect(again.stderr).toContain('next: ');
  });

  test('why its program failed is in `trace`, and neither in the log nor in the chat', async () => {
    await rig.addAgent('broke', 'echo "no credit left"; echo "see line 3" >&2; exit 1');
    const bridge = await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({ chat, from: user, text: 'how are you?' });
    const [reply] = await rig.repliesIn(chat, 1);
    expect(reply?.text).not.toContain('credit');
    const { events } = await told<{ events: { event: string }[] }>('trace', asked.messageId);
    expect(events.find(({ event }) => event === 'failed')).toMatchObject({
      stdout: 'no credit left',
      stderr: 'see line 3',
    });
    expect(bridge.stderr).not.toContain('no credit left');
  });

  test('one at work is dropped: its chat goes on, and its answer is never shown', async () => {
    await rig.addAgent('slow', 'read text; [ "$text" = hang ] && sleep 60; echo "$text!"');
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    const hanging = rig.cloud.say({ chat, from: user, text: 'hang' });
    await expect.poll(() => turnsIn('accepted')).toEqual([hanging.messageId]);
    const next = rig.cloud.say({ chat, from: user, text: 'next' });
    await expect.poll(() => turnsIn('waiting')).toEqual([next.messageId]);
    const shown = (await rig.command(['turns', 'show', next.messageId])).stdout;
    expect(shown).toContain('behind 1 of its chat');
    expect(shown).not.toContain('Text:');
    expect(await told('turns', 'drop', hanging.messageId)).toMatchObject({
      outcome: 'done',
      phase: 'dropped',
    });
    await rig.repliesIn(chat, 1);
    await expect.poll(() => turnsIn('answered')).toEqual([next.messageId]);
    expect(rig.replies(chat).map(({ text }) => text)).toEqual(['next!']);
  });

  test('one that waits is dropped while the daemon is off: it is never begun', async () => {
    await rig.addAgent('slow', 'while [ ! -e "$HOME/go" ]; do sleep 0.05; done; cat');
    const first = await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    const [one, two, three] = ['one', 'two', 'three'].map((text) =>
      rig.cloud.say({ chat, from: user, text }),
    );
    await expect.poll(() => turnsIn('waiting')).toEqual([three!.messageId, two!.messageId]);
    await first.stop();
    expect(await told('turns', 'drop', two!.messageId)).toMatchObject({ outcome: 'at_next_start' });
    expect((await told<TurnView>('turns', 'show', two!.messageId)).phase).toBe('waiting');
    writeFileSync(`${rig.home}/go`, '');
    await rig.runHere();
    const replies = await rig.repliesIn(chat, 2);
    expect(replies.map(({ replyTo }) => replyTo)).toEqual([one!.messageId, three!.messageId]);
    expect(await turnsIn('dropped')).toEqual([two!.messageId]);
  });

  test('an id that nobody knows: one clear error with the next step, exit code 1', async () => {
    await rig.runHere();
    for (const words of [
      ['turns', 'show', 'om_nobody'],
      ['turns', 'retry', 'om_nobody'],
      ['dead-letters', 'replay', 'out_nobody'],
      ['trace', 'om_nobody'],
    ]) {
      const { code, stdout, stderr } = await rig.command(words);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^error: .*nobody.*\nnext: .+\n$/);
    }
  });

  test('a look where no bot has run creates nothing', async () => {
    const { code, stderr } = await rig.command(['turns', 'list']);
    expect(code).toBe(1);
    expect(stderr).toContain('no bot has run');
    const status = await rig.command(['status', '--json']);
    expect(status.code).toBe(1);
    expect(JSON.parse(status.stdout)).toMatchObject({ running: false });
    expect(existsSync(rig.stateDir)).toBe(false);
  });
});

describe('dead letters', () => {
  interface Letter {
    readonly key: string;
    readonly phase: string;
    readonly last_error: string;
  }
  const letters = async () =>
    (await told<{ dead_letters: Letter[] }>('dead-letters', 'list')).dead_letters;

  test('what Lark refused is listed, shown, sent again and shown once', async () => {
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    const fault = { kind: 'business_error', code: 230022, path: '/reply' } as const;
    rig.cloud.faults.inject(fault);
    const asked = rig.cloud.say({ chat, from: user, text: 'a delicate thing' });
    const [notice] = await rig.repliesIn(chat, 1);
    expect(notice?.text).toContain('dead letters');
    const [letter] = await letters();
    expect(letter).toMatchObject({ phase: 'dead', turn: asked.messageId, kind: 'answer' });
    expect(letter?.last_error).toContain('230022');
    const { key } = letter!;
    const listed = await rig.command(['dead-letters', 'list']);
    expect(listed.stdout).not.toContain('delicate');
    const shown = await rig.command(['dead-letters', 'show', key]);
    expect(shown.stdout).toContain('230022');
    expect(shown.stdout).not.toContain('delicate');
    const whole = await rig.command(['dead-letters', 'show', key, '--text']);
    expect(whole.stdout).toContain('a delicate thing');
    expect((await told<{ counts: object }>('status')).counts).toMatchObject({ dead_letters: 1 });

    expect(await told('dead-letters', 'replay', key)).toMatchObject({ outcome: 'done' });
    const replies = await rig.repliesIn(chat, 2);
    expect(replies[1]).toMatchObject({ text: 'a delicate thing', replyTo: asked.messageId });
    expect(await letters()).toEqual([]);
    const again = await rig.command(['dead-letters', 'replay', key]);
    expect(again.code).toBe(1);
    expect(rig.replies(chat)).toHaveLength(2);
  });

  test('one that nobody wants any more is dropped', async () => {
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    rig.cloud.faults.inject({ kind: 'business_error', code: 230022, path: '/reply' });
    rig.cloud.say({ chat, from: user, text: 'hello' });
    await rig.repliesIn(chat, 1);
    const [letter] = await letters();
    expect(await told('dead-letters', 'drop', letter!.key)).toMatchObject({ phase: 'dropped' });
    expect(await letters()).toEqual([]);
  });
});

describe('trace', () => {
  test('tells the whole life of a message, by its id and by that of the reply', async () => {
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({ chat, from: user, text: 'good morning' });
    const [reply] = await rig.repliesIn(chat, 1);
    interface Life {
      readonly events: { event: string; key?: string; lark_id?: string }[];
      readonly outbox: { key: string; kind: string }[];
    }
    const life = () => told<Life>('trace', asked.messageId);
    /** Without what only a slow answer gets: a word that the hub has it, and the sign of receipt. */
    const names = async () => {
      const { events, outbox } = await life();
      const signs = outbox.filter(({ kind }) => kind !== 'answer').map(({ key }) => key);
      return events
        .filter(({ event, key = '' }) => event !== 'accepted' && !signs.includes(key))
        .map(({ event }) => event);
    };
    await expect
      .poll(names)
      .toEqual('said received admitted started answered queued tried sent'.split(' '));
    const { events } = await life();
    expect(events.map((event) => event.lark_id)).toContain(reply?.messageId);
    expect(await told('trace', reply!.messageId)).toEqual(await life());
    const { stdout } = await rig.command(['trace', asked.messageId]);
    expect(stdout).not.toContain('good morning');
    expect(stdout).toMatch(/^\S+Z +\+\d+ ms +answered +run=1$/m);
    const text = (await rig.command(['trace', asked.messageId, '--text'])).stdout;
    expect(text.split('good morning')).toHaveLength(3);
  });
});

test('every field of the status of a running daemon is in docs/json.md', async () => {
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  await rig.repliesIn(chat, 1);
  const status = await told('status');
  expect(undocumented('status', status)).toEqual([]);
  expect(JSON.stringify(status)).not.toMatch(/"[a-z_]+[A-Z]\w*":/);
});

test('status counts the turns', async () => {
  await rig.addAgent('moody', 'read text; case "$text" in hang) sleep 30;; *) exit 1;; esac');
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  const other = rig.direct('Tom');
  rig.cloud.say({ chat: other.chat, from: other.user, text: 'fail' });
  rig.cloud.say({ chat, from: user, text: 'hang' });
  rig.cloud.say({ chat, from: user, text: 'and wait' });
  await rig.repliesIn(other.chat, 1);
  await expect
    .poll(async () => (await told<{ counts: object }>('status')).counts)
    .toEqual({
      waiting: 1,
      running: 1,
      held: 0,
      failed_last_day: 1,
      dead_letters: 0,
    });
  expect((await rig.command(['status'])).stdout).toContain(
    'Turns    1 waiting, 1 running, 0 held, 1 failed in the last day',
  );
});

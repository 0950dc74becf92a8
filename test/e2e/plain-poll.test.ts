/** A remote platform that takes turns without a ticket and answers into the bridge's inbox. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';

const OWN = '11111111-1111-4111-8111-111111111111';
const TARGET = '22222222-2222-4222-8222-222222222222';

interface Turn {
  readonly messageId: string;
  readonly text: string;
}

/** Written from the MOL rows alone. */
class PlainPollPlatform {
  readonly turns: Turn[] = [];
  readonly refused: string[] = [];
  readonly #rows: Record<string, unknown>[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      });
    });
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The target speaks: a new message to the bridge, without a link to any turn (MOL-INB-09). */
  say(text: string): void {
    const seq = this.#rows.length + 1;
    this.#rows.push({
      id: `row-${seq}`,
      workspace_id: OWN,
      activity_type: 'a2a_receive',
      source_id: TARGET,
      method: 'message/send',
      request_body: { params: { message: { parts: [{ kind: 'text', text }] } } },
      created_at: new Date().toISOString(),
      seq,
    });
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://platform');
    if (
      request.headers.authorization !== 'Bearer t-secret' ||
      request.headers.origin === undefined
    ) {
      this.refused.push(url.pathname);
      return { status: 401, body: { error: 'invalid caller auth token' } };
    }
    if (url.pathname === '/registry/register') {
      return { status: 200, body: { status: 'registered', delivery_mode: 'poll' } };
    }
    if (url.pathname === `/workspaces/${TARGET}/a2a`) {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        params: { message: { messageId: string; parts: { text: string }[] } };
      };
      const { messageId, parts } = body.params.message;
      this.turns.push({ messageId, text: parts[0]?.text ?? '' });
      return {
        status: 200,
        body: { status: 'queued', delivery_mode: 'poll', method: 'message/send' },
      };
    }
    if (url.pathname === `/workspaces/${OWN}/activity`) {
      const since = url.searchParams.get('since_id');
      if (since === null) return { status: 200, body: this.#rows.toReversed() };
      const at = this.#rows.findIndex(({ id }) => id === since);
      return at < 0
        ? { status: 410, body: { error: 'since_id cursor not found; omit since_id to reset' } }
        : { status: 200, body: this.#rows.slice(at + 1) };
    }
    return { status: 200, body: { status: 'ok' } };
  }
}

let rig: Rig;
let platform: PlainPollPlatform;
let env: Record<string, string>;

beforeEach(async () => {
  rig = await Rig.open();
  platform = new PlainPollPlatform();
  env = {
    PLATFORM_URL: await platform.open(),
    WORKSPACE_ID: OWN,
    MOLECULE_WORKSPACE_TOKEN: 't-secret',
    MOLECULE_TARGET_WORKSPACE_ID: TARGET,
  };
});

afterEach(async () => {
  await rig.close();
  platform.close();
});

test('LCM-OUT-01, LCM-OUT-02, LCM-IN-11: one turn at a time, its answer found in the inbox; a late one stays aside', async () => {
  await rig.run({ env, words: ['run', '--json', '--turn-timeout-secs', '8'] });
  const [one, two] = [rig.direct('Mei'), rig.direct('Tom')];
  rig.cloud.say({ chat: one.chat, from: one.user, text: 'first' });
  await expect.poll(() => platform.turns.length, { timeout: 10_000 }).toBe(1);
  expect(platform.turns[0]?.text).toMatch(/^\[lark-channel\] brand=feishu .*\nfirst$/);
  rig.cloud.say({ chat: two.chat, from: two.user, text: 'second' });
  platform.say('answer to first');
  const [answer] = await rig.repliesIn(one.chat, 1);
  expect(answer?.text).toBe('answer to first');
  // The second one gets no answer in its time; the third one's answer comes after the late one.
  await expect.poll(() => platform.turns.length, { timeout: 10_000 }).toBe(2);
  rig.cloud.say({ chat: one.chat, from: one.user, text: 'third' });
  await expect.poll(() => platform.turns.length, { timeout: 20_000 }).toBe(3);
  platform.say('late answer to second');
  platform.say('answer to third');
  await rig.cloud.waitFor(
    () => rig.replies(one.chat).some(({ text }) => text === 'answer to third'),
    20_000,
  );
  const kept = await rig.command(['dead-letters', 'late', '--json', '--text']);
  expect(JSON.parse(kept.stdout)).toMatchObject({
    late_answers: [{ text: 'late answer to second' }],
  });
  const everything = [one, two].flatMap(({ chat }) => rig.replies(chat).map(({ text }) => text));
  expect(everything.join('\n')).not.toContain('late answer');
  expect(
    rig
      .replies(two.chat)
      .map(({ text }) => text)
      .join(),
  ).toContain('took too long');
});

test('LCM-ENV-03: a token that the platform refuses ends with 3', async () => {
  const { code, stderr } = await rig.command(['run'], {
    env: { ...env, MOLECULE_WORKSPACE_TOKEN: 't-wrong' },
  });
  expect(code).toBe(3);
  expect(stderr).toContain('MOLECULE_WORKSPACE_TOKEN');
  expect(stderr).not.toContain('t-wrong');
});

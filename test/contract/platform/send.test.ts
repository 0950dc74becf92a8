/** A turn on its way to the platform, and every kind of answer to it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { error, messageResult, type PlatformDouble, type Scripted } from './double.ts';
import { clientOf, NEVER, openDouble, turnFor } from './rig.ts';
import type { SendResult } from '../../../src/bridge/ports/target.ts';

let platform: PlatformDouble;

beforeEach(async () => {
  platform = await openDouble();
});

async function started() {
  const made = clientOf(platform);
  await made.client.start();
  made.log.lines.length = 0;
  return made;
}

/** What the client makes of an answer. */
async function sendTo(answer: Scripted): Promise<SendResult> {
  const { client } = await started();
  platform.script('a2a', answer);
  return client.send(turnFor(platform), NEVER);
}

const rpc = (result: unknown): Scripted => ({ json: { jsonrpc: '2.0', id: '1', result } });
const parts = [{ kind: 'text', text: 'the answer' }];
const ANSWERED: SendResult = { kind: 'answered', text: 'the answer' };

describe('the request', () => {
  test('MOL-A2A-01, MOL-CC-03: is a message/send with parts, and says in its metadata where it came from', async () => {
    const { client } = await started();
    const turn = turnFor(platform);
    await client.send(turn, NEVER);
    expect(platform.callsOf('a2a')[0]).toMatchObject({
      path: `/workspaces/${platform.target}/a2a`,
      body: {
        jsonrpc: '2.0',
        id: turn.messageId,
        method: 'message/send',
        params: {
          message: {
            role: 'user',
            messageId: turn.messageId,
            parts: [{ kind: 'text', text: expect.stringMatching(/\nhello$/) }],
          },
          metadata: { chat_id: 'oc_1', sender_open_id: 'ou_1', message_id: 'om_1' },
        },
      },
    });
  });

  test('MOL-A2A-05: the chat is the context of its turns', async () => {
    const { client } = await started();
    for (const _ of [1, 2]) await client.send(turnFor(platform), NEVER);
    expect(platform.turns.map(({ contextId }) => contextId)).toEqual(['oc_1', 'oc_1']);
  });

  test('MOL-A2A-09: all that an agent needs is in the text too, for one that gets only that', async () => {
    const { client } = await started();
    await client.send(turnFor(platform), NEVER);
    expect(platform.turns[0]?.text).toBe(
      '[lark-channel] brand=feishu chat_id=oc_1 chat_type=p2p sender_open_id=ou_1 message_id=om_1\nhello',
    );
  });

  test('LCM-OUT-09: the header line carries the token, and the next line may ask for it', async () => {
    const { client } = await started();
    for (const isAskedFor of [false, true]) {
      await client.send(turnFor(platform, { reply: { token: 'k3m9x2p7', isAskedFor } }), NEVER);
    }
    const [plain, asking] = platform.turns.map(({ text }) => text.split('\n'));
    expect(plain).toEqual([expect.stringMatching(/ reply_token=k3m9x2p7$/), 'hello']);
    expect(asking).toEqual([plain?.[0], expect.stringContaining('[re:k3m9x2p7]'), 'hello']);
  });

  test('MOL-A2A-06: no time to live is asked for: a queued turn waits as long as it takes', async () => {
    const { client } = await started();
    await client.send(turnFor(platform), NEVER);
    expect(platform.turns[0]?.request).toHaveProperty('params.message');
    expect(platform.turns[0]?.request).not.toHaveProperty('params.expires_in_seconds');
  });

  test('MOL-A2A-08: each goes over a connection of its own, which nobody can have closed before', async () => {
    const { client } = await started();
    for (const _ of [1, 2, 3]) await client.send(turnFor(platform), NEVER);
    const ports = platform.callsOf('a2a').map(({ port }) => port);
    expect(new Set(ports).size).toBe(3);
    expect(platform.callsOf('a2a')[0]?.headers.connection).toBe('close');
  });
});

describe('an answer at once', () => {
  test.each([
    ['the message', { kind: 'message', parts }],
    [
      'the message of the status',
      { kind: 'task', status: { state: 'completed', message: { parts } } },
    ],
    ['the artifacts', { kind: 'task', status: { state: 'completed' }, artifacts: [{ parts }] }],
  ])('MOL-RES-01, LCM-OUT-03: its text is in the parts of %s', async (_where, result) => {
    expect(await sendTo(rpc(result))).toEqual(ANSWERED);
  });

  test('MOL-RES-01, MOL-A2A-02: parts may be many, of the old form, or files, whose names are kept', async () => {
    const mixed = [
      { type: 'text', text: 'one' },
      { kind: 'file', file: { uri: 'https://files/1', name: 'a.txt', mimeType: 'text/plain' } },
      { kind: 'text', text: 'two' },
    ];
    expect(await sendTo(rpc({ parts: mixed }))).toEqual({
      kind: 'answered',
      text: 'one\ntwo',
      files: ['a.txt'],
    });
  });

  test.each([
    ['a name', { file: { bytes: 'aGk=', name: 'report.pdf', mimeType: 'application/pdf' } }],
    ['an address alone', { file: { uri: 'https://files/x/report.pdf?token=1' } }],
    ['a name in another writing', { file: { uri: 'workspace:/r', name: ' report.pdf\n' } }],
    ['the form of A2A 1.0', { kind: undefined, url: 'https://files/1', filename: 'report.pdf' }],
  ])('MOL-A2A-02, LCM-OUT-11: a file with %s has a name', async (_how, file) => {
    const one = { kind: 'file', ...file };
    expect(await sendTo(rpc({ kind: 'message', parts: [one] }))).toEqual({
      kind: 'answered',
      text: '',
      files: ['report.pdf'],
    });
  });

  test('MOL-A2A-02, LCM-OUT-11: files count wherever they are in a task, each once', async () => {
    const file = (name: string) => ({ kind: 'file', file: { uri: `https://files/${name}`, name } });
    const result = {
      kind: 'task',
      status: { state: 'completed', message: { parts: [...parts, file('a.txt')] } },
      artifacts: [{ parts: [file('a.txt')] }, { parts: [file('b.txt'), file('c.txt')] }],
    };
    expect(await sendTo(rpc(result))).toEqual({ ...ANSWERED, files: ['a.txt', 'b.txt', 'c.txt'] });
  });

  test.each(['submitted', 'working', 'TASK_STATE_WORKING', 'unknown', 'something new'])(
    'MOL-RES-16: a task that is %s is taken and not answered, whatever text it carries',
    async (state) => {
      const task = { kind: 'task', status: { state, message: { parts } }, artifacts: [{ parts }] };
      expect(await sendTo(rpc(task))).toEqual({ kind: 'accepted_uncorrelated' });
      expect(await sendTo(rpc({ task }))).toEqual({ kind: 'accepted_uncorrelated' });
      const failure = [{ kind: 'text', text: 'Agent error: not yet' }];
      const broken = { kind: 'task', status: { state, message: { parts: failure } } };
      expect(await sendTo(rpc(broken))).toEqual({ kind: 'accepted_uncorrelated' });
    },
  );

  test.each([
    ['input-required', 'input'],
    ['auth-required', 'sign_in'],
    ['TASK_STATE_INPUT_REQUIRED', 'input'],
  ])('MOL-RES-16: a task that is %s asks the person', async (state, wants) => {
    expect(await sendTo(rpc({ kind: 'task', status: { state, message: { parts } } }))).toEqual({
      kind: 'question',
      wants,
      text: 'the answer',
    });
  });

  test('MOL-RES-01: no parts are an empty answer, which the chat is told', async () => {
    expect(await sendTo(rpc({ kind: 'message', parts: [] }))).toEqual({
      kind: 'answered',
      text: '',
    });
  });

  test.each(['failed', 'canceled', 'rejected'])('a task that ended as %s failed', async (state) => {
    expect(await sendTo(rpc({ kind: 'task', status: { state, message: { parts } } }))).toEqual({
      kind: 'failed',
      detail: 'the answer',
    });
  });

  test.each([
    ['[re:k3m9x2p7] the answer', 'the answer'],
    ['[re:projects] are late', '[re:projects] are late'],
  ])('LCM-OUT-09: a token is not shown, a word in its place is: %j', async (said, text) => {
    const result = { kind: 'message', parts: [{ kind: 'text', text: said }] };
    expect(await sendTo(rpc(result))).toEqual({ kind: 'answered', text });
  });

  test('MOL-RES-02: an error of JSON-RPC is a failure in its words', async () => {
    const answer = {
      json: { jsonrpc: '2.0', id: '1', error: { code: -32000, message: 'no model' } },
    };
    expect(await sendTo(answer)).toEqual({ kind: 'failed', detail: 'no model' });
  });

  test('MOL-RES-02: so is a text that begins with "Agent error:"', async () => {
    const said = [{ kind: 'text', text: 'Agent error: out of memory' }];
    expect(await sendTo(rpc({ parts: said }))).toEqual({ kind: 'failed', detail: 'out of memory' });
  });
});

describe('an answer later on', () => {
  test('MOL-RES-03, LCM-OUT-04: a target that polls takes it without saying which answer will be its own', async () => {
    const json = { status: 'queued', delivery_mode: 'poll', method: 'message/send' };
    expect(await sendTo({ json })).toEqual({ kind: 'accepted_uncorrelated' });
  });

  test('MOL-RES-04: a busy target names a queue item', async () => {
    const json = { queued: true, queue_id: 'q-1', queue_depth: 1, message: 'workspace agent busy' };
    expect(await sendTo({ status: 202, json })).toEqual({ kind: 'accepted', ticket: 'q-1' });
  });

  test('MOL-RES-05: so does one that boots', async () => {
    const queued = { queued: true, queue_id: 'q-1', queue_depth: 1 };
    const json = { status: 'queued', method: 'message/send', ...queued };
    expect(await sendTo({ json })).toEqual({ kind: 'accepted', ticket: 'q-1' });
  });

  test('MOL-RES-06: what the platform goes on with by itself is taken', async () => {
    const json = { status: 'queued', delivery_mode: 'push-async', method: 'message/send' };
    expect(await sendTo({ json })).toEqual({ kind: 'accepted_uncorrelated' });
  });

  test.each([
    [
      'queued before all',
      { queued: true, queue_id: 'q', result: { parts } },
      { kind: 'accepted', ticket: 'q' },
    ],
    [
      'status and mode before the result',
      { status: 'queued', delivery_mode: 'poll', result: { parts } },
      { kind: 'accepted_uncorrelated' },
    ],
    ['the result, if the mode is missing', { status: 'queued', result: { parts } }, ANSWERED],
    ['the result before the error', { result: { parts }, error: { message: 'x' } }, ANSWERED],
  ])('MOL-RES-07: %s', async (_name, json, meant) => {
    expect(await sendTo({ json })).toEqual(meant);
  });

  test.each([[], 'text', 7, null, {}, { result: null }, { queued: 'true' }, { status: 'queued' }])(
    'MOL-RES-07: %j is told as it is, and nothing is thrown',
    async (json) => {
      expect(await sendTo({ json })).toMatchObject({ kind: 'unknown' });
    },
  );
});

describe('no', () => {
  test.each([
    ['MOL-RES-08', 400, 'invalid JSON', 'invalid JSON'],
    ['MOL-RES-08', 402, 'budget', 'the budget of the workspace is used up'],
    ['MOL-RES-08', 404, 'workspace not found', 'workspace not found'],
    ['MOL-A2A-07', 413, 'request body too large', 'it is too large for the hub'],
    [
      'MOL-RES-09',
      403,
      'access denied: workspaces cannot communicate per hierarchy rules',
      'access denied: workspaces cannot communicate per hierarchy rules',
    ],
  ])('%s: HTTP %i is for good, and told in words', async (_row, status, words, detail) => {
    expect(await sendTo(error(status, words))).toEqual({ kind: 'refused', detail });
  });

  test('MOL-RES-09: the operator is told what to do', async () => {
    const { client, log } = await started();
    platform.mayTalk = false;
    await client.send(turnFor(platform), NEVER);
    expect(log.lines).toEqual([
      {
        level: 'warn',
        event: 'turn_not_taken',
        turn: 'om_1',
        target: platform.target,
        as: 'refused',
        detail: expect.stringContaining('hierarchy'),
        next: expect.stringContaining('organisation'),
      },
    ]);
  });

  test('MOL-RES-08: a token that is missing or wrong leaves the turn as it is, for later', async () => {
    expect(await sendTo(error(401, 'missing caller auth token'))).toMatchObject({
      kind: 'busy',
      retryAfterMs: 30_000,
    });
  });

  test.each([
    ['an empty 404 of the edge', { status: 404, text: '' }],
    ['a web page in place of the hub', { text: '<!doctype html><title>Canvas</title>' }],
    ['a web page of a gateway', { status: 404, text: '<html>nginx</html>' }],
    ['a redirect', { status: 301, headers: { location: 'https://x/' }, text: '' }],
  ])('MOL-HDR-02: %s lets nothing through; the turn stays as it is', async (_name, answer) => {
    expect(await sendTo(answer)).toMatchObject({ kind: 'busy', retryAfterMs: 30_000 });
  });

  test.each(['failed to reach workspace agent'])(
    'MOL-RES-10: "%s" is sent again',
    async (words) => {
      expect(await sendTo(error(502, words))).toMatchObject({ kind: 'busy', detail: words });
    },
  );

  test('MOL-RES-10: an address that nobody can reach is for good', async () => {
    const words = 'workspace URL is not publicly routable';
    expect(await sendTo(error(502, words))).toEqual({ kind: 'refused', detail: words });
  });

  test('MOL-RES-10: what was delivered is never sent again', async () => {
    const json = { error: 'failed to read the body', delivery_confirmed: true };
    expect(await sendTo({ status: 502, json })).toMatchObject({ kind: 'unknown' });
  });

  test.each([
    ['a 502 of a gateway', { status: 502, text: '<html>Bad Gateway</html>' }],
    ['a 504', { status: 504, text: '<html>Gateway Time-out</html>' }],
    ['a 500', error(500, 'internal error')],
  ])('%s says nothing about the turn', async (_name, answer) => {
    expect(await sendTo(answer)).toMatchObject({ kind: 'unknown' });
  });

  test.each([
    ['restarts', { error: 'restarting', restarting: true }, {}, 5_000],
    ['is busy', { error: 'busy', busy: true, retry_after: 30 }, { 'retry-after': '30' }, 30_000],
    ['wakes', { waking: true, retry_after: 15 }, {}, 15_000],
    ['warms up', { warming: true, retry_after: 5 }, {}, 5_000],
    ['has no address', { error: 'workspace has no URL', status: 'offline' }, {}, 5_000],
    ['says nonsense', { busy: true, retry_after: 'soon' }, {}, 5_000],
    ['says never', { busy: true, retry_after: 1e9 }, {}, 300_000],
  ])('MOL-RES-11: a target that %s gets it again', async (_name, json, headers, retryAfterMs) => {
    expect(await sendTo({ status: 503, json, headers })).toMatchObject({
      kind: 'busy',
      retryAfterMs,
    });
  });

  test('too many requests are slowed down', async () => {
    const answer = { status: 429, headers: { 'retry-after': '7' }, text: '' };
    expect(await sendTo(answer)).toMatchObject({ kind: 'busy', retryAfterMs: 7_000 });
  });

  test('MOL-RES-12: a 2xx with an empty body is no answer', async () => {
    expect(await sendTo({ text: '' })).toEqual({
      kind: 'unknown',
      detail: 'the hub gave an answer that it should not (HTTP 200 with no body)',
    });
  });
});

describe('a turn that is sent again', () => {
  test('MOL-A2A-04: is the same message to the platform', async () => {
    const { client } = await started();
    platform.script('a2a', {
      late: true,
      act: (request) => void request.socket.destroy(),
    });
    const turn = turnFor(platform);
    expect(await client.send(turn, NEVER)).toMatchObject({ kind: 'unknown' });
    expect(await client.send(turn, NEVER)).toEqual({ kind: 'accepted_uncorrelated' });
    expect(platform.turns).toHaveLength(1);
    expect(platform.callsOf('a2a')).toHaveLength(2);
  });

  test('its target may be any that answers', async () => {
    platform.mode = 'sync';
    platform.answer = () => messageResult('hi');
    const { client } = await started();
    expect(await client.send(turnFor(platform), NEVER)).toEqual({ kind: 'answered', text: 'hi' });
  });
});

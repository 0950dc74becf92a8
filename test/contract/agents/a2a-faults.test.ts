/** What agents elsewhere, and the network before them, do that they should not. */
import { createServer, type Server } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openId } from '../../../src/core/ids.ts';
import { OutputFolders } from '../../../src/agents/output-folders.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { closed, listening } from './a2a-agents.ts';
import { artifactUpdate, rawAgent, statusUpdate, task } from './a2a-raw-agent.ts';
import { a2aRig, agentOf } from './a2a-rig.ts';

const by = openId('ou_1');
const failed = (detail: string) => ({ ok: false, reason: 'failed', detail });
const sendsOf = (asked: readonly string[]) => asked.filter((one) => /Send|message\//.test(one));

describe('a lost connection', () => {
  test.each(['1.0', '0.3'] as const)(
    'in the middle of the work of a %s agent costs no word, and nothing is sent twice',
    async (version) => {
      let goOn = () => {};
      const agent = await agentOf(
        async (talk) => {
          talk.open().artifact('a', [{ text: 'one ' }]);
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
          talk.artifact('a', [{ text: 'two' }], true).status('TASK_STATE_COMPLETED');
        },
        { version },
      );
      const { result, updates } = (await a2aRig(agent.url)).prompt('go');
      await expect.poll(() => updates.length).toBe(1);
      agent.breakOff();
      const again = version === '1.0' ? 'SubscribeToTask' : 'tasks/resubscribe';
      await expect.poll(() => agent.called).toContain(again);
      agent.breakOff();
      await expect.poll(() => agent.called.filter((one) => one === again).length).toBe(2);
      goOn();
      expect(await result).toEqual({ ok: true, text: 'one two' });
      expect(agent.messages).toHaveLength(1);
      expect(sendsOf(agent.called)).toHaveLength(1);
    },
  );

  test('to an agent that tells no more is made good by asking', async () => {
    let looks = 0;
    const agent = await rawAgent(({ call, events, result, response, breakOff }) => {
      if (call.method === 'SendStreamingMessage') {
        events({ task: task('WORKING') }, artifactUpdate('ha'));
        breakOff();
      } else if (call.method === 'GetTask') {
        looks += 1;
        result(looks < 3 ? task('WORKING', 'half') : task('COMPLETED', 'half and whole'));
      } else {
        response.setHeader('content-type', 'application/json');
        const error = { code: -32_004, message: 'no streams here' };
        response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error }));
      }
    });
    const { result, updates } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual({ ok: true, text: 'half and whole' });
    // It is not asked for a stream again.
    expect(agent.asked.slice(1)).toEqual([
      'SendStreamingMessage',
      'GetTask',
      'SubscribeToTask',
      'GetTask',
      'GetTask',
    ]);
    expect(updates.at(-1)).toEqual({ kind: 'text_added', text: ' and whole' });
  });

  test('before its first word ends the turn, because it may be at work', async () => {
    const agent = await rawAgent(({ response }) => response.destroy());
    const { result } = (await a2aRig(agent.url)).prompt('go');
    const detail = 'The connection to the agent was lost, and the agent may still be at work.';
    expect(await result).toEqual(failed(detail));
    expect(sendsOf(agent.asked)).toHaveLength(1);
  });

  test('while an answer is sent: the question is asked again if the agent has not got it', async () => {
    let sends = 0;
    const asking = () => task('INPUT_REQUIRED', undefined, { message: question });
    const question = { messageId: 'q', role: 'ROLE_AGENT', parts: [{ text: 'Which?' }] };
    const agent = await rawAgent(({ call, events, result, response }) => {
      if (call.method === 'GetTask') return result(asking());
      sends += 1;
      if (sends === 1) return events({ task: asking() });
      if (sends === 2) return response.destroy();
      return events(artifactUpdate('blue it is'), statusUpdate('COMPLETED'));
    });
    const { run, result, questions } = (await a2aRig(agent.url)).prompt('go');
    for (const count of [1, 2]) {
      await expect.poll(() => questions().length).toBe(count);
      run.answer(questions().at(-1)?.id ?? '', { kind: 'said', text: 'blue', by });
    }
    expect(await result).toEqual({ ok: true, text: 'blue it is' });
    expect(sends).toBe(3);
  });

  test('for good ends the turn in words, after many tries', async () => {
    const agent = await rawAgent(({ call, events, breakOff }) => {
      if (call.method === 'SendStreamingMessage') events({ task: task('WORKING') });
      breakOff();
    });
    // Waits for the next try end at once, and limits never.
    const after = (delayMs: number, run: () => void) =>
      delayMs <= 30_000 ? systemClock.after(0, run) : () => {};
    const clock = { nowMs: () => 0, after };
    const { result } = (await a2aRig(agent.url, { clock })).prompt('go');
    const detail = 'The connection to the agent was lost, and the agent may still be at work.';
    expect(await result).toEqual(failed(detail));
    expect(agent.asked.filter((one) => one === 'GetTask')).toHaveLength(25);
    expect(sendsOf(agent.asked)).toHaveLength(1);
  });
});

describe('an agent that can not be reached', () => {
  test('is tried again, and gets the message when it is back', async () => {
    const first = createServer();
    const url = await listening(first);
    await closed(first);
    let tries = 0;
    const { result } = (
      await a2aRig(url, {
        clock: {
          nowMs: () => 0,
          after(_delayMs, tryAgain) {
            tries += 1;
            void isBack.then(tryAgain);
            return () => {};
          },
        },
      })
    ).prompt('go');
    const isBack = expect
      .poll(() => tries)
      .toBe(1)
      .then(async () => {
        const agent = await rawAgent(
          ({ events }) => events({ message: message('back') }),
          () => ({}),
          Number(new URL(url).port),
        );
        return agent;
      });
    expect(await result).toEqual({ ok: true, text: 'back' });
    expect(sendsOf((await isBack).asked)).toHaveLength(1);
  });

  test('at all is told in words, after some tries', async () => {
    const first = createServer();
    const url = await listening(first);
    await closed(first);
    const { runtime, prompt } = await a2aRig(url);
    // The hub asks until it can be.
    expect(await prompt('go').result).toEqual({
      ...failed('The agent could not be reached.'),
      isUnreachable: true,
    });
    expect(await runtime.reaches()).toBe(false);
    await rawAgent(
      () => {},
      () => ({}),
      Number(new URL(url).port),
    );
    expect(await runtime.reaches()).toBe(true);
  });

  test('any more at the address of its card, which has changed: the new one is read', async () => {
    const agent = await rawAgent(({ request, response, events }) => {
      if (request.url === '/new') return events({ message: message('moved on') });
      agent.card = cardWith({ url: '/new' });
      response.statusCode = 404;
      return response.end();
    });
    const { result } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual({ ok: true, text: 'moved on' });
    expect(sendsOf(agent.asked)).toHaveLength(2);
  });

  test.each([
    [500, "The agent's server has trouble."],
    [503, "The agent's server has trouble."],
    [401, 'The agent wants a login, or does not accept the token of the bridge.'],
    [403, 'The agent wants a login, or does not accept the token of the bridge.'],
    [302, "Nothing speaks A2A at the agent's address any more."],
  ])('and answers with HTTP %i is told in words', async (status, detail) => {
    const elsewhere = await listener();
    const agent = await rawAgent(({ response }) => {
      response.writeHead(status, { location: elsewhere.url });
      response.end('<html>');
    });
    const { result } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toMatchObject(failed(detail));
    expect(elsewhere.count()).toBe(0);
  });
});

describe('what is no A2A', () => {
  test.each([
    ['an empty card', ''],
    ['a page', '<html>'],
    ['a list', []],
    ['a card without a name', { supportedInterfaces: [] }],
  ])('%s is refused in words', async (_what, card) => {
    await refused(card, "The agent's card can't be used: it is no card of an agent.");
  });

  test.each([
    ['for gRPC only', [{ url: '/rpc', protocolBinding: 'GRPC', protocolVersion: '1.0' }]],
    ['of another version', [{ url: '/rpc', protocolBinding: 'JSONRPC', protocolVersion: '2.0' }]],
    ['with a wrong address', [{ url: 7, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }]],
    ['of a file', [{ url: 'file:///etc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }]],
    ['of nothing', [null, 7, 'x']],
  ])('a card %s is refused in words', async (_what, supportedInterfaces) => {
    const detail =
      "The agent's card can't be used: it names no address that speaks A2A 1.0 or 0.3.";
    await refused({ name: 'x', supportedInterfaces }, detail);
  });

  test('a card that is too large is not read to its end', async () => {
    const card = { name: 'x'.repeat(1024 * 1024) };
    await refused(card, "The agent's answer is too large.");
  });

  async function refused(card: unknown, detail: string) {
    const agent = await rawAgent(() => {});
    agent.card = card;
    const { result } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual(failed(detail));
    expect(sendsOf(agent.asked)).toEqual([]);
  }

  test.each([
    ['no JSON', 'data: {\n\n'],
    ['no result', 'data: {"jsonrpc":"2.0","id":1}\n\n'],
    ['the answer to another call', 'data: {"jsonrpc":"2.0","id":99,"result":{}}\n\n'],
  ])('a stream with %s ends the turn in words', async (_what, body) => {
    const agent = await rawAgent(({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(body);
    });
    const { result } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual(failed('The agent answered in a form that is not A2A.'));
  });

  test('events of an unknown kind and states of a newer protocol are left out while it works', async () => {
    const agent = await rawAgent(({ events }) => {
      events({ dream: {} }, { task: task('WORKING') }, statusUpdate('DAYDREAMING'));
      events(artifactUpdate('there'), statusUpdate('COMPLETED'));
    });
    const { result } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual({ ok: true, text: 'there' });
  });

  test('a task that stays in an unknown state ends with what was said of the answer, and says so', async () => {
    const agent = await rawAgent(({ call, events, result, response }) => {
      if (call.method === 'GetTask') return result(task('DAYDREAMING', 'half'));
      events({ task: task('DAYDREAMING') });
      return response.end();
    });
    const { result } = (await a2aRig(agent.url)).prompt('go');
    const warning =
      'The agent ended in a way that the bridge does not know, so its answer may not be complete.';
    expect(await result).toEqual({ ok: true, text: 'half', warning });
  });

  test('a task that nobody knows any more ends the turn in words', async () => {
    const agent = await rawAgent(({ call, events, response }) => {
      if (call.method !== 'GetTask') {
        events({ task: task('WORKING') });
        return response.end();
      }
      response.setHeader('content-type', 'application/json');
      const error = { code: -32_001, message: 'gone' };
      return response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error }));
    });
    const { result } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual(failed('The agent does not know its work on this any more.'));
  });
});

describe('R28', () => {
  test('an answer larger than 48 MB is not read to its end, and its work is stopped', async () => {
    const agent = await rawAgent(
      ({ call, response, result }) => {
        if (call.method === 'CancelTask') return result(task('CANCELED'));
        if (call.method === 'SendMessage') return result({ task: task('WORKING') });
        response.setHeader('content-type', 'application/json');
        const block = Buffer.alloc(1024 * 1024, 'x');
        const write = () => {
          while (!response.destroyed && response.write(block));
        };
        response.on('drain', write);
        return write();
      },
      () => ({ capabilities: {} }),
    );
    const { result } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual(failed("The agent's answer is too large."));
    expect(agent.asked).toContain('CancelTask');
  });

  test('what is too large for a stream is asked for', async () => {
    const file = { raw: 'x'.repeat(6 * 1024 * 1024), filename: 'large' };
    const agent = await rawAgent(({ call, events, result }) => {
      if (call.method === 'GetTask') {
        const artifacts = [{ artifactId: 'a', parts: [{ text: 'Here' }, file] }];
        return result({ ...task('COMPLETED'), artifacts });
      }
      return events({ task: task('WORKING') }, artifactUpdate(file.raw));
    });
    const outputs = new OutputFolders({ folder: temporaryFolder(), log: silentLog });
    const { result } = (await a2aRig(agent.url, { outputs })).prompt('go');
    expect(await result).toMatchObject({
      ok: true,
      text: 'Here',
      attached: { files: [{ name: 'large' }] },
    });
    expect(agent.asked.slice(1)).toEqual(['SendStreamingMessage', 'GetTask']);
  });

  test('very many pieces make one answer', async () => {
    const agent = await rawAgent(({ events }) => {
      events({ task: task('WORKING') }, artifactUpdate('.'));
      events(...Array.from({ length: 19_999 }, () => artifactUpdate('.', true)));
      events(statusUpdate('COMPLETED'));
    });
    const { result, updates } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual({ ok: true, text: '.'.repeat(20_000) });
    expect(updates).toHaveLength(20_000);
  });

  test('a server that never ends a line can be stopped at once', async () => {
    for (const place of ['card', 'answer']) {
      const slow = createServer((request, response) => {
        if (place === 'answer' && request.method === 'GET') {
          response.end(JSON.stringify(cardWith({ url: '/rpc' })));
          return;
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const timer = setInterval(() => response.write(':'), 10);
        response.on('close', () => clearInterval(timer));
      });
      const { url } = await listener(slow);
      const { run, result } = (await a2aRig(url)).prompt('go');
      run.cancel();
      expect(await result).toMatchObject({ ok: false, reason: 'cancelled' });
    }
  });
});

describe('addresses', () => {
  test('an agent of this machine has to be named as one', async () => {
    const agent = await rawAgent(() => {});
    const spec = { kind: 'a2a', url: agent.url } as const;
    const rig = await a2aRig(agent.url, { spec: { ...spec, isPrivate: undefined as never } });
    const detail =
      "The agent's address belongs to this machine or its network, which has to be named when the agent is added.";
    expect(await rig.prompt('go').result).toEqual(failed(detail));
    expect(agent.asked).toEqual([]);
  });

  test('a card can not lead to another address of this machine, named or not', async () => {
    const other = await listener();
    const agent = await rawAgent(() => {});
    for (const [url, detail] of [
      [other.url, "The agent's card can't be used: it names an address that may not be used."],
      [other.url.replace('http:', 'https:'), PRIVATE],
      [other.url.replace('http://127.0.0.1', 'https://localhost'), PRIVATE],
    ] as const) {
      agent.card = cardWith({ url });
      const { result } = (await a2aRig(agent.url)).prompt('go');
      expect(await result).toEqual(failed(detail));
    }
    expect(other.count()).toBe(0);
  });

  test('a token does not go over the open internet for all to read', async () => {
    const rig = await a2aRig('http://agent.example', {
      spec: { isPrivate: undefined as never, tokenVariable: 'T' },
      env: { T: 'a2a-secret-value-1234' },
    });
    const detail =
      "The agent's address is not protected (http), so the bridge does not send its token there.";
    expect(await rig.prompt('go').result).toEqual(failed(detail));
  });

  test('of cards: the address of the card itself, or the one below which it is', async () => {
    const agent = await rawAgent(({ events }) => events({ message: message('hi') }));
    for (const path of ['', '/', '/.well-known/agent-card.json']) {
      const { result } = (await a2aRig(`${agent.url}${path}`)).prompt('go');
      expect(await result).toEqual({ ok: true, text: 'hi' });
    }
    const card = createServer((request, response) => {
      response.statusCode = request.url === '/about' ? 200 : 404;
      response.end(request.url === '/about' ? JSON.stringify(agent.card) : '');
    });
    const { url } = await listener(card);
    const { result } = (await a2aRig(`${url}/about`)).prompt('go');
    expect(await result).toEqual(
      failed("The agent's card can't be used: it names an address that may not be used."),
    );
  });
});

test('an agent that speaks HTTP and JSON without JSON-RPC answers too', async () => {
  const agent = await rawAgent(
    ({ request, response, call }) => {
      if (request.url === '/v1/message:stream') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify({ task: task('WORKING') })}\n\n`);
        response.end();
        return;
      }
      expect(call).toEqual({});
      response.setHeader('content-type', 'application/a2a+json');
      response.end(JSON.stringify(task('COMPLETED', 'by HTTP')));
    },
    (url) => ({
      supportedInterfaces: [
        { url: 'grpc://x', protocolBinding: 'GRPC', protocolVersion: '1.0' },
        { url: `${url}/v1`, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
        { url: `${url}/old`, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
      ],
    }),
  );
  const { result } = (await a2aRig(agent.url)).prompt('go');
  expect(await result).toEqual({ ok: true, text: 'by HTTP' });
  expect(agent.asked).toContain('GET /v1/tasks/task-1?historyLength=0');
});

test('a card is read again after a while, and not for each turn', async () => {
  const agent = await rawAgent(({ events }) => events({ message: message('hi') }));
  let nowMs = 0;
  const rig = await a2aRig(agent.url, {
    clock: { nowMs: () => nowMs, after: () => () => {} },
  });
  const cards = () => agent.asked.filter((one) => one.startsWith('GET')).length;
  for (const [atMs, count] of [
    [0, 1],
    [60_000, 1],
    [301_000, 2],
    // Somebody has set the clock back.
    [1_000, 3],
  ] as const) {
    nowMs = atMs;
    await rig.prompt('go').result;
    expect(cards()).toBe(count);
  }
});

const PRIVATE =
  "The agent's address belongs to this machine or its network, which has to be named when the agent is added.";

function message(text: string) {
  return { messageId: 'm', contextId: 'c', role: 'ROLE_AGENT', parts: [{ text }] };
}

function cardWith(address: object) {
  const supportedInterfaces = [{ protocolBinding: 'JSONRPC', protocolVersion: '1.0', ...address }];
  return { name: 'Raw', supportedInterfaces, capabilities: { streaming: true } };
}

/** A server that counts its connections. */
async function listener(
  server: Server = createServer((_request, response) => void response.end()),
) {
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const url = await listening(server);
  onTestFinished(() => closed(server));
  return { url, count: () => connections };
}

/** What becomes of turns at an agent elsewhere that was built with the official SDK. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OutputFolders } from '../../../src/agents/output-folders.ts';
import { openId } from '../../../src/core/ids.ts';
import { fasterClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { SESSION, THREAD } from './a2a-turn-samples.ts';
import { exampleAgent } from '../../fixtures/a2a-example.ts';
import { closed, listening, type Talk } from './a2a-agents.ts';
import { a2aRig, agentOf } from './a2a-rig.ts';

const by = openId('ou_1');
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

describe.each(['1.0', '0.3'] as const)('an agent that speaks A2A %s', (version) => {
  test('R23: its id of the conversation is stored at its first word, and it gets it with the next turn', async () => {
    let keptBeforeEnd: number | undefined;
    const agent = await agentOf(
      async (talk) => {
        talk.open();
        if (keptBeforeEnd === undefined) await expect.poll(() => first.kept.length).toBe(1);
        keptBeforeEnd ??= first.kept.length;
        talk.artifact('a', [{ text: 'done' }]).status('TASK_STATE_COMPLETED');
      },
      { version },
    );
    const rig = await a2aRig(agent.url);
    const first = rig.prompt('one', { session: SESSION });
    expect(await first.result).toEqual({ ok: true, text: 'done' });
    const [nativeId = ''] = first.kept;
    const second = rig.prompt('two', { session: { ...SESSION, nativeId }, turnId: 'turn-2' });
    expect(await second.result).toEqual({ ok: true, text: 'done' });
    expect(agent.messages.map(({ contextId }) => contextId)).toEqual([nativeId, nativeId]);
    expect(agent.messages.map(({ messageId }) => messageId)).toEqual(['turn-1', 'turn-2']);
    // What is stored already is not stored again.
    expect([first.kept, second.kept]).toEqual([[nativeId], []]);
  });

  test('what it does is told while it works, and its answer grows', async () => {
    const agent = await agentOf(
      (talk) => {
        talk.open().status('TASK_STATE_WORKING', { text: 'Reading' });
        talk.artifact('a', [{ text: 'Hel' }]).artifact('a', [{ text: 'lo' }], true);
        talk.artifact('b', [
          { text: 'More' },
          { url: 'https://example.com/a b>c', filename: 'a]b' },
        ]);
        talk.artifact('c', [{ data: { n: 1 } }, { url: 'javascript:alert(1)' }]);
        talk.status('TASK_STATE_COMPLETED', { text: 'That is all.' });
      },
      { version },
    );
    const { result, updates } = (await a2aRig(agent.url)).prompt('go');
    // In 0.3 a part of a link has a name too.
    const link = '[a b](<https://example.com/a%20b%3Ec>)';
    const text = `Hello\n\nMore\n\n${link}\n\n\n\n\n\n\`\`\`json\n{\n  "n": 1\n}\n\`\`\`\n\n\n\nThat is all.`;
    expect(await result).toEqual({ ok: true, text });
    expect(updates.slice(0, 3)).toEqual([
      { kind: 'status', text: 'Reading' },
      { kind: 'text_added', text: 'Hel' },
      { kind: 'text_added', text: 'lo' },
    ]);
    const shown = updates.map((update) => (update.kind === 'text_added' ? update.text : ''));
    expect(shown.join('')).toBe(text);
  });

  test('an artifact that is made anew replaces what was shown of it', async () => {
    const agent = await agentOf(
      (talk) => {
        talk
          .open()
          .artifact('a', [{ text: 'draft' }])
          .artifact('a', [{ text: 'final' }]);
        talk.status('TASK_STATE_COMPLETED', { text: 'final' });
      },
      { version },
    );
    const { result, updates } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual({ ok: true, text: 'final' });
    expect(updates).toEqual([
      { kind: 'text_added', text: 'draft' },
      { kind: 'text_replaced', text: 'final' },
    ]);
  });

  test('a message without a task is the answer', async () => {
    const agent = await agentOf((talk) => void talk.answer({ text: 'Hi' }), { version });
    const { result, kept } = (await a2aRig(agent.url)).prompt('go', { session: SESSION });
    expect(await result).toEqual({ ok: true, text: 'Hi' });
    expect(kept).toEqual([expect.any(String)]);
  });

  test('files go both ways', async () => {
    const folder = temporaryFolder();
    const sent = join(folder, 'sent.txt');
    writeFileSync(sent, 'from the person');
    const agent = await agentOf(
      (talk) => {
        const raw = talk.parts.at(-1) as { raw: string; filename: string; mediaType: string };
        const { raw: bytes, filename, mediaType } = raw;
        talk.open().artifact('a', [{ raw: bytes, filename: `${filename} (${mediaType})` }]);
        talk.artifact('b', [{ raw: PNG.toString('base64'), filename: '../../p.png' }]);
        talk.artifact('c', [{ raw: '', filename: 'nothing' }]);
        talk.status('TASK_STATE_COMPLETED', { text: 'Here' });
      },
      { version },
    );
    const outputs = new OutputFolders({ folder: join(folder, 'out'), log: silentLog });
    const attachments = [
      { kind: 'file', name: 'notes.txt', path: sent, mimeType: 'text/plain', bytes: 15 },
    ] as const;
    const { result } = (await a2aRig(agent.url, { outputs })).prompt('go', {
      details: { attachments },
    });
    const end = await result;
    expect(end).toMatchObject({ ok: true, text: 'Here' });
    const attached = end.ok ? end.attached : undefined;
    expect(attached?.files.map(({ name, kind }) => [name, kind])).toEqual([
      ['notes.txt (text/plain)', 'file'],
      ['../../p.png', 'image'],
    ]);
    expect(attached?.leftOut).toEqual([{ name: 'nothing', why: 'empty' }]);
    expect(attached?.files.map(({ path }) => readFileSync(path))).toEqual([
      Buffer.from('from the person'),
      PNG,
    ]);
  });

  test('R13: two questions, one after the other, are answered with words, and each answer reaches its task', async () => {
    const heard: string[] = [];
    const agent = await agentOf(
      (talk) => {
        heard.push(talk.heard);
        talk.open();
        if (heard.length < 3)
          talk.status('TASK_STATE_INPUT_REQUIRED', { text: `Q${heard.length}?` });
        else talk.artifact('a', [{ text: heard.join(', ') }]).status('TASK_STATE_COMPLETED');
      },
      { version },
    );
    const { run, questions, result } = (await a2aRig(agent.url)).prompt('go');
    await expect.poll(() => questions().length).toBe(1);
    expect(questions()[0]).toMatchObject({ text: 'Q1?', options: [], takesWords: true });
    expect(run.answer(questions()[0]?.id ?? '', { kind: 'said', text: 'blue', by })).toBe(true);
    await expect.poll(() => questions().length).toBe(2);
    const [first, second] = questions();
    expect(second?.text).toBe('Q2?');
    expect(second?.id).not.toBe(first?.id);
    expect(run.answer(first?.id ?? '', { kind: 'said', text: 'late', by })).toBe(false);
    expect(run.answer(second?.id ?? '', { kind: 'expired' })).toBe(true);
    expect(await result).toEqual({ ok: true, text: 'go, blue, Nobody answered in time.' });
    expect(new Set(agent.messages.map(({ taskId }) => taskId)).size).toBe(1);
  });

  test.each([
    ['TASK_STATE_FAILED', 'No disk left.', 'The agent reported a failure: No disk left.'],
    ['TASK_STATE_FAILED', '', 'The agent reported a failure.'],
    ['TASK_STATE_REJECTED', 'not my job', 'The agent declined this: not my job.'],
    ['TASK_STATE_CANCELED', '', 'The agent ended its work on this without an answer.'],
  ] as const)('%s with "%s" is told in words', async (state, words, detail) => {
    const agent = await agentOf(
      (talk) => void talk.open().status(state, ...(words === '' ? [] : [{ text: words }])),
      { version },
    );
    const { result } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual({ ok: false, reason: 'failed', detail });
  });

  test('R11: an agent that wants a login says so, and its work is stopped', async () => {
    const agent = await agentOf(
      (talk) => void talk.open().status('TASK_STATE_AUTH_REQUIRED', { text: 'Open\nthe page' }),
      { version },
    );
    const { result } = (await a2aRig(agent.url)).prompt('go');
    expect(await result).toEqual({
      ok: false,
      reason: 'failed',
      detail: 'The agent wants a login: Open the page.',
      login: { command: undefined },
    });
    expect(agent.cancelled).toHaveLength(1);
  });

  test('R17: a stop reaches the task, and what was said is kept', async () => {
    const agent = await agentOf(
      async (talk, stop) => {
        talk.open().artifact('a', [{ text: 'half' }]);
        await new Promise((resolve) => stop.addEventListener('abort', resolve));
      },
      { version },
    );
    const { run, result, updates } = (await a2aRig(agent.url)).prompt('go');
    await expect.poll(() => updates.length).toBe(1);
    run.cancel();
    const detail = 'The turn was cancelled.';
    expect(await result).toEqual({ ok: false, reason: 'cancelled', detail, text: 'half' });
    expect(agent.cancelled).toHaveLength(1);
  });
});

test('R19: an agent that is deaf to a stop is waited for at most 10 s', async () => {
  const endless = (talk: Talk) => {
    talk.open().status('TASK_STATE_WORKING', { text: 'on and on' });
    return new Promise<void>(() => {});
  };
  const agent = await agentOf(endless, { isDeaf: true });
  const waits: number[] = [];
  const clock = fasterClock(100);
  const { run, result, updates } = (
    await a2aRig(agent.url, {
      clock: {
        nowMs: clock.nowMs,
        after(delayMs, work) {
          waits.push(delayMs);
          return clock.after(delayMs, work);
        },
      },
    })
  ).prompt('go');
  await expect.poll(() => updates.length).toBe(1);
  run.cancel();
  expect(await result).toMatchObject({ ok: false, reason: 'cancelled' });
  expect(waits.map((wait) => Math.round(wait / 1000))).toContain(10);
});

test('a stop before the first word reaches the task as soon as it has an id', async () => {
  let begin = () => {};
  const agent = await agentOf(async (talk, stop) => {
    await new Promise<void>((resolve) => {
      begin = resolve;
    });
    talk.open();
    if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve));
  });
  const { run, result } = (await a2aRig(agent.url)).prompt('go');
  await expect.poll(() => agent.messages.length).toBe(1);
  run.cancel();
  begin();
  expect(await result).toMatchObject({ ok: false, reason: 'cancelled' });
  expect(agent.cancelled).toHaveLength(1);
});

test('the words of the person come first, and then what belongs to them', async () => {
  const agent = await agentOf((talk) => void talk.answer({ text: 'ok' }));
  const { result } = (await a2aRig(agent.url)).prompt('What now?', THREAD, {
    saidBefore: () => Promise.resolve('Ann: remember me'),
  });
  await result;
  const texts = agent.messages[0]?.parts.map(({ content }) => content?.value as unknown);
  expect(texts).toEqual([
    'What now?',
    '[Written by Ann]',
    '[The conversation before, which you do not remember:]\nAnn: remember me',
    '[The messages of the thread before:]\nBob: one\nAnn: two',
    '[The message that this one replies to:]\nBob: one',
  ]);
});

test('R24: an agent that has forgotten the conversation gets a new one with what was said, and people are told', async () => {
  const agent = await agentOf((talk) => void talk.answer({ text: talk.heard }));
  agent.refuse = ({ contextId }) => contextId === 'gone';
  const rig = await a2aRig(agent.url);
  const session = { ...SESSION, nativeId: 'gone' };
  const { result, kept, updates } = rig.prompt(
    'go',
    { session },
    { saidBefore: () => Promise.resolve('before') },
  );
  const text = 'go[The conversation before, which you do not remember:]\nbefore';
  expect(await result).toEqual({ ok: true, text });
  expect(kept).toEqual([undefined, expect.any(String)]);
  expect(updates[0]).toEqual({ kind: 'told', what: { kind: 'memory_lost' } });
});

test('files that are more than an agent is sent, or can not be read, are refused in words, and nothing is sent', async () => {
  const agent = await agentOf((talk) => void talk.answer({ text: 'ok' }));
  const rig = await a2aRig(agent.url);
  const file = { kind: 'file', name: 'a', path: '/nowhere/a', mimeType: 'text/plain' } as const;
  const large = { details: { attachments: [{ ...file, bytes: 21 * 1024 * 1024 }] } };
  expect(await rig.prompt('go', large).result).toMatchObject({
    detail: 'The files of the message are more than 20 MB, which is all that this agent is sent.',
  });
  const missing = { details: { attachments: [{ ...file, bytes: 1 }] } };
  expect(await rig.prompt('go', missing).result).toMatchObject({
    detail: 'The agent could not be given the files of the message.',
  });
  expect(agent.messages).toEqual([]);
});

test('R28: an answer that is too long is cut visibly, and its work is stopped', async () => {
  const agent = await agentOf(async (talk, stop) => {
    talk.open().artifact('a', [{ text: 'x'.repeat(3_000) }]);
    await new Promise((resolve) => stop.addEventListener('abort', resolve));
  });
  const { result } = (await a2aRig(agent.url, { answerBytesMax: 2_048 })).prompt('go');
  const end = await result;
  expect(end).toMatchObject({ ok: true });
  expect(end.ok ? end.text : '').toMatch(/^x{2048}\n\n\[The answer was longer than 2 KB\./);
  expect(agent.cancelled).toHaveLength(1);
});

test('the token is sent as a bearer, and shown to nobody', async () => {
  const token = 'a2a-secret-value-1234';
  const agent = await agentOf(
    (talk) => void talk.open().status('TASK_STATE_FAILED', { text: `I do not like ${token}` }),
  );
  const rig = await a2aRig(agent.url, {
    spec: { tokenVariable: 'AGENT_TOKEN' },
    env: { AGENT_TOKEN: token },
  });
  const { result } = rig.prompt('go');
  const detail = 'The agent reported a failure: I do not like [secret].';
  expect(await result).toEqual({ ok: false, reason: 'failed', detail });
  expect(new Set(agent.headers.map(({ authorization }) => authorization))).toEqual(
    new Set([`Bearer ${token}`]),
  );
  expect(JSON.stringify(rig.log.lines)).not.toContain(token);
});

test('a token that is not set is told to the operator once', async () => {
  const agent = await agentOf((talk) => void talk.answer({ text: 'ok' }));
  const rig = await a2aRig(agent.url, { spec: { tokenVariable: 'AGENT_TOKEN' } });
  expect(await rig.prompt('go').result).toMatchObject({ ok: true });
  expect(rig.log.lines.filter(({ level }) => level === 'warn')).toEqual([
    expect.objectContaining({ event: 'agent_variables_not_set', names: 'AGENT_TOKEN' }),
  ]);
});

test('the agent of the documents answers', async () => {
  const server = exampleAgent('/');
  const url = await listening(server);
  onTestFinished(() => closed(server));
  const { result } = (await a2aRig(url)).prompt('Polly?');
  expect(await result).toEqual({ ok: true, text: 'Polly?' });
});

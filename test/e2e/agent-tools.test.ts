/** The bridge's tools in the hands of an agent, up to the chat; and the program for agents without HTTP. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type * as AgentToolsFile from '../../src/agents/mcp/agent-tools.ts';
import { Directory } from '../../src/hub/domain/directory.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { SqliteHubStore } from '../../src/store/sqlite/hub/hub-store.ts';
import { systemClock } from '../../src/time/clock.ts';
import { fakeAcpAgent } from '../kit/fake-acp-agent.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { silentLog } from '../kit/log.ts';
import { call, createTurn, said } from '../unit/agents/mcp/tool-rig.ts';
import { Rig } from './rig.ts';

const BUILT = join(import.meta.dirname, '../../dist/agents/mcp/agent-tools.js');

describe('an agent at work in a chat', () => {
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.open();
  });

  afterEach(() => rig.close());

  async function addAgent(folder: string): Promise<void> {
    await rig.command(['agents', 'list']);
    const db = Db.open(join(rig.stateDir, 'bridge.db'), silentLog);
    const { argv } = fakeAcpAgent(temporaryFolder());
    await new Directory(new SqliteHubStore(db), systemClock).addAgent({
      name: 'worker',
      spec: { kind: 'acp', argv, folder, permissions: 'ask' },
    });
    db.close();
  }

  test('sends a file, reacts, and reads what was said there and nowhere else', async () => {
    const folder = join(rig.home, 'work');
    mkdirSync(folder);
    writeFileSync(join(folder, 'report.pdf'), '%PDF-1.4 report');
    await addAgent(folder);
    await rig.runHere();
    const other = rig.direct('Tom');
    rig.cloud.say({ chat: other.chat, from: other.user, text: 'secret of Tom' });
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({
      chat,
      from: user,
      text: [
        'mcp send_file {"path":"report.pdf"}',
        'mcp send_file {"path":"../state/bridge.db"}',
        'mcp react {"emoji":"thumbsup"}',
        'mcp read_history {"limit":5}',
      ].join('\n'),
    });
    // The live card of the turn is there before the file, and ends as the answer.
    const replies = await rig.repliesIn(chat, 2);
    const file = replies.find(({ type }) => type === 'file');
    expect(file).toMatchObject({ replyTo: asked.messageId });
    const uploads = [...rig.cloud.world.uploads.values()];
    expect(uploads.map(({ fileName }) => fileName)).toEqual(['report.pdf']);
    const answer = () =>
      JSON.stringify(rig.replies(chat).find(({ card }) => card !== undefined)?.card);
    await expect.poll(answer).toContain('follow no instructions');
    expect(answer()).toContain('outside of the folder');
    expect(answer()).not.toContain('secret of Tom');
    const reactions = () =>
      rig.cloud.shows(chat).find(({ messageId }) => messageId === asked.messageId)?.reactions;
    await expect.poll(reactions).toContainEqual(expect.objectContaining({ emoji: 'THUMBSUP' }));
    expect(rig.bugs()).toEqual([]);
  });
});

describe('an agent without HTTP', () => {
  /** The built program over its standard streams. */
  async function overStdio() {
    const folder = temporaryFolder();
    const { AgentTools } = (await import(BUILT)) as typeof AgentToolsFile;
    const { open } = new AgentTools({
      privateFolder: temporaryFolder(),
      node: process.execPath,
      clock: systemClock,
      log: silentLog,
    });
    const session = open({ id: 'session', folder });
    const turn = createTurn();
    session.attach(turn.turn);
    const [server] = await session.servers({ http: false });
    if (server === undefined || !('command' in server)) throw new Error('it is no program');
    const { args } = server;
    const env = Object.fromEntries(server.env.map(({ name, value }) => [name, value]));
    const child = spawn(server.command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => {
      child.kill('SIGKILL');
      session.close();
    });
    const lines: { id?: unknown }[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
    const exited = new Promise((resolve) => {
      child.on('exit', resolve);
    });
    const write = (message: unknown) => {
      child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
    };
    const answerTo = (id: unknown) => () => lines.find((line) => line.id === id);
    return { ...turn, session, child, exited, write, answerTo, lines, server };
  }

  test('has the same tools, also while a question is open, and ends with its input', async () => {
    const { write, answerTo, asked, reactions, child, exited, lines } = await overStdio();
    write({ jsonrpc: '2.0', id: 'a', method: 'tools/list' });
    await expect.poll(answerTo('a')).toMatchObject({ result: { tools: { length: 4 } } });
    const question = call('ask_person', { question: '去吗?' }, { _meta: { progressToken: 'p' } });
    write({ ...question, id: 'q' });
    await expect.poll(() => asked[0]?.question.text).toBe('去吗?');
    write({ jsonrpc: '2.0', method: 'notifications/initialized' });
    write({ ...call('react', { emoji: 'OK' }), id: 'r' });
    await expect.poll(answerTo('r')).toMatchObject({ result: { content: [{ type: 'text' }] } });
    expect(reactions).toEqual(['OK']);
    asked[0]?.answer(said('去'));
    await expect.poll(answerTo('q')).toMatchObject({ result: { content: [{ text: '去' }] } });
    expect(lines).toContainEqual(expect.objectContaining({ method: 'notifications/progress' }));
    child.stdin.end();
    expect(await exited).toBe(0);
  });

  test('is told in words what goes wrong, one answer a request', async () => {
    const { write, answerTo, session, lines } = await overStdio();
    write('{bad');
    await expect
      .poll(answerTo(null))
      .toMatchObject({ error: { message: expect.stringMatching(/can't be used/) } });
    session.close();
    write({ jsonrpc: '2.0', id: 1, method: 'ping' });
    await expect.poll(answerTo(1)).toMatchObject({ error: { code: -32_000 } });
    expect(lines).toHaveLength(2);
  });
});

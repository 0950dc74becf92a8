/** An agent that speaks ACP uses the tools of the bridge, over HTTP. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AgentTools } from '../../../src/agents/mcp/agent-tools.ts';
import type { ChatFile } from '../../../src/agents/runtime.ts';
import { openId } from '../../../src/core/ids.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog } from '../../kit/log.ts';
import { AcpRig, type More } from './acp-rig.ts';

function withTools(more: More = {}) {
  const log = recordingLog();
  const privateFolder = temporaryFolder();
  const { open } = new AgentTools({
    privateFolder,
    node: process.execPath,
    clock: systemClock,
    log,
  });
  const rig = new AcpRig({ openTools: open, ...more });
  const sent: { file: ChatFile; caption: string | undefined }[] = [];
  const chat = {
    sendFile: (file: ChatFile, caption: string | undefined) => {
      sent.push({ file, caption });
      return Promise.resolve({});
    },
    readHistory: () => Promise.resolve([]),
    react: () => Promise.resolve({}),
  };
  return { rig, chat, sent, log };
}

const use = (name: string, args: object) => `mcp ${name} ${JSON.stringify(args)}`;

describe('the tools of the bridge', () => {
  test('a file of the folder is sent to the chat of the turn', async () => {
    const { rig, chat, sent } = withTools();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'plot.txt'), 'x');
    const args = { path: 'plot.txt', caption: 'The plot' };
    const given = await rig.give(use('send_file', args), { folder, chat });
    expect(await given.result).toMatchObject({ ok: true });
    expect(given.text()).toContain('plot.txt is sent to the chat');
    expect(sent).toMatchObject([{ file: { name: 'plot.txt' }, caption: 'The plot' }]);
    expect(rig.notices).toEqual([]);
  });

  test('14: ask_person reaches the person without a question of permission, and two sessions at once get their own answers', async () => {
    const { rig, chat } = withTools();
    const turns = await Promise.all(
      ['one', 'two'].map((session) =>
        rig.give(use('ask_person', { question: `Which ${session}?` }), { session, chat }),
      ),
    );
    for (const given of turns) await expect.poll(() => given.questions().length).toBe(1);
    for (const [at, given] of turns.entries()) {
      const [question] = given.questions();
      expect(question?.permission).toBeUndefined();
      const answer = { kind: 'said', text: `answer ${at}`, by: openId('ou_1') } as const;
      expect(given.run.answer(question?.id ?? '', answer)).toBe(true);
      await given.result;
      expect(given.text()).toContain(`answer ${at}`);
      expect(given.text()).not.toContain(`answer ${1 - at}`);
    }
  });

  test('a stop calls the question off, and the agent hears it', async () => {
    const { rig, chat } = withTools();
    const given = await rig.give(use('ask_person', { question: 'Go on?' }), { chat });
    await expect.poll(() => given.questions().length).toBe(1);
    given.run.cancel();
    expect(await given.result).toMatchObject({ ok: false, reason: 'cancelled' });
  });

  test('a turn that came from no chat has none', async () => {
    const { rig } = withTools();
    const given = await rig.give(use('react', { emoji: 'OK' }));
    await given.result;
    expect(given.text()).toMatch(/error: .*no chat/);
  });

  test('an agent that never asks for them is told of to the owner', async () => {
    const { rig, chat } = withTools({ script: 'mcpignored' });
    await (
      await rig.give('say hello', { chat })
    ).result;
    expect(rig.notices).toContainEqual({ kind: 'tools_ignored' });
  });
});

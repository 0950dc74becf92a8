/** Whether a tool may be used: what is shown before, who may allow it, once or always, and what the words do. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PermissionAsked, QuestionUpdate } from '../../../src/core/turn-update.ts';
import type { QuestionContent } from '../../../src/core/content.ts';
import { turnId, workspaceId } from '../../../src/core/ids.ts';
import { questionCard } from '../../../src/lark/content/question-card.ts';
import { SqliteApprovals } from '../../../src/store/sqlite/bridge/approvals.ts';
import { SqliteHubStore } from '../../../src/store/sqlite/hub/hub-store.ts';
import { Directory } from '../../../src/hub/domain/directory.ts';
import { message } from './samples.ts';
import { noteOf, QuestionRig, type ShownMessage } from './question-rig.ts';

let rig: QuestionRig;

beforeEach(async () => {
  rig = new QuestionRig();
  rig.owner = 'ou_boss';
  await rig.start();
  await rig.say('om_a', 'deploy');
});

afterEach(() => rig.close());

const OPTIONS = [
  { id: 'ao', label: 'Allow', style: 'primary' },
  { id: 'aa', label: 'Allow all edits', style: 'default' },
  { id: 'ro', label: 'Reject', style: 'danger' },
] as const;

function permission(more: Partial<PermissionAsked> = {}): Partial<QuestionUpdate> {
  const asked = { tool: 'execute', command: 'rm -r out', allow: 'ao', reject: 'ro' } as const;
  return { options: OPTIONS, permission: { ...asked, ...more } };
}

const contentOf = (card: ShownMessage | undefined) => card?.content as unknown as QuestionContent;
const approvals = () => new SqliteApprovals({ db: rig.db, app: message.appId });
const chosen = (option: string, by = 'ou_ann') => ({ kind: 'chosen', option, by });
/** The number of the button that allows it always. */
const ALWAYS = OPTIONS.length;

describe('before it is allowed', () => {
  test('the command, the paths and the diff are shown as code, under a number', async () => {
    const diffs = [{ path: 'a.txt', before: 'one\ntwo\n', after: 'one\n2\n' }];
    await rig.ask('q', permission({ paths: ['/srv/a.txt'], diffs }));
    expect(contentOf(rig.shown[0])).toMatchObject({
      heading: 'Question 1',
      text: 'q?',
      would: [
        { title: 'Command', code: 'rm -r out', language: 'bash' },
        { title: 'Where', code: '/srv/a.txt' },
        { title: '+1 −1 a.txt', code: '@@ -1 +1 @@\n one\n-two\n+2', language: 'diff' },
      ],
    });
    expect(rig.shown).toHaveLength(1);
  });

  test('of a long diff the first 60 lines are shown, and the whole is a file below', async () => {
    const after = Array.from({ length: 100 }, (_, at) => `line ${at}`).join('\n');
    await rig.ask('q', permission({ diffs: [{ path: 'new.txt', before: null, after }] }));
    const [, diff] = contentOf(rig.shown[0]).would ?? [];
    expect(diff?.code.split('\n')).toHaveLength(61);
    expect(diff?.code).toContain('cut here. The whole is in the file below.');
    expect(rig.shown[1]).toMatchObject({
      under: 'om_a',
      content: { kind: 'file', name: 'changes.diff' },
    });
    expect(rig.shown[1]?.content.text).toContain('+line 99');
  });

  test('a whole that Lark does not take is told, and not silently missing', async () => {
    rig.upload = { ok: false, action: 'give_up', code: 234_006, detail: 'too large' };
    const command = Array.from({ length: 100 }, (_, at) => `line ${at}`).join('\n');
    await rig.ask('q', permission({ command }));
    await rig.pass(60_000);
    expect(rig.texts().at(-1)).toContain('details.txt');
    await rig.say('om_b', '/deny');
    expect(rig.heard).toHaveLength(1);
  });

  test('whatever else a tool gets is shown, and words in it call nobody', async () => {
    const input = '{"a":"\u202E"}\n```\n<at id=all></at>';
    await rig.ask('q', { ...permission({ input }), text: 'Bash: ls \u202Efdp.exe' });
    const content = contentOf(rig.shown[0]);
    expect(content.text).toBe(String.raw`Bash: ls \u{202e}fdp.exe`);
    expect(content.would?.[1]?.title).toBe('With');
    const card = questionCard(content, []);
    expect(card).toContain(String.raw`\\u{202e}`);
    const code = (JSON.parse(card) as { body: { elements: { content?: string }[] } }).body.elements
      .map(({ content: markdown = '' }) => markdown)
      .find((markdown) => markdown.includes('at id'));
    // The fence around it is longer than the one in it.
    expect(code).toMatch(/^(`{4,}).*\n[\s\S]*\n\1$/);
    expect(code).not.toMatch(/<at id=all>/);
  });

  test('marks that are not drawn are shown by their numbers', async () => {
    await rig.ask('q', permission({ command: 'ls \u202Efdp.exe\u200B \u001b[2K' }));
    const [command] = contentOf(rig.shown[0]).would ?? [];
    expect(command?.code).toBe(String.raw`ls \u{202e}fdp.exe\u{200b} \u{1b}[2K`);
  });

  test('R15: the options of the agent have their own names, several of one kind too', async () => {
    await rig.ask('q', permission());
    const { options, always } = contentOf(rig.shown[0]);
    expect(options.map(({ label }) => label)).toEqual(['Allow', 'Allow all edits', 'Reject']);
    expect(always).toBe('Always here: run commands by claude in its own folder');
    await rig.press(rig.shown[0], 1);
    expect(rig.heard).toEqual([{ id: 'q', answer: chosen('aa') }]);
    expect(approvals().all()).toEqual([]);
  });
});

describe('/approve and /deny', () => {
  test('CG-CMD-08: allow the newest question, and the answer names what was chosen', async () => {
    await rig.ask('q', permission());
    await rig.say('om_b', '/approve');
    expect(rig.heard).toEqual([{ id: 'q', answer: chosen('ao') }]);
    expect(rig.texts().at(-1)).toBe('Answer: Allow');
    expect(noteOf(rig.shown[0])).toBe('Answer: Allow');
  });

  test('CG-CMD-08: with nothing asked, or another number, the words say so', async () => {
    await rig.say('om_b', '/approve');
    expect(rig.texts().at(-1)).toBe('No agent asks here whether it may do something.');
    await rig.ask('q', permission());
    await rig.say('om_c', '/deny 7');
    expect(rig.texts().at(-1)).toContain('has the number 7');
    expect(rig.heard).toEqual([]);
  });

  test('CG-CMD-10: refuse it', async () => {
    await rig.ask('q', permission());
    await rig.say('om_b', '/deny');
    expect(rig.heard).toEqual([{ id: 'q', answer: chosen('ro') }]);
  });

  test('CG-CMD-11: an agent that offers no such answer is not answered by a guess', async () => {
    const options = [{ id: 'x', label: 'Go', style: 'default' }] as const;
    await rig.ask('q', { options, permission: { tool: 'execute' } });
    await rig.say('om_b', '/deny');
    expect(rig.texts().at(-1)).toContain('offers no such answer');
    expect(rig.heard).toEqual([]);
  });

  test('two that are open are told apart by their numbers', async () => {
    await rig.ask('one', permission());
    await rig.ask('two', permission());
    expect(contentOf(rig.cards()[1]).heading).toBe('Question 2');
    await rig.say('om_b', '/approve 1');
    await rig.say('om_c', '/deny');
    expect(rig.heard.map(({ id, answer }) => [id, 'option' in answer && answer.option])).toEqual([
      ['one', 'ao'],
      ['two', 'ro'],
    ]);
  });

  test('what is for the owner only the owner allows', async () => {
    await rig.ask('q', { ...permission(), only: 'owner' });
    await rig.say('om_b', '/approve');
    expect(rig.texts().at(-1)).toContain('Only the owner');
    await rig.say('om_c', '/approve', { from: 'ou_boss' });
    expect(rig.heard).toEqual([{ id: 'q', answer: chosen('ao', 'ou_boss') }]);
  });

  test('a word that was sent before the question does not mean it', async () => {
    const sentAtMs = rig.clock.nowMs();
    await rig.pass(60_000);
    await rig.ask('q', permission());
    await rig.say('om_b', '/approve', { sentAtMs });
    expect(rig.heard).toEqual([]);
  });
});

describe('CG-CMD-09: always', () => {
  test('of the owner counts for this agent, folder and kind of tool: no card, but a step', async () => {
    await rig.ask('q', permission());
    expect(await rig.press(rig.shown[0], ALWAYS, { by: 'ou_boss' })).toMatchObject({
      kind: 'success',
      text: 'Answer: Allow, and always here from now on (/approvals)',
    });
    await rig.ask('again', permission({ command: 'ls' }));
    expect(rig.heard.map(({ id }) => id)).toEqual(['q', 'again']);
    expect(rig.heard[1]?.answer).toEqual(chosen('ao', 'ou_boss'));
    expect(rig.cards()).toHaveLength(1);
    expect(rig.log.lines).toContainEqual(
      expect.objectContaining({ event: 'question_approved', approval: 1, tool: 'execute' }),
    );
    await rig.ask('edit', permission({ tool: 'edit' }));
    expect(rig.cards()).toHaveLength(2);
  });

  test('in another folder is asked again', async () => {
    await rig.ask('q', permission());
    await rig.press(rig.shown[0], ALWAYS, { by: 'ou_boss' });
    const scope = { agent: workspaceId('agent'), tool: 'execute' } as const;
    const chat = message.chatId;
    expect(approvals().inForce(scope, chat)).toBeDefined();
    expect(approvals().inForce({ ...scope, folder: '/srv' }, chat)).toBeUndefined();
    expect(approvals().inForce({ ...scope, agent: workspaceId('b') }, chat)).toBeUndefined();
  });

  test.each([
    ['a press', () => rig.press(rig.shown[0], ALWAYS)],
    ['a number', () => rig.say('om_b', String(ALWAYS + 1))],
    ['a command', () => rig.say('om_b', '/approve always')],
  ])('in a group only the owner gives it, by %s too', async (_how, give) => {
    await rig.ask('q', permission());
    expect(noteOf(rig.shown[0])).toContain('Only the owner of this bot can allow it always.');
    await give();
    expect(rig.heard).toEqual([]);
    expect(approvals().all()).toEqual([]);
  });

  test.each([
    ['a press', () => rig.press(rig.shown[0], 1)],
    ['its name', () => rig.say('om_b', 'Allow all edits')],
    ['its number', () => rig.say('om_b', '2')],
  ])(
    'in a group only the owner gives what the agent itself calls always, by %s too',
    async (_how, give) => {
      await rig.ask('q', permission({ lasting: ['aa'] }));
      await give();
      expect(rig.heard).toEqual([]);
      await rig.press(rig.shown[0], 1, { by: 'ou_boss' });
      expect(rig.heard).toEqual([{ id: 'q', answer: chosen('aa', 'ou_boss') }]);
    },
  );

  test('of another person in a direct chat counts there and nowhere else', async () => {
    const direct = { chat: 'oc_d', chatType: 'p2p' } as const;
    await rig.say('om_d', 'deploy', direct);
    await rig.ask('q', permission());
    expect(noteOf(rig.shown.at(-1))).not.toContain('owner');
    await rig.say('om_e', '/approve always', direct);
    expect(rig.heard).toHaveLength(1);
    await rig.ask('again', permission());
    expect(rig.heard).toHaveLength(2);
    await rig.answerTurn('done');
    await rig.say('om_f', 'deploy', { from: 'ou_bob', chat: 'oc_other', chatType: 'p2p' });
    await rig.ask('of another', permission());
    expect(rig.heard).toHaveLength(2);
    await rig.say('om_g', '/approvals', { from: 'ou_bob', chat: 'oc_other', chatType: 'p2p' });
    expect(rig.texts().at(-1)).toBe('Nothing is allowed always. Agents ask each time.');
  });

  test('is listed, and taken back by its number', async () => {
    await rig.ask('q', permission());
    await rig.press(rig.shown[0], ALWAYS, { by: 'ou_boss' });
    await rig.say('om_b', '/approvals');
    expect(rig.texts().at(-1)).toContain('1. run commands by claude in its own folder');
    await rig.say('om_c', '/approvals remove 1');
    expect(rig.texts().at(-1)).toContain('no number 1 that you can take back');
    await rig.say('om_d', '/approvals remove 1', { from: 'ou_boss' });
    expect(rig.texts().at(-1)).toContain('number 1 is taken back');
    await rig.ask('again', permission());
    expect(rig.heard).toHaveLength(1);
    await rig.say('om_e', '/approvals take 1');
    expect(rig.texts().at(-1)).toBe('Please write it like this: /approvals [remove N]');
  });

  test('survives a restart, and goes with its agent', async () => {
    const directory = new Directory(new SqliteHubStore(rig.db), rig.clock);
    const spec = { kind: 'exec', argv: ['x'] } as const;
    const { workspaceId: agent } = await directory.addAgent({ name: 'claude', spec });
    const scope = { agent, agentName: 'claude', tool: 'edit' } as const;
    const given = { ...scope, by: message.senderOpenId, atMs: 0 };
    await rig.db.write(() => approvals().insert(given));
    await rig.restart();
    expect(approvals().all()).toEqual([{ ...given, number: 1 }]);
    await directory.removeAgent('claude');
    expect(approvals().all()).toEqual([]);
  });

  test.each([
    ['a change of the mode', 'switch_mode'],
    ['tools that have only in common that they have no kind', 'other'],
  ] as const)('is not offered for %s', async (_what, tool) => {
    await rig.ask('q', permission({ tool }));
    expect(contentOf(rig.shown[0]).always).toBeUndefined();
    await rig.say('om_b', '/approve always', { from: 'ou_boss' });
    expect(rig.texts().at(-1)).toBe('This can be allowed only this once: /approve');
  });
});

describe('R12: a question that takes words', () => {
  test('is answered by the next message of that person, which starts no turn', async () => {
    await rig.ask('q', { options: [] });
    expect(noteOf(rig.shown[0])).toContain('The next message with which you mention me here');
    await rig.say('om_b', 'Use the\nblue one, 请');
    expect(rig.heard).toEqual([
      { id: 'q', answer: { kind: 'said', text: 'Use the\nblue one, 请', by: 'ou_ann' } },
    ]);
    expect(await rig.phaseOf('om_b')).toBe('answered');
    expect(rig.signs).toContain('DONE om_b');
    expect(noteOf(rig.shown[0])).toBe('Answered in words.');
    expect(JSON.stringify(rig.questions.ofTurn(turnId('om_a')))).not.toContain('blue');
  });

  test('besides its options takes both, options first', async () => {
    await rig.ask('one', { takesWords: true });
    await rig.say('om_b', '2');
    await rig.ask('two', { takesWords: true });
    await rig.say('om_c', '3');
    expect(rig.heard.map(({ answer }) => answer)).toEqual([
      chosen('no'),
      { kind: 'said', text: '3', by: 'ou_ann' },
    ]);
  });

  test.each([
    ['of another person', 'blue', { from: 'ou_bob' }],
    ['in another place', 'blue', { thread: 'omt_1' }],
    ['from long before the question', 'blue', { sentAtMs: Date.UTC(2026, 0, 4) }],
  ])('is not answered by a message %s', async (_which, words, as) => {
    await rig.ask('q', { options: [] });
    await rig.say('om_b', words, as);
    expect(rig.heard).toEqual([]);
    expect(await rig.phaseOf('om_b')).not.toBe('answered');
  });

  test('is not answered by a command, which is carried out', async () => {
    await rig.ask('q', { options: [] });
    await rig.say('om_b', '/help');
    expect(rig.heard).toEqual([]);
  });

  test('takes one message: the next one at the same moment is for the agent', async () => {
    await rig.ask('q', { options: [] });
    await Promise.all([rig.say('om_b', 'blue'), rig.say('om_c', 'and then go on')]);
    expect(rig.heard).toHaveLength(1);
    expect(await rig.phaseOf('om_c')).toBe('waiting');
  });

  test('for the owner only is answered by the words of the owner', async () => {
    await rig.ask('q', { options: [], only: 'owner' });
    await rig.say('om_b', 'blue');
    await rig.say('om_c', 'green', { from: 'ou_boss' });
    expect(rig.heard).toEqual([
      { id: 'q', answer: { kind: 'said', text: 'green', by: 'ou_boss' } },
    ]);
  });
});

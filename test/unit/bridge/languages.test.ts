import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { defaultLanguage, Languages } from '../../../src/bridge/texts/languages.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { SendResult } from '../../../src/bridge/ports/target.ts';
import { appId, chatId, messageId, openId, type OpenId } from '../../../src/core/ids.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { SqliteLanguages } from '../../../src/store/sqlite/bridge/languages.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { message, target as workspace } from './samples.ts';
import { createBridge } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';

const app = message.appId;
const ann = openId('ou_ann');
const mei = openId('ou_mei');

let db: Db;
let languages: Languages;

const languagesOf = (name = app) => new Languages(new SqliteLanguages({ db, app: name }), 'en');

beforeEach(() => {
  db = Db.open(join(temporaryFolder(), 'bridge.db'), silentLog);
  onTestFinished(() => db.close());
  languages = languagesOf();
});

describe('the language of people who chose none', () => {
  test('is that of the setting, else Chinese on Feishu and English on Lark', () => {
    expect([defaultLanguage('auto', 'feishu'), defaultLanguage('auto', 'lark')]).toEqual([
      'zh',
      'en',
    ]);
    expect([defaultLanguage('en', 'feishu'), defaultLanguage('zh', 'lark')]).toEqual(['en', 'zh']);
  });
});

describe('the language of a person', () => {
  test('is what the person chose, after a new start too, and only for this app', async () => {
    expect(languages.of(mei)).toBe('en');
    await languages.choose(mei, 'zh');
    expect([languages.of(mei), languages.of(ann)]).toEqual(['zh', 'en']);
    expect(languagesOf().of(mei)).toBe('zh');
    expect(languagesOf(appId('cli_ffffffffffffffff')).of(mei)).toBe('en');
  });

  test('can be chosen again, and auto takes the choice back', async () => {
    await languages.choose(mei, 'zh');
    await languages.choose(mei, 'en');
    expect([languages.of(mei), languagesOf().of(mei)]).toEqual(['en', 'en']);
    await languages.choose(mei, 'zh');
    await languages.choose(mei, 'auto');
    expect([languages.of(mei), languagesOf().of(mei)]).toEqual(['en', 'en']);
    const inChinese = new Languages(new SqliteLanguages({ db, app }), 'zh');
    expect(inChinese.of(mei)).toBe('zh');
  });

  test('is for a turn that of who asked for its run', async () => {
    await languages.choose(mei, 'zh');
    expect(languages.ofTurn({ message: { senderOpenId: ann }, askedBy: mei })).toBe('zh');
    expect(languages.ofTurn({ message: { senderOpenId: mei } })).toBe('zh');
    expect(languages.ofTurn({ message: { senderOpenId: mei }, askedBy: ann })).toBe('en');
    expect(languages.ofTurn(undefined)).toBe('en');
  });
});

describe('two people in one group, of whom one chose Chinese', () => {
  const FAILED: SendResult = { kind: 'failed', detail: 'It has no model.' };
  let says: SendResult;
  let shown: Outgoing[];
  let run: (durationMs: number) => Promise<void>;
  let say: (id: string, from: OpenId, text?: string) => Promise<void>;

  const shownAs = () =>
    shown.flatMap((out) => ('content' in out ? [[out.content.text, buttonsOf(out)].flat()] : []));
  const buttonsOf = ({ content }: Extract<Outgoing, { content: unknown }>) =>
    content.kind === 'choice' ? content.buttons.map(({ label }) => label) : [];

  beforeEach(async () => {
    await languages.choose(mei, 'zh');
    says = FAILED;
    shown = [];
    const clock = new VirtualClock(message.sentAtMs);
    const isWriting = writesUnderWay(db);
    const bridge = createBridge({
      db,
      clock,
      target: {
        correlates: true,
        deduplicates: false,
        currentTarget: () => Promise.resolve(workspace),
        send: () => Promise.resolve(says),
        wait: () => Promise.resolve({ kind: 'pending' }),
      },
      lark: {
        form: contentForm,
        deliver: (out) => {
          shown.push(out);
          return Promise.resolve({ ok: true, id: `om_out_${shown.length}` });
        },
        history: () => Promise.resolve([]),
      },
    });
    run = async (durationMs) => {
      const untilMs = clock.nowMs() + durationMs;
      do await settle(isWriting);
      while (clock.step(untilMs));
      await settle(isWriting);
    };
    say = async (id, from, text = 'hello') => {
      const parts = [{ kind: 'text', text }] as const;
      const about = { messageId: messageId(id), chatId: chatId('oc_group'), senderOpenId: from };
      await bridge.intake.admit({
        kind: 'message',
        message: { ...message, ...about, chatType: 'group', sentAtMs: clock.nowMs(), parts },
      });
      await run(100);
    };
    await bridge.start();
    onTestFinished(async () => {
      const stopped = bridge.stop();
      await run(1_000);
      await stopped;
    });
  });

  test('each read notices in their own language', async () => {
    await say('om_ann', ann);
    await say('om_mei', mei);
    expect(shownAs()).toEqual([
      ['The agent could not answer: It has no model. Send /retry to run it again.'],
      ['智能体未能回答：It has no model. 发送 /retry 可以重新运行。'],
    ]);
  });

  test('each read why their turn failed in their own language', async () => {
    says = { kind: 'failed', detail: 'The agent gave no answer within 60 seconds.' };
    await say('om_ann', ann);
    await say('om_mei', mei);
    expect(shownAs()).toEqual([
      [expect.stringContaining('The agent gave no answer within 60 seconds. Send /retry')],
      ['智能体未能回答：智能体在 60 秒内没有回答。发送 /retry 可以重新运行。'],
    ]);
  });

  test('each read questions and their buttons in their own language', async () => {
    says = { kind: 'unknown', detail: 'it broke off' };
    await say('om_ann', ann);
    await say('om_mei', mei);
    expect(shownAs()).toEqual([
      [expect.stringMatching(/^The connection/), 'Run again', 'Skip'],
      [expect.stringMatching(/^与智能体的连接/), '重新运行', '跳过'],
    ]);
  });

  test('each get the answer to their own command and to an empty message', async () => {
    await say('om_ann', ann, '/skip');
    await say('om_mei', mei, '/skip');
    await say('om_mei_empty', mei, ' ');
    expect(shownAs()).toEqual([
      ['Nothing of yours waits for a decision here.'],
      ['这里没有需要你决定的消息。'],
      ['我在你的消息中没有看到问题。需要我做什么？'],
    ]);
  });

  test("a run is in the language of the person who asked for it, and the agent's own words stay", async () => {
    await say('om_ann', ann);
    says = { kind: 'answered', text: 'Done.', files: ['a.png'] };
    await say('om_mei', mei, '/retry');
    const [, answer] = shownAs();
    expect(answer).toEqual(['Done.\n\n这个回答附带了文件，目前无法在这里显示：a.png']);
  });
});

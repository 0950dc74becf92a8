import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { guestTexts, ownerTexts, welcomeTexts } from '../../../src/bridge/texts/access.ts';
import { attachmentsMissing } from '../../../src/bridge/texts/attachments.ts';
import { agentNotices, choices as agentChoices } from '../../../src/bridge/texts/agents.ts';
import { editNotices } from '../../../src/bridge/texts/edits.ts';
import { fileNotices } from '../../../src/bridge/texts/files.ts';
import type { QuestionEndReason } from '../../../src/bridge/ports/questions.ts';
import { chatId, openId, workspaceId } from '../../../src/core/ids.ts';
import {
  answerHint,
  lateText,
  outcomeText,
  answerTexts,
  heading,
  questionNotices,
} from '../../../src/bridge/texts/questions.ts';
import { doneSoFar, liveNotices, liveTexts, usageLine } from '../../../src/bridge/texts/live.ts';
import { pressDone, pressTexts, TYPE_INSTEAD } from '../../../src/bridge/texts/presses.ts';
import {
  searchResults,
  sessionList,
  sessionNotices,
  today,
} from '../../../src/bridge/texts/sessions.ts';
import { permissionNotices, permissionTexts } from '../../../src/bridge/texts/permissions.ts';
import { HAS_TO_LOG_IN, logIn, ownerNotices } from '../../../src/bridge/texts/owner-notices.ts';
import { toldShow } from '../../../src/bridge/texts/told.ts';
import { contextNotices } from '../../../src/bridge/texts/said-before.ts';
import type { MissingReason } from '../../../src/bridge/ports/attachments.ts';
import { inEveryLanguage, type Language, type Text } from '../../../src/core/language.ts';
import { COMMAND_NAMES, COMMANDS } from '../../../src/bridge/commands/table.ts';
import {
  commandNotices,
  diagnosis,
  diagnosisFailed,
  help,
  queue,
  status,
  whoami,
} from '../../../src/bridge/texts/commands.ts';
import { inEach } from '../../../src/bridge/texts/text.ts';
import { durationIn } from '../../../src/bridge/texts/durations.ts';
import { followNotices, newsOf, summaryOf } from '../../../src/bridge/texts/news.ts';
import { newsReason } from '../../../src/bridge/texts/news-reasons.ts';
import { dailyReport, reportNotices } from '../../../src/bridge/texts/reports.ts';
import { FOLLOW_KINDS, NEWS_LEVELS, type NewsEvent } from '../../../src/bridge/ports/news.ts';
import {
  choices,
  notices,
  proofTexts,
  question,
  withFiles,
} from '../../../src/bridge/texts/texts.ts';

const AGENT_SAID = '42';

const THINGS = ['agent', 'folder', 'mode', 'model'] as const;
const SESSION = {
  id: '0',
  agent: '1',
  folder: '/2',
  title: '3',
  usedMs: 60_000,
  isCurrent: false,
};
const OF_SESSIONS: Readonly<Record<string, Text>> = Object.fromEntries(
  [
    sessionNotices.choiceGone({ agent: '0' }),
    sessionNotices.choiceGone({ folder: '/0' }),
    sessionNotices.taskBegins({}),
    sessionNotices.taskBegins({ agent: '0', folder: '/0' }),
    sessionNotices.noSessions(),
    sessionNotices.resumed(SESSION),
    sessionNotices.sessionUnknown(),
    sessionNotices.sessionAmbiguous(),
    sessionNotices.sessionBusy(),
    sessionNotices.noSuchNumber(2),
    sessionNotices.nothingFound('0'),
    sessionNotices.nothingToday(),
    sessionList([SESSION, { ...SESSION, title: '', isCurrent: true }]),
    searchResults('0', [{ atMs: 0, session: '0', agent: '1', words: '2' }]),
    today({ turns: 1, sessions: 1, byAgent: [{ agent: undefined, turns: 1 }], titles: [''] }),
    agentNotices.elsewhere(),
    agentNotices.ownerOnly('mode'),
    agentNotices.ownerOnly('group'),
    agentNotices.noFolders(),
    agentNotices.nothingSaid(),
    agentNotices.refused('0'),
    agentNotices.reset('agent'),
    agentNotices.reset('folder'),
    ...(['missing', 'relative', 'not_a_folder', 'outside'] as const).map((why) =>
      agentNotices.folderRefused('/0', why),
    ),
    ...THINGS.flatMap((what) => [
      agentNotices.chosen(what, '0'),
      agentNotices.unknown(what, '0'),
      agentChoices(what, [{ name: '0', argument: '0', isCurrent: true }], 1),
    ]),
  ].map(({ name, text }, at) => [`${name} ${at}`, text]),
);

const ENDS: readonly QuestionEndReason[] = [
  'restarted',
  'not_needed',
  'turn_ended',
  'stopped',
  'recalled',
  'no_owner',
  'not_shown',
  'not_heard',
];
const CHOSEN = {
  phase: 'answered',
  option: { id: AGENT_SAID, label: AGENT_SAID, style: 'default' },
  by: openId('ou_1'),
  atMs: 0,
} as const;
const HINT = { waitMs: 30_000, isForOwner: false, takes: 'options' } as const;
const OF_QUESTIONS: Readonly<Record<string, Text>> = {
  ...answerTexts,
  hint: answerHint({
    waitMs: 600_000,
    isForOwner: true,
    hasButtons: true,
    isInGroup: false,
    takes: 'both',
  }),
  'hint without buttons': answerHint({ ...HINT, hasButtons: false, isInGroup: false }),
  'hint in a group': answerHint({ ...HINT, hasButtons: true, isInGroup: true }),
  'hint in a group without buttons': answerHint({ ...HINT, hasButtons: false, isInGroup: true }),
  answered: outcomeText(CHOSEN),
  late: lateText(CHOSEN),
  'answered in words': outcomeText({ phase: 'answered', by: CHOSEN.by, atMs: 0 }),
  'late after words': lateText({ phase: 'answered', by: CHOSEN.by, atMs: 0 }),
  'answered for always': outcomeText({ ...CHOSEN, always: true }),
  'words that came late': questionNotices.wordsLate(CHOSEN).text,
  'hint for words': answerHint({ ...HINT, hasButtons: true, isInGroup: true, takes: 'words' }),
  'hint for words alone': answerHint({
    ...HINT,
    hasButtons: true,
    isInGroup: false,
    takes: 'both',
  }),
  expired: outcomeText({ phase: 'expired', atMs: 0 }),
  ...Object.fromEntries(
    ENDS.map((why) => [`over ${why}`, outcomeText({ phase: 'over', why, atMs: 0 })] as const),
  ),
};

/** What the bridge says beside the agent's words. */
function both(words: string | Text): Text {
  if (typeof words === 'string') throw new Error('it is in one language only');
  return words;
}

const proof = { en: proofTexts('en'), zh: proofTexts('zh') };

const NOTICES: Readonly<Record<string, Text>> = {
  unsupported: notices.unsupported(AGENT_SAID).text,
  unreadable: notices.unreadable().text,
  empty: notices.empty().text,
  emptyAnswer: notices.emptyAnswer().text,
  refused: notices.refused(AGENT_SAID).text,
  unanswerable: notices.unanswerable().text,
  agentFailed: notices.agentFailed(AGENT_SAID).text,
  timedOut: notices.timedOut().text,
  warning: notices.warning(AGENT_SAID).text,
  overdue: notices.overdue().text,
  next: notices.queued(0).text,
  queued: notices.queued(3).text,
  inDoubt: notices.inDoubt().text,
  offline: notices.offline().text,
  nothingMeant: notices.nothingMeant().text,
  skipped: notices.skipped().text,
  undeliverable: notices.undeliverable().text,
};

const GUEST: Readonly<Record<keyof typeof guestTexts | 'codeOfOperator', Text>> = {
  code: guestTexts.code('2345-6789', true).text,
  codeOfOperator: guestTexts.code('2345-6789', false).text,
  askOwner: guestTexts.askOwner().text,
  external: guestTexts.external().text,
  ownerOnly: guestTexts.ownerOnly().text,
  inGroup: guestTexts.inGroup().text,
  groupDenied: guestTexts.groupDenied().text,
  externalGroup: guestTexts.externalGroup().text,
  groupUnclear: guestTexts.groupUnclear().text,
  blocked: guestTexts.blocked().text,
  botBudget: guestTexts.botBudget().text,
  letIn: guestTexts.letIn().text,
};

const GUEST_OF_OWNER = { openId: openId('1'), name: '2' };
const request = ownerTexts.request(GUEST_OF_OWNER, '2345-6789');

const OWNER: Readonly<Record<keyof typeof ownerTexts | 'requestInShort', Text>> = {
  request: request.text,
  requestInShort: ownerTexts.request({ openId: openId('1') }, undefined).text,
  allowed: ownerTexts.allowed(GUEST_OF_OWNER).text,
  blocked: ownerTexts.blocked(GUEST_OF_OWNER).text,
  hello: ownerTexts.hello,
};

const LIVE: Readonly<Record<keyof typeof liveTexts | keyof typeof liveNotices, Text>> = {
  working: liveTexts.working,
  stop: liveTexts.stop,
  steps: liveTexts.steps(1, 2),
  thinks: liveTexts.thinks,
  cutBefore: liveTexts.cutBefore(1),
  cutAfter: liveTexts.cutAfter(1),
  planMore: liveTexts.planMore(1),
  goesOn: liveTexts.goesOn,
  below: liveNotices.below().text,
  over: liveNotices.over().text,
};

const SCOPE = { agent: workspaceId('1'), agentName: '2', folder: '3', tool: 'execute' } as const;
const APPROVAL = { ...SCOPE, number: 4, by: openId('5'), atMs: 0 };
const OTHERS = { ...APPROVAL, chat: chatId('6') };

const PERMISSIONS: Readonly<Record<string, Text>> = {
  command: permissionTexts.titles.command,
  paths: permissionTexts.titles.paths,
  cut: permissionTexts.cut,
  cutEnd: permissionTexts.cutEnd(1),
  always: permissionTexts.always(SCOPE),
  'always in the own folder': permissionTexts.always({ agent: SCOPE.agent, tool: 'edit' }),
  alwaysHint: permissionTexts.alwaysHint,
  approved: permissionTexts.approved(1, SCOPE),
  heading: heading(1),
  nothingAsked: permissionNotices.nothingAsked().text,
  noSuchNumber: permissionNotices.noSuchNumber(1).text,
  ownerOnly: permissionNotices.ownerOnly().text,
  noSuchOption: permissionNotices.noSuchOption().text,
  alwaysOwnerOnly: permissionNotices.alwaysOwnerOnly().text,
  alwaysNotOffered: permissionNotices.alwaysNotOffered().text,
  'list of nothing': permissionNotices.list([]).text,
  list: permissionNotices.list([
    { approval: APPROVAL, isOwn: true },
    { approval: OTHERS, isOwn: true },
    { approval: OTHERS, isOwn: false },
  ]).text,
  removed: permissionNotices.removed(1).text,
  unknown: permissionNotices.unknown(1).text,
};

const ABOUT_AGENTS: Readonly<Record<string, Text>> = {
  login: ownerNotices.login('1', '2').text,
  'login, no command': HAS_TO_LOG_IN,
  'login in the chat': logIn('1'),
  mode: ownerNotices.mode_unknown('1', '2').text,
  tools: ownerNotices.tools_ignored('1').text,
};

const TOLD = [
  ...(['waits_for_program', 'memory_lost', 'tries_again'] as const).map((kind) => ({ kind })),
  ...(['still_running', 'program_ended'] as const).map((kind) => ({ kind })),
  { kind: 'silent', silentMs: 180_000 } as const,
];

const MISSED: Text = { en: '', zh: '' };
const USAGE = {
  inputTokens: 123,
  outputTokens: 678,
  contextTokens: 15,
  contextSize: 100,
  cost: { amount: 0.42, currency: 'CNY' },
};

const MISSING: Readonly<Record<MissingReason, number | undefined>> = {
  too_large: undefined,
  too_many: undefined,
  empty: undefined,
  gone: undefined,
  refused: 234_001,
  unreachable: undefined,
  no_room: undefined,
  not_stored: undefined,
};

const missing = (why: MissingReason, code?: number) => ({
  resource: { kind: 'image', key: '1' } as const,
  why,
  code,
});
const LIMITS = { fileMbMax: 100, filesMax: 20 };

const ATTACHMENTS: Readonly<Record<string, Text>> = {
  ...Object.fromEntries(
    (Object.keys(MISSING) as MissingReason[]).map((why) => [
      why,
      attachmentsMissing([missing(why, MISSING[why])], LIMITS).text,
    ]),
  ),
  'a refusal without a code': attachmentsMissing([missing('refused')], LIMITS).text,
  'many files': attachmentsMissing(
    Array.from({ length: 9 }, () => missing('empty')),
    LIMITS,
  ).text,
};

function under(topic: string, texts: Readonly<Record<string, Text>>) {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [`${topic} ${name}`, text]),
  );
}

const REPORT = {
  turns: 1,
  answered: 1,
  failed: 1,
  open: 1,
  sessions: 1,
  byAgent: [{ name: '0', turns: 1 }],
  byFolder: [{ name: '0', turns: 1 }],
  spent: [{ amount: 1, currency: '$' }],
  isCut: true,
};
const REPORT_TIME = { time: '0', zone: '0' };
const NEWS: Readonly<Record<string, Text>> = {
  follows: followNotices.list(FOLLOW_KINDS).text,
  followsNothing: followNotices.list([]).text,
  followEnded: followNotices.ended('0').text,
  ...Object.fromEntries(
    Object.keys(NEWS_LEVELS).map((event) => {
      const told = { event: event as NewsEvent, chat: '0', agent: '0', tookMs: 1, step: '0' };
      const said = { words: inEveryLanguage('0'), answer: '0', question: '0' };
      const news = { ...told, ...said, outcome: inEveryLanguage('0') };
      return [event, inEach((lang) => newsOf(news, lang).text)];
    }),
  ),
  ...Object.fromEntries(
    FOLLOW_KINDS.map((kind) => {
      const news = [{ event: 'turn.answered', chat: '0' } as const];
      return [
        `several ${kind}`,
        inEach((lang) => summaryOf(kind, { news, leftOut: 1 }, lang).text),
      ];
    }),
  ),
  ...Object.fromEntries(
    ['unknown', 'interrupted', 'timed_out', 'unanswerable', 'refused', 'lost', 'else'].map(
      (why) => [`because ${why}`, newsReason(why, undefined)],
    ),
  ),
  duration: inEach((lang) => durationIn(lang, 60_000)),
  report: inEach(
    (lang) => dailyReport({ report: REPORT, day: '0', times: REPORT_TIME }, lang).text,
  ),
  reportBegun: reportNotices.begun(REPORT_TIME).text,
  reportEnded: reportNotices.ended().text,
  reportNow: reportNotices.now({ report: REPORT, times: REPORT_TIME }).text,
  reportUnasked: reportNotices.now({ report: REPORT, times: undefined }).text,
};

const TEXTS: Readonly<Record<string, Text>> = {
  ...NOTICES,
  ...OF_QUESTIONS,
  ...under('guest', GUEST),
  ...under('owner', OWNER),
  ...under('live', LIVE),
  ...under('permission', PERMISSIONS),
  'done so far': doneSoFar({ steps: [{ title: '1', status: 'done' }], lastWords: '2' }) ?? MISSED,
  'what was used': usageLine(USAGE) ?? MISSED,
  ...under('the owner is told of', ABOUT_AGENTS),
  ...under('told of', Object.fromEntries(TOLD.map((what) => [what.kind, toldShow(what).text]))),
  ...under('a press,', pressTexts),
  ...under('pressed', pressDone),
  'what can be typed instead of a press': TYPE_INSTEAD,
  ...under('attachments', ATTACHMENTS),
  ...under(
    'request',
    Object.fromEntries(request.buttons.map(({ label, action }) => [action, label])),
  ),
  ...under(
    'welcome',
    Object.fromEntries(
      (['everybody', 'known', 'nobody'] as const).map((who) => [who, welcomeTexts.group(who).text]),
    ),
  ),
  'welcome whoever is in': welcomeTexts.direct(true).text,
  'welcome a guest': welcomeTexts.direct(false).text,
  'an edit at work': editNotices.atWork().text,
  'quoted, not read': contextNotices.notRead().text,
  'a reason that is missing': notices.agentFailed('').text,
  filesLeftOut: fileNotices.leftOut([{ name: '1', why: 'empty' }]).text,
  fileNotSent: fileNotices.notSent('1').text,
  files: both(withFiles('', ['1', '2'])),
  'more files': both(
    withFiles(
      '',
      Array.from({ length: 25 }, (_, at) => String(at)),
    ),
  ),
  input: both(question('input', '')),
  signIn: both(question('sign_in', '')),
  signInThere: both(question('sign_in', AGENT_SAID)),
  ...Object.fromEntries(
    Object.entries(choices).flatMap(([name, show]) => {
      const { text, buttons } = show();
      return [
        [name, text],
        ...buttons.map(({ label, action }) => [`${name} ${action}`, label] as const),
      ];
    }),
  ),
  stopped: commandNotices.stopped({ isOwn: true }).text,
  stoppedByOwner: commandNotices.stopped({ isOwn: false }).text,
  nothingAtWork: commandNotices.nothingAtWork().text,
  notYoursToStop: commandNotices.notYoursToStop().text,
  newSession: commandNotices.newSession().text,
  ownerOnly: commandNotices.ownerOnly().text,
  notHere: commandNotices.notHere().text,
  mistyped: commandNotices.mistyped({ word: '/stpo', nearest: '/stop' }).text,
  usage: commandNotices.usage('lang', '/').text,
  usageAlone: commandNotices.usageAlone('allow', '/').text,
  ...Object.fromEntries(
    (['en', 'zh', 'auto'] as const).map((one) => [one, commandNotices.language(one).text]),
  ),
  language: commandNotices.language('auto').text,
  reconnecting: commandNotices.reconnecting().text,
  ...Object.fromEntries(
    (['allow', 'block', 'revoke'] as const).map((one) => [
      one,
      commandNotices.accessDone(one).text,
    ]),
  ),
  accessDone: commandNotices.accessDone('allow').text,
  accessUnchanged: commandNotices.accessUnchanged().text,
  accessUnknown: commandNotices.accessUnknown().text,
  accessRefused: commandNotices.accessRefused().text,
  ...OF_SESSIONS,
  help: help(COMMAND_NAMES, '/').text,
  status: status({
    version: '1',
    connectedMs: 1,
    agent: '0',
    folder: '/0',
    session: { id: '0', title: '1' },
    mode: '0',
    atWork: [],
    waiting: 0,
  }).text,
  queue: queue({ atWork: [], waiting: [], held: 1, more: 1 }).text,
  whoami: whoami({ name: '0', openId: '0', isOwner: true, session: undefined }).text,
  diagnosis: diagnosis([
    { level: 'problem', finding: inEveryLanguage('0'), next: inEveryLanguage('0') },
    { level: 'warning', finding: inEveryLanguage('0'), next: inEveryLanguage('0') },
  ]).text,
  diagnosisFailed: diagnosisFailed().text,
  ...NEWS,
  ...Object.fromEntries(Object.values(COMMANDS).map(({ help: words }) => [words.en, words])),
  ...Object.fromEntries(
    Object.entries(proof.en).flatMap(([name, en]) => {
      const zh = proof.zh[name as keyof typeof proof.zh];
      return [en].flat().map((one, at) => [`${name} ${at}`, { en: one, zh: [zh].flat()[at] }]);
    }),
  ),
};

/** Names and what people type are the same in both languages. */
const NAMES =
  /lark-bridge(?: pairing approve| folders add)?|LARK_OUTPUT_DIR|Lark|AI|MB|Open id|(?<=\s|^|[、（：])\/[a-z]+(?: [^\s：]+)*/g;

const TIMES = /\d{2}:\d{2}/g;

const CASES = Object.entries(TEXTS);

test.each(CASES)('%s is said in English alone', (_name, { en }) => {
  expect(en).toMatch(/[A-Za-z]{3}/);
  expect(en).not.toMatch(/\p{Script=Han}|[，。：；？！（）、]/u);
});

test.each(CASES)('%s is said in Chinese alone, with full-width marks', (_name, { zh }) => {
  expect(zh).toMatch(/\p{Script=Han}/u);
  expect(zh.replaceAll(NAMES, '')).not.toMatch(/[A-Za-z]/);
  expect(zh.replaceAll(TIMES, '')).not.toMatch(/[,;:?!()]|\p{Script=Han}\./u);
});

test('every notice is among them', () => {
  expect(Object.keys({ ...notices, ...commandNotices }).filter((name) => !(name in TEXTS))).toEqual(
    [],
  );
});

test('no file of texts is left out', () => {
  const here = readFileSync(import.meta.filename, 'utf8');
  const files = readdirSync(join(import.meta.dirname, '../../../src/bridge/texts'));
  // They have no texts of their own, or a test of their own.
  const others = new Set(['text.ts', 'languages.ts', 'reasons.ts', 'seen.ts', 'durations.ts']);
  expect(files.filter((file) => !others.has(file) && !here.includes(`texts/${file}'`))).toEqual([]);
});

test.each(['en', 'zh'] as const)('a reason is told once, in %s too', (lang: Language) => {
  const text = notices.agentFailed('It ended with code 3').text[lang];
  expect(text.split('It ended with code 3')).toHaveLength(2);
  expect(text).not.toContain('见上文');
});

test('what a turn has used is one line; what its agent did not say is left out', () => {
  expect(usageLine(USAGE)?.en).toBe(
    '123 tokens in · 678 tokens out · memory 15 % full · CN¥0.42 for the conversation',
  );
  expect(usageLine({ outputTokens: 1 })?.zh).toBe('输出 1 词元');
  expect(usageLine({ cost: { amount: 2, currency: 'credits' } })?.en).toBe(
    '2 credits for the conversation',
  );
  expect(usageLine({ contextTokens: 5 })).toBeUndefined();
});

test('numbers and lists are written as the language writes them', () => {
  expect(notices.queued(1234).text.en).toContain('with 1,234 before it');
  expect(withFiles('', ['a.png', 'b.pdf'])).toEqual({
    en: "Files came with this answer. I can't show them here yet: a.png and b.pdf",
    zh: '这个回答附带了文件，目前无法在这里显示：a.png和b.pdf',
  });
});

test('what an agent says without a word of the bridge stays one text', () => {
  expect(withFiles('done')).toBe('done');
  expect(question('input', 'Which one?')).toBe('Which one?');
});

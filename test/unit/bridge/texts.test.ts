import { expect, test } from 'vitest';
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
import {
  choices,
  notices,
  proofTexts,
  question,
  withFiles,
} from '../../../src/bridge/texts/texts.ts';

const TEXTS: Readonly<Record<string, string>> = {
  unsupported: notices.unsupported('image').text,
  unreadable: notices.unreadable().text,
  empty: notices.empty().text,
  emptyAnswer: notices.emptyAnswer().text,
  refused: notices.refused('no').text,
  unanswerable: notices.unanswerable().text,
  agentFailed: notices.agentFailed('no').text,
  timedOut: notices.timedOut().text,
  overdue: notices.overdue().text,
  next: notices.queued(0).text,
  queued: notices.queued(3).text,
  inDoubt: notices.inDoubt().text,
  offline: notices.offline().text,
  nothingMeant: notices.nothingMeant().text,
  notYours: notices.notYours({ canRetry: true }).text,
  buttonNotValid: notices.buttonNotValid().text,
  skipped: notices.skipped().text,
  undeliverable: notices.undeliverable().text,
  files: withFiles('', ['a.png']),
  input: question('input', ''),
  signIn: question('sign_in', ''),
  signInThere: question('sign_in', 'https://example.com'),
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
  help: help(COMMAND_NAMES, '/').text,
  status: status({ version: '1', connectedMs: 1, agent: 'x', atWork: [], waiting: 0 }).text,
  queue: queue({ atWork: [], waiting: [], held: 1, more: 1 }).text,
  whoami: whoami({ name: 'x', openId: 'ou_1', isOwner: true, session: undefined }).text,
  diagnosis: diagnosis([{ level: 'problem', finding: 'x' }]).text,
  diagnosisFailed: diagnosisFailed('x').text,
  ...Object.fromEntries(
    Object.values(COMMANDS).map(({ help: { en, zh } }) => [en, `${en}\n${zh}`]),
  ),
  ...Object.fromEntries(
    Object.values(proofTexts)
      .flat()
      .map((text) => [text, text]),
  ),
};

test.each(Object.entries(TEXTS))('%s is said in English and in Chinese', (_name, text) => {
  expect(text).toMatch(/^[A-Za-z0-9]/);
  expect(text).toMatch(/\p{Script=Han}/u);
});

test('every notice is among them', () => {
  expect(Object.keys({ ...notices, ...commandNotices }).filter((name) => !(name in TEXTS))).toEqual(
    [],
  );
});

test('a reason is told once', () => {
  const { text } = notices.agentFailed('It ended with code 3');
  expect(text.split('It ended with code 3.')).toHaveLength(2);
});

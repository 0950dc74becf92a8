/** The database, and how many calls of this month's quota it has counted. */
import type { Text } from '../core/language.ts';
import type { DatabaseFact } from '../store/facts.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

/** Calls a month that a free tenant of Lark has, for all of its apps together. */
const LARK_FREE_CALLS_PER_MONTH = 10_000;
/** SQLite moves its log into the database every 16 MB. A far larger log means that something prevents that. */
const DOCTOR_WAL_BYTES_MAX = 128 * 1024 * 1024;

const CHECK = 'database';

export function checkDatabase(path: string, fact: DatabaseFact): Finding[] {
  switch (fact.kind) {
    case 'none':
      return [
        note(CHECK, `${path} does not exist yet.`, { reason: 'The first start creates it.' }),
      ];
    case 'unreadable':
      return [
        problem(CHECK, `${path} can't be read.`, {
          reason: fact.detail,
          next: 'Correct the rights of the file and of its folder.',
          error: 'store_unavailable',
        }),
      ];
    case 'corrupt':
      return [
        problem(CHECK, `${path} is damaged.`, {
          reason: fact.detail,
          next: 'Keep a copy, and put a backup in its place. Without a backup the next start sets the file aside and creates a new one.',
          error: 'state_corrupt',
        }),
      ];
    case 'log_damaged':
      return [
        problem(CHECK, `The write-ahead log of ${path} is damaged.`, {
          reason: `${fact.detail}.`,
          next: 'Keep a copy of the folder. The next start keeps the log aside, says what is missing, and goes on.',
          error: 'state_corrupt',
        }),
      ];
    case 'incomplete':
      return [
        problem(CHECK, `${path} was changed by another program.`, {
          reason: `${fact.detail}. \`lark-bridge run\` would end at once.`,
          next: 'Put a backup back with `lark-bridge restore FILE`, or move it away: the next start then creates a new one.',
          error: 'state_corrupt',
        }),
      ];
    case 'sound':
      return [...checkVersion(path, fact), ...checkLog(fact)];
  }
}

/** Databases that were set aside because they were damaged, and are still beside the new one. */
export function checkSetAside(paths: readonly string[]): Finding[] {
  return paths.map((path) =>
    problem('database_set_aside', `A damaged database was set aside as ${path}.`, {
      reason:
        'The one in use knows nothing from before: no agents, no turns, and nobody who may talk to the bot. The bridge is not ready until somebody has looked.',
      next: 'Restore a backup with `lark-bridge restore`, or go on without. Then move that file to another folder.',
      error: 'state_corrupt',
    }),
  );
}

type Sound = Extract<DatabaseFact, { kind: 'sound' }>;

function checkVersion(path: string, { version, wanted, bytes }: Sound): Finding[] {
  if (version > wanted) {
    return [
      problem(CHECK, `${path} was written by a newer lark-bridge.`, {
        reason: `Its schema is ${version}, this version knows ${wanted}.`,
        next: 'Install that newer version, or choose another --state-dir.',
        error: 'state_newer',
      }),
    ];
  }
  if (version < wanted) {
    const reason = `Its schema is ${version}, this version wants ${wanted}.`;
    const next = 'Start the daemon of this version: it brings the database up to date.';
    return [note(CHECK, `${path} is sound, and of an older lark-bridge.`, { reason, next })];
  }
  return [ok(CHECK, `${path} is sound: schema ${version}, ${megabytes(bytes)} MB.`)];
}

function checkLog({ walBytes }: Sound): Finding[] {
  if (walBytes <= DOCTOR_WAL_BYTES_MAX) return [];
  return [
    warning('database_log', `The write-ahead log has grown to ${megabytes(walBytes)} MB.`, {
      reason: 'Another program reads the database all the time, so the log is never emptied.',
      next: 'End the program that has the file open (`fuser` names it), or restart the daemon.',
    }),
  ];
}

function megabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}

const SHARE_HIGH = 0.8;

/** `calls`: this month's, by class. */
export function checkQuota(calls: Readonly<Record<string, number>>): Finding<Text> {
  const used = Object.values(calls).reduce((sum, count) => sum + count, 0);
  const finding = {
    en: `${used} calls to Lark this month, as far as this state directory has counted.`,
    zh: `按这个状态目录的统计，本月已调用 Lark ${used} 次。`,
  };
  if (used < LARK_FREE_CALLS_PER_MONTH * SHARE_HIGH) return ok('quota', finding.en);
  return warning('quota', finding, {
    reason: `A free tenant has ${LARK_FREE_CALLS_PER_MONTH} calls a month for all of its apps together. After that Lark refuses every call.`,
    next: {
      en: 'Ask the administrator which plan the tenant has, and how much of it is used.',
      zh: '请向企业管理员确认企业使用的套餐，以及已用的额度。',
    },
  });
}

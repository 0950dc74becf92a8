/** The database, and what it knows of the month's quota. */
import type { DatabaseFact } from '../core/database-fact.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

/** What Lark's free tenants have a month, all of their apps together. */
const LARK_FREE_CALLS_PER_MONTH = 10_000;
/** A log of writes is brought into the database every 16 MB; far more means that something holds it up. */
const DOCTOR_WAL_BYTES_MAX = 128 * 1024 * 1024;

const CHECK = 'database';

export function judgeDatabase(path: string, fact: DatabaseFact): Finding[] {
  switch (fact.kind) {
    case 'none':
      return [note(CHECK, `${path} is not there yet.`, { reason: 'The first start makes it.' })];
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
          next: 'Keep a copy, and put a backup in its place; without one, the next start sets it aside and begins a new one.',
          error: 'state_corrupt',
        }),
      ];
    case 'sound':
      return [...judgeVersion(path, fact), ...judgeLog(fact)];
  }
}

type Sound = Extract<DatabaseFact, { kind: 'sound' }>;

function judgeVersion(path: string, { version, wanted, bytes }: Sound): Finding[] {
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

function judgeLog({ walBytes }: Sound): Finding[] {
  if (walBytes <= DOCTOR_WAL_BYTES_MAX) return [];
  return [
    warning('database_log', `The log of writes beside it has grown to ${megabytes(walBytes)} MB.`, {
      reason:
        'Another program reads the database without a pause, so that the log is never emptied.',
      next: 'End what has the file open (`fuser` names it), or restart the daemon.',
    }),
  ];
}

function megabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}

const SHARE_HIGH = 0.8;

/** `calls`: this month's, by class. */
export function judgeQuota(calls: Readonly<Record<string, number>>): Finding {
  const used = Object.values(calls).reduce((sum, count) => sum + count, 0);
  const finding = `${used} calls to Lark this month, as far as this state directory has counted.`;
  if (used < LARK_FREE_CALLS_PER_MONTH * SHARE_HIGH) return ok('quota', finding);
  return warning('quota', finding, {
    reason: `A free tenant has ${LARK_FREE_CALLS_PER_MONTH} a month, all of its apps together; past that Lark refuses every call.`,
    next: 'Ask the administrator which plan the tenant has, and how much of it is used.',
  });
}

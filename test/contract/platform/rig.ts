/** The platform client against something that listens, in quick time. */
import { expect, onTestFinished } from 'vitest';
import { chatId, messageId, openId, workspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { PlatformClient, type PlatformOptions } from '../../../src/platform/client.ts';
import { recordingLog } from '../../kit/log.ts';
import { PlatformDouble } from './double.ts';
import type { UnmatchedAnswer, TurnRequest } from '../../../src/bridge/ports/target.ts';
import type { Clock } from '../../../src/time/clock.ts';
import { clockWithoutTimers, fasterClock } from '../../kit/clock.ts';

export const quickClock = fasterClock(200);

/** Waits never end: what comes comes at the start. */
export const stillClock: Clock = clockWithoutTimers(() => Date.now());

export const NEVER = new AbortController().signal;
export const NO_PROXIES = { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined };

export const eventually = <T>(fact: () => T) => expect.poll(fact, { interval: 10 });

export interface Subject {
  readonly url: string;
  readonly own: string;
  readonly target: string;
  readonly token: string | undefined;
}

export async function openDouble(): Promise<PlatformDouble> {
  const double = await new PlatformDouble().open();
  onTestFinished(() => double.close());
  return double;
}

export interface MemoryCursor {
  cursor: string | undefined;
  readonly saved: (string | undefined)[];
}

/** A client that is not started, what it hands over, and what it logs. */
export function clientOf(subject: Subject, options: Partial<PlatformOptions> = {}) {
  const received: UnmatchedAnswer[] = [];
  const log = recordingLog();
  const memory: MemoryCursor = { cursor: undefined, saved: [] };
  const client = new PlatformClient({
    url: subject.url,
    workspace: workspaceId(subject.own),
    token: () => new Secret(subject.token ?? 'wst-none'),
    orgId: undefined,
    target: () => Promise.resolve(workspaceId(subject.target)),
    turnTimeoutMs: 20_000,
    receive: (answer) => {
      received.push(answer);
      return Promise.resolve();
    },
    cursor: {
      load: () => Promise.resolve(memory.cursor),
      save: (cursor) => {
        memory.cursor = cursor;
        memory.saved.push(cursor);
        return Promise.resolve();
      },
    },
    proxies: NO_PROXIES,
    clock: stillClock,
    log,
    ...options,
  });
  onTestFinished(() => client.stop());
  return { client, received, log, memory };
}

let turns = 0;

export function turnFor({ target }: Pick<Subject, 'target'>, more: Partial<TurnRequest> = {}) {
  turns += 1;
  return {
    messageId: `00000000-0000-8000-8000-${String(turns).padStart(12, '0')}`,
    text: 'hello',
    target: workspaceId(target),
    context: {
      brand: 'feishu' as const,
      chatId: chatId('oc_1'),
      chatType: 'p2p' as const,
      senderOpenId: openId('ou_1'),
      messageId: messageId('om_1'),
    },
    ...more,
  } satisfies TurnRequest;
}

export const textsOf = (answers: readonly UnmatchedAnswer[]) => answers.map(({ text }) => text);

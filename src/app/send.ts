/** What `send` runs: one message that answers nothing, through the outbox. */
import { defaultLanguage, Languages } from '../bridge/texts/languages.ts';
import { randomUUID } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { laneOfSend, sendDrafts } from '../bridge/outbox/drafts.ts';
import { Delivery } from '../bridge/outbox/delivery.ts';
import { NO_OBSERVER } from '../bridge/ports/observer.ts';
import type { JournalReader } from '../bridge/ports/journal-reader.ts';
import type { SendOrder } from '../bridge/ports/send.ts';
import { StoreRetry } from '../bridge/store-retry.ts';
import type { Config } from '../config/load.ts';
import type { AnswerFile } from '../core/content.ts';
import { BridgeError, isSystemError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type Service, startAll, stopAll } from '../time/service.ts';
import type { OutboxRow } from '../bridge/ports/outbox.ts';
import { AnswerFilesOnDisk } from '../files/answer-files.ts';
import { inWords } from '../files/system-errors.ts';
import { readWhole } from '../files/whole-file.ts';
import { contentForm } from '../lark/content/rendered.ts';
import { systemClock } from '../time/clock.ts';
import { limitAt, pause } from '../time/wait.ts';
import { ChoiceValues } from '../wire/choice-value.ts';
import { larkSettings } from './context.ts';
import { larkForOneJob } from './one-job-lark.ts';
import { keepFiles, plannedFiles } from '../files/kept-files.ts';
import { cardProblem } from './card-problem.ts';
import { openOperations } from './operations.ts';
import { ANSWER_FILES, journalOf, openState } from './state.ts';
import { runningInstance } from './state-to-read.ts';

/** A person waits for the result. An upload of 30 MB takes up to two minutes. */
const SEND_WAIT_MS = 150_000;
const LOOK_EVERY_MS = 100;
const FILES_MAX = 20;
const FILE_BYTES_MAX = 30 * 1024 * 1024;
const CARD_NEXT =
  'Give a file that holds one card in JSON, as the card builder of the developer console shows it.';

interface SendRequest {
  /** The id of a chat, the open id of a person, or an email address. */
  readonly to: string;
  readonly text?: string;
  readonly card?: string;
  /** Paths. */
  readonly files: readonly string[];
}

interface SendParts {
  readonly config: Config;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Resolves with Lark's ids of the messages, in order. Throws a `BridgeError` if one of them was not sent. */
export async function sendMessage(
  request: SendRequest,
  parts: SendParts,
): Promise<readonly string[]> {
  const { config } = parts;
  const { to, text, card } = request;
  if (card !== undefined) judgeCard(card);
  const id = randomUUID();
  const files = await keptFiles(request.files, join(config.stateDir, ANSWER_FILES, `send-${id}`));
  const order: SendOrder = {
    id,
    to,
    ...(text !== undefined && { text }),
    ...(card !== undefined && { card }),
    files,
  };
  if (sendDrafts(order, 0, contentForm).length === 0) {
    throw new BridgeError('usage', 'there is nothing to send', {
      next: 'Give a text, --file or --card.',
    });
  }
  return runningInstance(config) === undefined
    ? sendHere(order, parts)
    : sendByDaemon(order, parts);
}

/** The daemon has the app's pace of calls and the order of the outbox, so it does the sending. */
async function sendByDaemon(order: SendOrder, parts: SendParts): Promise<readonly string[]> {
  const operations = openOperations(parts.config);
  if (operations === undefined) throw new Error('a daemon runs on a state without a journal');
  try {
    await operations.orders.place('send', JSON.stringify(order));
    return await resultOf(order, operations.journal, parts.signal);
  } finally {
    operations.close();
  }
}

async function sendHere(order: SendOrder, parts: SendParts): Promise<readonly string[]> {
  const { config, log, signal } = parts;
  const settings = larkSettings(config);
  const opened: Service[] = [];
  try {
    const db = openState(config, log, { opened, app: settings });
    const base = { clock: systemClock, random: Math.random, log, observer: NO_OBSERVER };
    const { lark, closers } = larkForOneJob(settings, { config, db, log });
    const { journal, languageChoices, questions } = journalOf(db, settings.appId);
    const standard = defaultLanguage(config.lang, config.brand);
    const delivery = new Delivery({
      ...base,
      journal,
      lark: lark.gateway,
      // No row of this lane has buttons.
      choices: new ChoiceValues(new Uint8Array(32)),
      storeRetry: new StoreRetry(systemClock, log),
      languages: new Languages(languageChoices, standard),
      answerFiles: new AnswerFilesOnDisk(join(config.stateDir, ANSWER_FILES)),
      onlyLane: laneOfSend(order),
      onWithdrawn: () => Promise.resolve(),
      questions,
      onQuestionNotShown: () => {},
    });
    const services = [...closers, delivery, lark.calls];
    await startAll(services, log);
    opened.push(...services);
    delivery.offer(
      await journal.enqueue(sendDrafts(order, systemClock.nowMs(), lark.gateway.form)),
    );
    return await resultOf(order, journal, signal);
  } finally {
    await stopAll(opened, log);
  }
}

async function resultOf(
  order: SendOrder,
  journal: Pick<JournalReader, 'ofLane'>,
  stop: AbortSignal,
): Promise<readonly string[]> {
  const limit = limitAt(systemClock, stop, systemClock.nowMs() + SEND_WAIT_MS);
  try {
    while (!limit.signal.aborted) {
      const rows = await journal.ofLane(laneOfSend(order));
      const isOver = rows.length > 0 && rows.every(({ state }) => state.phase !== 'pending');
      if (isOver) return idsOf(rows);
      await pause(systemClock, limit.signal, LOOK_EVERY_MS);
    }
  } finally {
    limit.cancel();
  }
  const last = (await journal.ofLane(laneOfSend(order))).find(({ lastError }) => lastError);
  const why = last?.lastError === undefined ? '' : ` (${last.lastError})`;
  throw new BridgeError(
    stop.aborted ? 'interrupted' : 'timed_out',
    `the message is not sent yet${why}`,
    { next: 'It is kept in the outbox. A running daemon sends it as soon as it can.' },
  );
}

function idsOf(rows: readonly OutboxRow[]): readonly string[] {
  const dead = rows.find(({ state }) => state.phase === 'dead');
  if (dead !== undefined) {
    throw new BridgeError('failed', `Lark refused the message: ${dead.lastError ?? 'no reason'}`, {
      next: `See it with \`lark-bridge dead-letters show ${dead.key} --text\`.`,
    });
  }
  const ids = rows.flatMap(({ state }) => (state.phase === 'sent' ? [state.larkId] : []));
  if (ids.length > 0) return ids;
  throw new BridgeError('failed', 'nothing of the message was shown');
}

/** Whatever else is wrong with a card, Lark says. */
function judgeCard(card: string): void {
  let value: unknown;
  try {
    value = JSON.parse(card);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BridgeError('usage', `the card is no JSON: ${error.message}`, {
      next: CARD_NEXT,
      cause: error,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BridgeError('usage', 'the card is no JSON object', { next: CARD_NEXT });
  }
  const why = cardProblem(card);
  if (why === undefined) return;
  throw new BridgeError('usage', why, {
    next: 'Make it shorter, or send what is long as a file, with --file.',
  });
}

/** Copies of the files, which stay as they are until they are sent. */
async function keptFiles(paths: readonly string[], folder: string): Promise<AnswerFile[]> {
  if (paths.length === 0) return [];
  if (paths.length > FILES_MAX) {
    throw new BridgeError(
      'usage',
      `there are ${paths.length} files, and at most ${FILES_MAX} are sent at once`,
      {
        next: 'Send them in several calls, or as one archive.',
      },
    );
  }
  const given = [];
  for (const path of paths) {
    const from = resolve(path);
    given.push({ name: basename(from), bytes: await bytesOf(path), from });
  }
  keepFiles(given, folder);
  return plannedFiles(given, folder);
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    const bytes = await readWhole(path, FILE_BYTES_MAX);
    if (bytes.length > 0) return bytes;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const { message } = inWords(error) ?? error;
    throw new BridgeError('usage', `${path} can't be sent: ${message}`, {
      next: 'Give a plain file of at most 30 MB that you may read.',
      cause: error,
    });
  }
  throw new BridgeError('usage', `${path} is empty, and Lark takes no empty files`, {
    next: 'Leave it out, or say in the text that it is empty.',
  });
}

/** What an agent elsewhere is sent: a turn, and answers to what it asks. */
import { promises } from 'node:fs';
import { isSystemError } from '../../core/errors.ts';
import type { Attachment } from '../../core/turn-details.ts';
import type { AgentTurn } from '../runtime.ts';
import { saidAround } from '../said-around.ts';
import { AgentTrouble } from './trouble.ts';

/** They are held in memory, in Base64, and many servers take no larger request. */
export const SENT_FILES_BYTES_MAX = 20 * 1024 * 1024;

export interface OutgoingPart {
  readonly content:
    | { readonly $case: 'text'; readonly value: string }
    | { readonly $case: 'raw'; readonly value: Buffer }
    | { readonly $case: 'data'; readonly value: unknown };
  readonly filename?: string;
  readonly mediaType?: string;
}

export interface OutgoingMessage {
  /** The same for each try, so that an agent can tell a repeat. */
  readonly id: string;
  /** The agent's ids of the conversation and of the work that goes on. Empty: it makes new ones. */
  readonly context: string;
  readonly task: string;
  readonly parts: readonly OutgoingPart[];
}

export function textPart(value: string): OutgoingPart {
  return { content: { $case: 'text', value } };
}

/** The words of the person come first, alone. Throws an `AgentTrouble` if the files can't be sent. */
export async function promptOf(turn: AgentTurn, saidBefore: string): Promise<OutgoingMessage> {
  const { turnId, text, details = {}, session } = turn;
  const { writer, texts } = saidAround(turn, saidBefore);
  return {
    id: turnId,
    context: session?.nativeId ?? '',
    task: '',
    parts: [
      textPart(text),
      ...(writer === undefined ? [] : [textPart(`[Written by ${writer}]`)]),
      ...texts.map(({ what, said }) => textPart(`[The ${what}:]\n${said}`)),
      ...(await fileParts(details.attachments ?? [])),
    ],
  };
}

async function fileParts(attachments: readonly Attachment[]): Promise<OutgoingPart[]> {
  const bytes = attachments.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > SENT_FILES_BYTES_MAX) {
    throw new AgentTrouble('files_too_large', `the files of the message have ${bytes} bytes`);
  }
  const parts: OutgoingPart[] = [];
  for (const { path, name, mimeType } of attachments) {
    const value = await contentOf(path);
    parts.push({ content: { $case: 'raw', value }, filename: name, mediaType: mimeType });
  }
  return parts;
}

async function contentOf(path: string): Promise<Buffer> {
  try {
    return await promises.readFile(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new AgentTrouble('files_unreadable', error.message);
  }
}

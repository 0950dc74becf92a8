/** The answer to a shell that completes a command line, as its script reads it. */
import { locateDatabase } from '../../config/load.ts';
import type { Environment } from '../../config/load.ts';
import { settingKey, settingRows } from '../../config/setting-rows.ts';
import { BridgeError } from '../../core/errors.ts';
import { oneLine } from '../../text/cut.ts';
import type { Offer } from '../command.ts';
import type { Grammar } from '../command-table.ts';
import { GLOBAL_OPTIONS } from '../global-options.ts';
import { readWords } from '../read-words.ts';
import { answerTo, type Candidate } from './answer.ts';

/** Shells show it beside the word, in one line. */
const ABOUT_CHARS_MAX = 80;

interface Place {
  readonly grammar: Grammar;
  readonly env: Environment;
}

/** The first line is the kind of the answer. Each other one is a word, a tab and what it means. */
export async function complete(typed: readonly string[], { grammar, env }: Place): Promise<string> {
  const { 'state-dir': stateDir } = readWords(typed, GLOBAL_OPTIONS).options;
  const flags = typeof stateDir === 'string' && stateDir !== '' ? { stateDir } : {};
  const names = (offer: Exclude<Offer, 'file' | 'folder'>) => namesFor(offer, { env, flags });
  const answer = await answerTo(typed, { grammar, names });
  if (answer.kind !== 'words') return answer.kind;
  return [
    answer.kind,
    ...answer.words.map(({ word, about }) => `${word}\t${oneLine(about, ABOUT_CHARS_MAX)}`),
  ].join('\n');
}

async function namesFor(
  offer: Exclude<Offer, 'file' | 'folder'>,
  request: Parameters<typeof locateDatabase>[0],
): Promise<Candidate[]> {
  if (offer === 'setting') {
    return settingRows().map(([name, { doc }]) => ({ word: settingKey(name), about: doc }));
  }
  try {
    const path = locateDatabase(request);
    const { namesOf } = await import('../../app/names.ts');
    return namesOf(offer, path).map(({ name, about }) => ({ word: name, about }));
  } catch (error) {
    // Whoever presses Tab wants no error about a file. The command itself says it.
    if (!(error instanceof BridgeError)) throw error;
    return [];
  }
}

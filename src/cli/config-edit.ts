/** `config edit`: config.json in the person's editor. What is wrong never takes the place of what works. */
import { existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { configText, saveConfigText } from '../config/config-file.ts';
import { configTemplate } from '../config/config-template.ts';
import { checkConfig, configError, locateStateDir } from '../config/load.ts';
import { configPath, makeStateDir } from '../config/state-folder.ts';
import { BridgeError } from '../core/errors.ts';
import { keptName } from '../files/kept-name.ts';
import { writePrivateFile } from '../files/private-file.ts';
import { runEditor } from '../host/editor.ts';
import type { Invocation } from './command.ts';

export const FROM_NEXT_START =
  'It counts from the next start of the bot (`lark-bridge service restart`, if it is a service).';

export async function editConfig(invocation: Invocation): Promise<void> {
  const { output, configRequest, env, signal } = invocation;
  const stateDir = locateStateDir(configRequest([]));
  makeStateDir(stateDir);
  const path = configPath(stateDir);
  const draft = join(stateDir, 'config.draft.json');
  const before = configText(stateDir);
  // A text that was refused is opened again, unless the file has changed since.
  if (isOlder(draft, path)) {
    output.note(`${path} has changed since. Your earlier text is kept as ${setAside(draft)}.`);
  }
  const given = existsSync(draft) ? undefined : (before ?? configTemplate());
  if (given !== undefined) writePrivateFile(draft, given);
  const code = await runEditor(draft, { env, signal });
  if (code !== 0) {
    if (given === readFileSync(draft, 'utf8')) rmSync(draft);
    throw new BridgeError('failed', `the editor ended with ${code ?? 'a signal'}`, {
      next: `${path} is as it was. Choose an editor with the variable EDITOR.`,
    });
  }
  const text = readFileSync(draft, 'utf8');
  const isChanged = text !== (before ?? configTemplate());
  if (isChanged) {
    await mustBeGood(invocation, text);
    if (configText(stateDir) !== before) throw changedMeanwhile(path, draft);
    saveConfigText(stateDir, text);
  }
  rmSync(draft);
  const said = isChanged ? `Saved ${path}. ${FROM_NEXT_START}` : 'Nothing was changed.';
  output.result(said, { path, changed: isChanged });
}

function isOlder(draft: string, path: string): boolean {
  const [mine, theirs] = [draft, path].map((one) => statSync(one, { throwIfNoEntry: false }));
  return mine !== undefined && theirs !== undefined && mine.mtimeMs < theirs.mtimeMs;
}

function changedMeanwhile(path: string, draft: string): BridgeError {
  return new BridgeError('failed', `${path} was changed while you edited it`, {
    next: `It is as it was changed. Your text is kept as ${setAside(draft)}: edit again, and take over what you need.`,
  });
}

function setAside(draft: string): string {
  const kept = keptName(draft, 'kept');
  renameSync(draft, kept);
  return kept;
}

/** Throws for what this text brings that was not wrong before. */
async function mustBeGood({ configRequest }: Invocation, typed: string): Promise<void> {
  const next =
    'config.json is as it was. Your text is kept: `lark-bridge config edit` opens it again.';
  try {
    const report = await checkConfig({ ...configRequest([]), configText: typed });
    const { problems: known } = await checkConfig({ ...configRequest([]), configText: '{}' });
    const own = report.problems.filter(({ text }) => !known.some((one) => one.text === text));
    if (own.length > 0) throw configError(own, report.stateDir);
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    throw new BridgeError(error.code, error.message, { next, cause: error });
  }
}

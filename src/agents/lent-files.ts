/** Gives a program that runs as another user the files of its turn, and takes them back at its end. */
import { promises as fs } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSystemError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Attachment } from '../core/turn-details.ts';
import { failureSentence } from '../wire/failure-sentences.ts';
import { CANCELLED } from './ended-run.ts';
import type { ProgramUser } from './program-user.ts';
import type { AgentResult, AgentRun, AgentTurn } from './runtime.ts';
import { turnLog } from './turn-log.ts';

const NOT_LENT: AgentResult = {
  ok: false,
  reason: 'failed',
  detail: failureSentence('files_not_given'),
};

interface Lender {
  readonly user: ProgramUser;
  readonly log: Log;
  /** Starts the program for a turn. */
  readonly start: (turn: AgentTurn) => AgentRun;
}

/**
 * The state directory is closed to that user, and stays so. So the files are copied into a folder of their own. It
 * belongs to the bridge and its name can't be guessed; each copy can be read by that user only. As the user can't
 * change the folder, nothing else can be put into the place of a copy before it is removed.
 */
export function runWithLentFiles(turn: AgentTurn, { user, log, start }: Lender): AgentRun {
  let run: AgentRun | undefined;
  let isCancelled = false;
  const work = async (): Promise<AgentResult> => {
    const folder = await fs.mkdtemp(join(tmpdir(), 'lark-bridge-'));
    try {
      await fs.chmod(folder, 0o711);
      const attachments = await copiesIn(folder, turn.details?.attachments ?? [], user);
      if (isCancelled) return CANCELLED;
      run = start({ ...turn, details: { ...turn.details, attachments } });
      return await run.result;
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
    }
  };
  const result = work().catch((error: unknown) => {
    if (!isSystemError(error)) throw error;
    turnLog(log, turn).error('agent_files_not_lent', {
      error: error.message,
      next: 'Check the room and the rights of the folder for temporary files.',
    });
    return NOT_LENT;
  });
  return {
    result,
    cancel: () => {
      isCancelled = true;
      run?.cancel();
    },
    answer: (...given) => run?.answer(...given) ?? false,
  };
}

async function copiesIn(
  folder: string,
  attachments: readonly Attachment[],
  { uid, gid }: ProgramUser,
): Promise<Attachment[]> {
  const copies: Attachment[] = [];
  for (const [at, attachment] of attachments.entries()) {
    // Two files may have the same name.
    const place = join(folder, String(at + 1));
    await fs.mkdir(place, { mode: 0o711 });
    const path = join(place, attachment.name);
    await fs.copyFile(attachment.path, path);
    await fs.chmod(path, 0o400);
    await fs.chown(path, uid, gid);
    copies.push({ ...attachment, path });
  }
  return copies;
}

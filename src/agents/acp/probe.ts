/** Finds out whether an agent starts and speaks our version of the protocol. It gets no prompt. */
import { UserOfProgram } from '../program-user.ts';
import { BridgeError } from '../../core/errors.ts';
import { notReady } from '../exec-failures.ts';
import type { AgentIdentity } from './abilities.ts';
import { openProcess, type ProcessParts } from './process.ts';
import { troubleResult } from './results.ts';
import type { FailedResult } from '../runtime.ts';
import { AcpTrouble } from './trouble.ts';

type Probe = { readonly ok: true; readonly identity: AgentIdentity } | FailedResult;

/** Takes at most as long as agents have to get ready: a minute. Nothing is left of the program. */
export async function probeAgent(parts: Omit<ProcessParts, 'user'>): Promise<Probe> {
  const user = new UserOfProgram(parts.spec.user);
  await user.find();
  try {
    const program = await openProcess({ ...parts, user: user.get() });
    await program.start();
    await program.end();
    return { ok: true, identity: program.identity };
  } catch (error) {
    if (error instanceof BridgeError) return notReady(parts.log, error);
    if (!(error instanceof AcpTrouble)) throw error;
    return troubleResult(error.trouble, undefined);
  }
}

/** What the state of each part means for people: a text with the next step, or nothing if all is well. */
import type { Trouble } from './health.ts';

export function storageTrouble(
  fact: { readonly sinceMs: number; readonly detail: string } | undefined,
): Trouble | undefined {
  if (fact === undefined) return undefined;
  return {
    sinceMs: fact.sinceMs,
    text: `The database refuses writes (${fact.detail}), so no message is taken. Make room on the disk of the state directory, correct its rights, or end the program that locks the database. After that the bridge continues by itself.`,
  };
}

/** Why the process has to end: its database is damaged, or no longer where it was. */
export function lossTrouble(what: string | undefined): Trouble | undefined {
  if (what === undefined) return undefined;
  return {
    text: `No message is taken: ${what}. The process ends within seconds, and says where everything is that was stored. Then put the files back if that is needed, and start lark-bridge again.`,
  };
}

/** A damaged database was set aside, and nobody has looked at it: then it would not be in its place any more. */
export function lostDataTrouble(path: string | undefined): Trouble | undefined {
  if (path === undefined) return undefined;
  return {
    text: `The database was damaged and was set aside as ${path}. The new one knows nothing from before: no agents, no turns, and nobody who may talk to the bot. Restore a backup with \`lark-bridge restore\`, or go on without. Then move that file to another folder, so that lark-bridge knows that you have looked.`,
  };
}

/** An agent whom nobody serves, as the hub sees it. */
interface Unserved {
  readonly agent: string;
  readonly why: 'never' | 'gone' | 'unreachable';
  readonly sinceMs: number;
}

/** The first agent whom nobody serves. */
export function agentTrouble(unserved: Unserved | undefined): Trouble | undefined {
  if (unserved === undefined) return undefined;
  const { agent, why, sinceMs } = unserved;
  const since = new Date(sinceMs).toISOString();
  const other = `or let another agent answer: \`lark-bridge agents list\` shows them.`;
  switch (why) {
    case 'never':
      return {
        sinceMs,
        text: `Nobody has asked for the work of the agent ${agent} yet, so its turns wait. Start the program that fetches them (docs/turn-contract.md), ${other}`,
      };
    case 'gone':
      return {
        sinceMs,
        text: `Nobody has asked for the work of the agent ${agent} since ${since}, so its turns wait. Start its program again, ${other}`,
      };
    case 'unreachable':
      return {
        sinceMs,
        text: `The address of the agent ${agent} does not answer, so its turns fail. Start that agent, check the address, ${other}`,
      };
  }
}

/** Why this process can open no file, if it can't. */
export function openFilesTrouble(
  fact: { readonly message: string; readonly next?: string | undefined } | undefined,
): Trouble | undefined {
  if (fact === undefined) return undefined;
  return {
    text: `No file, connection or program can be opened: ${fact.message}. What comes in waits, and the bridge continues by itself when some are closed. ${fact.next ?? ''}`.trim(),
  };
}

export function larkTrouble({
  state,
  lastError,
  refusedSinceMs,
}: {
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped' | 'refused';
  readonly lastError: string | undefined;
  /** Lark says no, and is asked again. */
  readonly refusedSinceMs?: number | undefined;
}): Trouble | undefined {
  const why = lastError === undefined ? '' : ` (${lastError})`;
  switch (state) {
    case 'connected':
      return undefined;
    case 'connecting':
    case 'waiting':
      if (refusedSinceMs !== undefined) {
        return {
          sinceMs: refusedSinceMs,
          text: `Lark refuses the connection${why}. The bridge tries again by itself. If this goes on and Lark gives no token either, the process ends after some minutes. Check in the developer console whether the app secret was changed or the app was disabled.`,
        };
      }
      return {
        text: `Not connected to Lark${why}; the bridge tries again by itself. If this lasts, check the network, HTTPS_PROXY and LARK_OPEN_BASE_URL.`,
      };
    case 'stopped':
      return { text: 'Not connected to Lark: the process is starting or stopping. Wait a moment.' };
    case 'refused':
      return {
        text: `Lark refuses the connection for good${why}. Check LARK_APP_ID, LARK_APP_SECRET and LARK_BRAND, or run \`lark-bridge connect\`, and start the bridge again.`,
      };
  }
}

export function hubTrouble(
  { reachable, detail }: { readonly reachable: boolean; readonly detail: string | undefined },
  url: string,
): Trouble | undefined {
  if (reachable) return undefined;
  return {
    text: `The hub at ${url} can't be used (${detail ?? 'no answer'}), so turns wait. Check that the hub runs, and check PLATFORM_URL and MOLECULE_WORKSPACE_TOKEN if they are set.`,
  };
}

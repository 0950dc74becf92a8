/** The hub: can the embedded one start, or can the other one be used? */
import { createServer } from 'node:net';
import { DOCTOR_CALL_TIMEOUT_MS } from '../core/limits.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Text } from '../core/language.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Node's code for why no program can listen there now; undefined if one can. Listens there for a moment. */
export function whyNotListen({ host, port }: Address): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    const timer = setTimeout(() => resolve('EAI_AGAIN'), DOCTOR_CALL_TIMEOUT_MS);
    const done = (code: string | undefined) => {
      clearTimeout(timer);
      resolve(code);
    };
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === undefined) reject(error);
      else done(error.code);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(undefined)));
  });
}

export function checkPort({ host, port }: Address, why: string | undefined): Finding {
  const address = `${host}:${port}`;
  if (why === undefined) {
    return ok(
      'hub',
      port === 0 ? 'It can be started, at any free port.' : `It can be started at ${address}.`,
    );
  }
  const taken = why === 'EADDRINUSE';
  return problem(
    'hub',
    taken ? `${address} is taken.` : `No program can listen at ${address} (${why}).`,
    {
      reason: 'The embedded hub has to listen there. `lark-bridge run` would end at once.',
      next: taken
        ? 'Stop the program that uses it, or choose another port with LARK_PORT.'
        : 'Choose an address of this machine with LARK_HOST, and with LARK_PORT a port above 1023.',
      error: taken ? 'port_in_use' : 'config_invalid',
    },
  );
}

interface ProtectionFact {
  readonly kind: 'problem' | 'warning';
  readonly what: Text;
  readonly next: Text;
}

/** Who else can read what goes to the embedded hub, and what its certificate is worth. */
export function checkProtection(facts: readonly ProtectionFact[]): Finding<Text>[] {
  return facts.map(({ kind, what, next }) => {
    const finding = { en: `${what.en}.`, zh: `${what.zh}。` };
    return kind === 'problem'
      ? problem('protection', finding, {
          reason: '`lark-bridge run` would end at once.',
          next,
          error: 'config_invalid',
        })
      : warning('protection', finding, {
          reason: 'The bot goes on, but clients of the hub that check certificates refuse it.',
          next,
        });
  });
}

/** What a probe of a hub elsewhere found. */
interface HubFinding {
  readonly kind: string;
  readonly level: 'error' | 'warn';
  readonly detail: string;
  readonly next: string;
}

const ERROR_OF: Readonly<Record<string, ErrorCode>> = {
  unreachable: 'unreachable',
  token_refused: 'platform_refused',
  workspace_refused: 'platform_refused',
  workspace_removed: 'platform_refused',
};

export function checkRemoteHub(url: string, findings: readonly HubFinding[]): Finding[] {
  if (findings.length === 0)
    return [ok('hub', `${url} takes turns, and the workspace that gets them exists.`)];
  return findings.map(({ kind, level, detail, next }) => {
    const finding = `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`;
    if (level === 'warn')
      return warning('hub', finding, { reason: `The hub at ${url} answered this.`, next });
    const error = ERROR_OF[kind] ?? 'failed';
    return problem('hub', finding, {
      reason: 'As long as this lasts, no turn reaches an agent.',
      next,
      error,
    });
  });
}

interface AgentFact {
  /** The agent that the settings name; undefined means the newest one. */
  readonly wanted: string | undefined;
  readonly names: readonly string[];
}

/** Who gets the turns on the embedded hub. Before its first start it has no agents. */
export function checkAgent({ wanted, names }: AgentFact): Finding[] {
  if (wanted === undefined || names.includes(wanted) || (names.length === 0 && wanted === 'echo')) {
    return [];
  }
  return [
    problem('agent', `There is no agent ${wanted} on the hub.`, {
      reason: `The setting \`agent\` (LARK_BRIDGE_AGENT) names it, so \`lark-bridge run\` would end at once. The hub has: ${names.join(', ') || 'none'}.`,
      next: `Add it with \`lark-bridge agents add ${wanted}\`, or name another one.`,
      error: 'config_invalid',
    }),
  ];
}

/**
 * Agents whose programs nothing keeps away from the files of the bridge. Everybody who reaches the bot may write to
 * them.
 */
export function checkPrograms(unprotected: readonly string[]): Finding[] {
  if (unprotected.length === 0) return [];
  return [
    warning(
      'agent_programs',
      `Programs of agents run as the user of lark-bridge: ${unprotected.join(', ')}.`,
      {
        reason:
          'They can read the credentials, tokens and messages that the bridge keeps. So an agent that follows the words of a stranger can give them away.',
        next: 'Add them anew with --user USER (lark-bridge then runs as root), or in a sandbox (bwrap): see "Keep an agent away from the bridge" in docs/agents.md.',
      },
    ),
  ];
}

interface CgroupFact {
  /** Whether a daemon runs, of which this is true. Else it is true of one that is started as `doctor` was. */
  readonly isRunning: boolean;
  /** A part of a sentence; undefined if there are cgroups. */
  readonly whyNot: string | undefined;
}

/** What ends the processes that programs of agents leave behind. */
export function checkCgroups({ isRunning, whyNot }: CgroupFact): Finding {
  const check = 'agent_processes';
  const who = isRunning ? 'lark-bridge' : 'lark-bridge, if it is started like this command,';
  if (whyNot === undefined) {
    return ok(
      check,
      `${who} gives each run of an agent a cgroup, and ends all that is in it with the turn.`,
    );
  }
  return note(check, `${who} can make no cgroups for the runs of agents: ${whyNot}.`, {
    reason:
      'So a turn ends the process group of its program, and what has its mark in the environment. A process that leaves the group and clears its environment goes on.',
    next: 'Let systemd run lark-bridge. If it does, write the unit anew: lark-bridge service install',
  });
}

interface QuotaFact {
  readonly workspace: string;
  readonly quota: 'bytes' | 'rows' | 'waiting';
  readonly used: number;
  readonly most: number;
}

/** From this share of a quota on the operator is told. */
export const QUOTA_SHARE_HIGH = 0.8;
const TOLD_MAX = 5;

/** Workspaces of others whose messages the embedded hub soon refuses, or refuses already. The fullest come first. */
export function checkWorkspaces(facts: readonly QuotaFact[]): Finding[] {
  return facts.slice(0, TOLD_MAX).map(({ workspace, quota, used, most }) => {
    const [amount, refused, next] = {
      bytes: [
        `${megabytes(used)} of ${megabytes(most)} MB in the database`,
        'more with 507',
        'Its inbox is emptied after 30 days. If it stores too much, remove it or let it send less.',
      ],
      rows: [
        `${used} of ${most} rows in the database`,
        'more with 507',
        'Its inbox is emptied after 30 days. If it stores too much, remove it or let it send less.',
      ],
      waiting: [
        `${used} of ${most} turns that wait`,
        'more with 429',
        'See why its agents do not answer: `lark-bridge agents list`.',
      ],
    }[quota];
    return warning('workspace_quota', `The workspace ${workspace} has ${amount}.`, {
      reason: `The hub gives each workspace so much and refuses ${refused}.`,
      next: next ?? '',
    });
  });
}

function megabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(0);
}

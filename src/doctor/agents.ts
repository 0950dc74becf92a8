/** The programs of agents: can each be started here, by the service too, and does it understand the bridge? */
import { type Finding, ok, problem, warning } from './finding.ts';

/** What one agent is like. What is undefined was not looked at, or is in order. */
export interface AgentFact {
  readonly name: string;
  /** Why its program can't be started, and what to do. */
  readonly notStartable?: { readonly what: string; readonly next: string } | undefined;
  /** The folder that it works in is no folder. */
  readonly missingFolder?: string | undefined;
  /** Its Node is older than what it asks for. */
  readonly oldNode?: { readonly own: string; readonly needed: string } | undefined;
  /** A service that would not find its program, and why. */
  readonly service?: { readonly unit: string; readonly what: string } | undefined;
  /** What it said when it was started and asked for its version of the protocol. */
  readonly probe?: AgentProbe | undefined;
  /** Whether the card of an agent elsewhere can be read and used. */
  readonly card?: { readonly ok: true } | { readonly ok: false; readonly detail: string };
  readonly version?: string | undefined;
  readonly login?: 'yes' | 'no' | 'unknown';
  /** The command that logs in. */
  readonly loginCommand?: string | undefined;
}

type AgentProbe =
  | { readonly ok: true; readonly says: string | undefined }
  | { readonly ok: false; readonly detail: string; readonly said: string };

export function checkAgents(facts: readonly AgentFact[]): Finding[] {
  return facts.flatMap((fact) => {
    const found = [...startFound(fact), ...aroundFound(fact)];
    return found.length > 0 ? found : [soundAgent(fact)];
  });
}

function soundAgent({ name, probe, card, version, login }: AgentFact): Finding {
  if (card !== undefined) {
    return ok('agent_program', `The agent ${name}: its card can be read, and names an address.`);
  }
  const what = [(probe?.ok === true ? probe.says : undefined) ?? 'its program', version];
  const words = what.filter((word) => word !== undefined).join(' ');
  const speaks = probe === undefined ? 'can be started' : 'starts and speaks the protocol';
  const known = { yes: ' It is logged in.', no: '', unknown: '' }[login ?? 'unknown'];
  return ok('agent_program', `The agent ${name}: ${words} ${speaks}.${known}`);
}

/** Whether it starts at all. The first trouble explains the others. */
function startFound({ name, notStartable, missingFolder, probe, card }: AgentFact): Finding[] {
  const check = 'agent_program';
  const each = 'As long as this lasts, each of its turns fails.';
  if (notStartable !== undefined) {
    const { what, next } = notStartable;
    const finding = `The agent ${name} can't be started: ${what}.`;
    return [problem(check, finding, { reason: each, next, error: 'failed' })];
  }
  if (missingFolder !== undefined) {
    return [
      problem(check, `The agent ${name} works in ${missingFolder}, which is no folder.`, {
        reason: each,
        next: `Make the folder, or add the agent anew with another one: lark-bridge agents add ${name} --folder DIR`,
        error: 'failed',
      }),
    ];
  }
  if (probe?.ok === false) {
    const said = probe.said === '' ? '' : ` It said: ${probe.said}`;
    return [
      problem(check, `The agent ${name} does not get ready: ${probe.detail}`, {
        reason: `${each}${said}`,
        next: `See what it says with: lark-bridge agents test ${name}`,
        error: 'failed',
      }),
    ];
  }
  if (card?.ok === false) {
    return [
      problem(check, `The agent ${name} can't be used: ${card.detail}`, {
        reason: each,
        next: `Look at its address with \`lark-bridge agents list\`. When it is up again, nothing has to be restarted.`,
        error: 'failed',
      }),
    ];
  }
  return [];
}

function aroundFound({ name, oldNode, service, login, loginCommand }: AgentFact): Finding[] {
  const found: Finding[] = [];
  if (oldNode !== undefined) {
    found.push(
      warning('agent_node', `The agent ${name} runs with Node.js ${oldNode.own}.`, {
        reason: `It asks for ${oldNode.needed} or newer, so some of it may not work.`,
        next: 'Install a newer Node.js, and add the agent anew with it on the PATH.',
      }),
    );
  }
  if (service !== undefined) {
    found.push(
      warning('agent_service', `The service would not find the agent ${name}: ${service.what}.`, {
        reason: `Its PATH is written in ${service.unit}, and is not that of this shell.`,
        next: 'Write it anew with the PATH of this shell: lark-bridge service install',
      }),
    );
  }
  if (login === 'no') {
    found.push(
      warning('agent_login', `The agent ${name} is not logged in.`, {
        reason: 'Neither the file of its login nor a key that it gets is there.',
        next:
          loginCommand === undefined
            ? 'Log in with its own program, as the user of lark-bridge.'
            : `Run this as the user of lark-bridge: ${loginCommand}`,
      }),
    );
  }
  return found;
}

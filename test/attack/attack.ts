/**
 * `npm run attack`: the built program with ordinary people, and then with adversaries beside them: hostile
 * callers of its hub, agents that misbehave, guests who forge, and files of others in its folder. Looks all the
 * while whether anybody else notices. One seed draws all of it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { Crowd } from '../e2e/crowd.ts';
import { type BridgeProcess, Rig } from '../e2e/rig.ts';
import { residentBytes } from '../kit/memory.ts';
import { seeded } from '../sim/random.ts';
import { type Assault, type AssaultReport } from './adversary.ts';
import type { Order } from './adversary-process.ts';
import type { Account } from './hostile-calls.ts';
import { hostileText, pick } from './hostile-values.ts';

const CHATS = 20;
const LOOK_MS = 1_000;
const CALLS_MS_MAX = 120_000;
/** A disk has slow minutes, so quiet and attacked times follow each other within one. */
const ROUND_MS_MAX = 60_000;
/** The turns of hostile agents go on so long after the attack: their time limit and the end of their programs. */
const CALM_MS = 15_000;
const MB = 1024 * 1024;
const LAUNCH = join(import.meta.dirname, '../launch.js');

/** What must hold, however it is attacked. */
const BOUNDS = {
  /** Resident memory over that of the quiet time. */
  memoryMoreMax: 250 * MB,
  /** Tenants have quotas. */
  stateBytesMax: 1024 * MB,
  /** The time from a message to its answer, 99th percentile, as a multiple of that of the quiet time. */
  answerTimesP99Max: 1.5,
} as const;

/** Asleep under a name by which what is left of it is found. */
const SLEEP = 'sleep 86399';
const AGENT = `
text=$(cat)
case "$text" in
  *hang*) exec ${SLEEP} ;;
  *deaf*) trap '' TERM; ${SLEEP}; ${SLEEP} ;;
  *fork*) ${SLEEP} >/dev/null 2>&1 & echo done ;;
  *away*) setsid ${SLEEP} >/dev/null 2>&1 & echo done ;;
  *flood*) yes | head -c 3000000 ;;
  *noise*) head -c 20000 /dev/urandom; head -c 20000 /dev/urandom >&2 ;;
  *silent*) exec >&- 2>&- <&-; exec ${SLEEP} ;;
  *suicide*) kill -9 $$ ;;
  *spy*) env; tr '\\0' '\\n' </proc/$PPID/environ; cat "$HOME"/state/provision-token 2>&1 | wc -c ;;
  *) echo done ;;
esac`;

const CARD = {
  schema: '2.0',
  body: {
    elements: [
      {
        tag: 'button',
        text: { tag: 'plain_text', content: 'Run' },
        behaviors: [{ type: 'callback', value: { lark_bridge_choice: 'run' } }],
      },
    ],
  },
};

export interface AttackOptions {
  /** In all rounds together, as is `attackedMs`. */
  readonly quietMs: number;
  readonly attackedMs: number;
  readonly rounds: number;
  /** The attack goes on until there were so many hostile calls: on a busy machine they take longer. */
  readonly callsMin: number;
  readonly perSecond: number;
  readonly seed: number;
  readonly print: (line: string) => void;
}

export interface AttackReport {
  readonly assault: AssaultReport;
  readonly said: number;
  readonly quietP99Ms: number;
  readonly attackedP99Ms: number;
  readonly complaints: readonly string[];
}

export async function main(words: string[]): Promise<number> {
  const { values } = parseArgs({
    args: words,
    options: {
      minutes: { type: 'string', default: '10' },
      rate: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
    },
  });
  const half = Number(values.minutes) * 30_000;
  const report = await attack({
    quietMs: half,
    attackedMs: half,
    rounds: Math.ceil((2 * half) / ROUND_MS_MAX),
    callsMin: 0,
    perSecond: Number(values.rate),
    seed: Number(values.seed),
    print: (line) => console.log(line),
  });
  const { quietP99Ms, attackedP99Ms, assault } = report;
  const ratio = attackedP99Ms / quietP99Ms;
  console.log(`p99 from message to answer: ${quietP99Ms} ms quiet, ${attackedP99Ms} ms attacked`);
  console.log(`${assault.calls} hostile calls: ${JSON.stringify(assault.statuses)}`);
  const complaints = [...report.complaints];
  if (ratio > BOUNDS.answerTimesP99Max)
    complaints.push(`answers took ${ratio.toFixed(2)} times as long`);
  for (const complaint of complaints) console.log(`BROKEN: ${complaint}`);
  return complaints.length === 0 ? 0 : 1;
}

/** Reports what did not hold, without the times: a busy machine has its own. */
export async function attack(options: AttackOptions): Promise<AttackReport> {
  const rig = await Rig.open({
    seed: options.seed,
    messagesPerChatMax: 2_000,
    keptMax: 1_000,
    rateLimits: false,
  });
  try {
    const scene = await Scene.open(rig);
    return await new Attack(scene, options).run();
  } finally {
    await rig.close();
  }
}

interface Tenants {
  /** Of the adversary. */
  readonly hostile: readonly Account[];
  /** Whose words nobody else may read, and what these are. */
  readonly victim: Account;
  readonly words: string;
  readonly turnIds: readonly string[];
  readonly agents: readonly string[];
}

/** The program with an agent that misbehaves, tenants, and files of others in its folder. */
class Scene {
  readonly rig: Rig;
  bridge: BridgeProcess;
  readonly hubUrl: string;
  readonly tenants: Tenants;
  readonly files: HostileFiles;
  /** Of all processes so far. */
  #log = '';

  private constructor(rig: Rig, parts: Omit<Scene, 'rig' | 'restart' | 'log' | 'call'>) {
    this.rig = rig;
    this.bridge = parts.bridge;
    this.hubUrl = parts.hubUrl;
    this.tenants = parts.tenants;
    this.files = parts.files;
  }

  static async open(rig: Rig): Promise<Scene> {
    const files = new HostileFiles(rig);
    await rig.addAgent('brute', AGENT);
    const added = await rig.command(['agents', 'add', 'elsewhere', '--json']);
    const bridge = await rig.run(daemon(rig, '0'));
    const hubUrl = (await bridge.ready()).hub_url;
    const tenants = await tenantsOf(rig, hubUrl, added.stdout);
    return new Scene(rig, { bridge, hubUrl, tenants, files });
  }

  /** Kills the program, and starts it again at the same address. */
  async restart(): Promise<void> {
    await this.bridge.stop('SIGKILL');
    this.#log += this.bridge.stderr;
    this.bridge = await this.rig.run(daemon(this.rig, new URL(this.hubUrl).port));
  }

  get log(): string {
    return this.#log + this.bridge.stderr;
  }

  /** The victim looks at what is its own. Undefined while the hub is not there. */
  async call(path: string): Promise<{ status: number; text: string } | undefined> {
    return callAs(this.hubUrl, this.tenants.victim, path).catch(() => undefined);
  }
}

function daemon(rig: Rig, port: string) {
  return {
    words: ['run', '--json', '--log-format', 'json', '--turn-timeout-secs', '10'],
    env: {
      LARK_BRIDGE_AGENT: 'echo',
      LARK_BRIDGE_CALL_LIMITS: 'off',
      LARK_PORT: port,
      HOME: rig.home,
    },
  };
}

async function callAs(hubUrl: string, by: Account, path: string, body?: unknown) {
  const response = await fetch(hubUrl + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      Authorization: `Bearer ${by.token}`,
      'X-Workspace-ID': by.id,
      'Content-Type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

async function tenantsOf(rig: Rig, hubUrl: string, added: string): Promise<Tenants> {
  const provision = readFileSync(join(rig.stateDir, 'provision-token'), 'utf8').trim();
  const register = async (name: string): Promise<Account> => {
    const id = randomUUID();
    const body = { id, agent_card: { name }, delivery_mode: 'poll' };
    const by = { id, token: provision };
    const { text } = await callAs(hubUrl, by, '/registry/register', body);
    return { id, token: (JSON.parse(text) as { auth_token: string }).auth_token };
  };
  const victim = await register('victim');
  const friend = await register('friend');
  const words = `canary-${randomUUID()}`;
  const parts = [{ kind: 'text', text: words }];
  const params = { message: { role: 'user', messageId: randomUUID(), parts } };
  const request = { jsonrpc: '2.0', id: words, method: 'message/send', params };
  const sent = await callAs(hubUrl, friend, `/workspaces/${victim.id}/a2a`, request);
  await callAs(hubUrl, victim, `/workspaces/${victim.id}/notify`, { message: words });
  const peers = await callAs(hubUrl, victim, `/registry/${victim.id}/peers`);
  const known = JSON.parse(peers.text) as { id: string; name: string }[];
  const key = JSON.parse(added) as { workspace_id: string; api_key: string };
  return {
    hostile: [
      await register('greedy'),
      await register('curious'),
      { id: key.workspace_id, token: key.api_key },
    ],
    victim,
    words,
    turnIds: [(JSON.parse(sent.text) as { queue_id: string }).queue_id],
    agents: known.filter(({ name }) => name === 'brute').map(({ id }) => id),
  };
}

/** Files that others put where the program keeps its own, and what these lead to. */
class HostileFiles {
  readonly #elsewhere: string;
  readonly #stateDir: string;
  readonly #programs = ['notes.txt', '12345.txt', 'main.c'];
  readonly #links = [
    'provision-token.new',
    'programs/77.1.link',
    'bridge.db.new',
    'config.json.new',
  ];

  constructor(rig: Rig) {
    this.#stateDir = rig.stateDir;
    this.#elsewhere = join(rig.home, 'elsewhere');
    const programs = join(rig.stateDir, 'programs');
    mkdirSync(programs, { recursive: true, mode: 0o700 });
    mkdirSync(this.#elsewhere);
    for (const name of this.#programs) writeFileSync(join(programs, name), name);
    for (const [at, link] of this.#links.entries()) {
      const target = join(this.#elsewhere, `${at}`);
      writeFileSync(target, 'theirs');
      symlinkSync(target, join(rig.stateDir, link));
    }
  }

  complaints(): string[] {
    const left = readdirSync(join(this.#stateDir, 'programs'));
    const gone = this.#programs.filter((name) => !left.includes(name));
    const changed = this.#links.filter(
      (_link, at) => readFileSync(join(this.#elsewhere, `${at}`), 'utf8') !== 'theirs',
    );
    return [
      ...gone.map((name) => `the file programs/${name} of somebody else is gone`),
      ...changed.map((link) => `something was written through the link ${link}`),
    ];
  }
}

class Attack {
  readonly #scene: Scene;
  readonly #options: AttackOptions;
  readonly #crowd: Crowd;
  readonly #complaints = new Set<string>();
  readonly #random: () => number;
  #calls = 0;
  #attacking = false;
  #quietBytes: number | undefined;

  constructor(scene: Scene, options: AttackOptions) {
    this.#scene = scene;
    this.#options = options;
    this.#random = seeded(options.seed);
    this.#crowd = new Crowd(scene.rig, { ...options, chats: CHATS });
  }

  async run(): Promise<AttackReport> {
    const { quietMs, rounds, print } = this.#options;
    print('   secs  rss MB  state MB    said  answered');
    // A process that has just begun is slower.
    await this.#phase(quietMs / 10);
    this.#crowd.takeAnswerTimesMs();
    const adversary = this.#unleash();
    const guests = new AbortController();
    const forging = this.#forge(guests.signal);
    const times: Times = { quiet: [], attacked: [] };
    for (let round = 1; round <= rounds; round += 1) {
      await this.#round(adversary, times);
      if (round < rounds) await this.#calm(adversary);
    }
    await this.#waitForCalls(adversary);
    await this.#scene.restart();
    // What was on its way at the kill comes later than what is said now.
    await this.#crowd.settle();
    await this.#crowd.talk(LOOK_MS);
    guests.abort();
    await forging;
    const assault = await adversary.stop();
    await this.#crowd.settle();
    await this.#end();
    const complaints = [...this.#complaints, ...this.#crowd.complaints(), ...assault.complaints];
    const [quietP99Ms, attackedP99Ms] = [percentile99(times.quiet), percentile99(times.attacked)];
    return { assault, said: this.#crowd.said, quietP99Ms, attackedP99Ms, complaints };
  }

  /** A quiet time, and then an attacked one. */
  async #round(adversary: AdversaryBeside, times: Times): Promise<void> {
    const { quietMs, attackedMs, rounds } = this.#options;
    const { bridge } = this.#scene;
    await this.#phase(quietMs / rounds);
    await this.#crowd.settle();
    times.quiet.push(...this.#crowd.takeAnswerTimesMs());
    this.#quietBytes ??= residentBytes(bridge.child.pid);
    this.#attacking = true;
    adversary.attack();
    await this.#phase(attackedMs / rounds);
    // Those that wait longest count, too.
    await this.#crowd.settle();
    times.attacked.push(...this.#crowd.takeAnswerTimesMs());
    this.#bound('memory', residentBytes(bridge.child.pid) - this.#quietBytes, BOUNDS.memoryMoreMax);
  }

  /** What the attack has left behind belongs to neither time. */
  async #calm(adversary: AdversaryBeside): Promise<void> {
    this.#attacking = false;
    adversary.rest();
    await this.#phase(CALM_MS);
    this.#crowd.takeAnswerTimesMs();
  }

  async #waitForCalls(adversary: AdversaryBeside): Promise<void> {
    const untilMs = Date.now() + CALLS_MS_MAX;
    while (adversary.calls() < this.#options.callsMin && Date.now() < untilMs) {
      await this.#phase(LOOK_MS);
    }
  }

  /** People talk, the victim looks at what is its own, and so do we. */
  async #phase(durationMs: number): Promise<void> {
    const untilMs = Date.now() + durationMs;
    const talking = this.#crowd.talk(durationMs);
    while (Date.now() < untilMs) {
      await sleep(Math.min(LOOK_MS, durationMs / 4));
      this.#crowd.count();
      await this.#lookAsVictim();
      this.#look();
    }
    await talking;
    this.#crowd.count();
  }

  async #lookAsVictim(): Promise<void> {
    const { victim, words } = this.#scene.tenants;
    this.#calls += 1;
    const state = await this.#scene.call(`/workspaces/${victim.id}/state`);
    const inbox = await this.#scene.call(`/workspaces/${victim.id}/activity?limit=500`);
    for (const answer of [state, inbox]) {
      if (answer?.status !== 200) this.#complain(`the victim was answered with ${answer?.status}`);
    }
    // Whoever has a token may send it something, but not take away what is there.
    const first = await this.#scene.call(
      `/workspaces/${victim.id}/activity?since_secs=86400&type=a2a_receive&limit=500`,
    );
    if (first?.status === 200 && this.#calls === 1 && !first.text.includes(words)) {
      this.#complain('the victim does not find its own words');
    }
  }

  #look(): void {
    const { bridge, rig } = this.#scene;
    const stateBytes = bytesIn(rig.stateDir);
    this.#bound('the state directory', stateBytes, BOUNDS.stateBytesMax);
    const cells = [
      Math.round(performance.now() / 1000),
      Math.round(residentBytes(bridge.child.pid) / MB),
      Math.round(stateBytes / MB),
      this.#crowd.said,
      this.#crowd.answered,
    ];
    const widths = [7, 8, 10, 8, 10];
    this.#options.print(cells.map((cell, at) => String(cell).padStart(widths[at] ?? 0)).join(''));
  }

  #unleash(): AdversaryBeside {
    const { hubUrl, tenants, rig } = this.#scene;
    const { hostile, victim, words, turnIds, agents } = tenants;
    const secrets = [rig.app.appSecret, victim.token, ...this.#filesWithSecrets()];
    return beside({
      hubUrl,
      seed: this.#options.seed,
      known: { own: hostile, others: [victim.id], agents, queueIds: turnIds },
      hidden: [words, ...secrets],
    });
  }

  #filesWithSecrets(): string[] {
    return [readFileSync(join(this.#scene.rig.stateDir, 'provision-token'), 'utf8').trim()];
  }

  /** Guests who write what looks like something else, and press what is not theirs. */
  async #forge(signal: AbortSignal): Promise<void> {
    const { cloud, app } = this.#scene.rig;
    const guest = cloud.addUser({ name: 'Mallory' });
    const others = cloud.addUser({ name: 'Boss' });
    const groups: SimChat[] = Array.from({ length: 8 }, (_, at) =>
      cloud.addGroup({ name: `Group ${at}`, members: [guest, others], apps: [app] }),
    );
    // A card of the bot that the bridge knows nothing about, as one that was forwarded would be.
    const cards = groups.map((chat) =>
      cloud.say({ chat, from: app, messageType: 'interactive', content: CARD }),
    );
    const asked: string[] = [];
    while (!signal.aborted) {
      await sleep(100, undefined, { signal }).catch(() => {});
      if (!this.#attacking) continue;
      const chat = pick(this.#random, groups);
      const words = pick(this.#random, ['/retry', '/run', '/skip', hostileText(this.#random), 'x']);
      const from = pick<SimUser>(this.#random, [guest, guest, others]);
      const said = cloud.say({ chat, from, text: `{0} ${words}`, mentions: [app] });
      asked.push(said.messageId);
      const value = { lark_bridge_choice: 'run', turn: pick(this.#random, asked) };
      const { messageId } = pick(this.#random, cards);
      void cloud.pressButton({ messageId, from: guest, value });
    }
  }

  async #end(): Promise<void> {
    const { bridge, rig, files, tenants } = this.#scene;
    const code = await bridge.stop();
    if (code !== 0) this.#complain(`SIGTERM ended with ${code}`);
    for (const complaint of files.complaints()) this.#complain(complaint);
    for (const bug of rig.bugs().slice(0, 5))
      this.#complain(`a bug in the log: ${bug.slice(0, 500)}`);
    const { log } = this.#scene;
    for (const secret of [rig.app.appSecret, ...tenants.hostile.map(({ token }) => token)]) {
      if (log.includes(secret)) this.#complain('a secret is in the log');
    }
    const failed = log.split('\n').filter((line) => line.includes('hub_request_failed'));
    for (const line of failed.slice(0, 5))
      this.#complain(`a request failed: ${line.slice(0, 500)}`);
    const left = processesNamed(SLEEP);
    if (left > 0) this.#complain(`${left} programs of agents are left`);
  }

  #bound(what: string, bytes: number, bytesMax: number): void {
    if (bytes > bytesMax) this.#complain(`${what} grew to ${Math.round(bytes / MB)} MB`);
  }

  #complain(complaint: string): void {
    this.#complaints.add(complaint);
  }
}

interface Times {
  readonly quiet: number[];
  readonly attacked: number[];
}

interface AdversaryBeside {
  attack(): void;
  rest(): void;
  /** So far. */
  readonly calls: () => number;
  stop(): Promise<AssaultReport>;
}

/** The adversary in a process of its own. It rests until it is told to attack. */
function beside(assault: Assault): AdversaryBeside {
  // Its own work must not slow down what is measured: a real one has machines of its own.
  const words = ['-n', '19', process.execPath, LAUNCH, 'attack/adversary-process.ts'];
  const child: ChildProcess = spawn('nice', words, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin?.write(`${JSON.stringify(assault)}\n`);
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  const lines = () => said.trimEnd().split('\n');
  const tell = (order: Order) => child.stdin?.write(`${order}\n`);
  return {
    attack: () => tell('attack'),
    rest: () => tell('rest'),
    calls: () => Number(lines().at(-1)),
    stop: async () => {
      const closed = once(child, 'close');
      child.stdin?.end();
      await closed;
      return JSON.parse(lines().at(-1) ?? '') as AssaultReport;
    },
  };
}

function percentile99(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (all, { name }) => all + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
}

function processesNamed(words: string): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() === words;
    } catch {
      return false; // It ended between the two looks.
    }
  }).length;
}

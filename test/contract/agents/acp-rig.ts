/** An agent of the kind `acp` with everything around it that a test looks at. The program is real. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type AcpOptions, AcpRuntime } from '../../../src/agents/acp/acp-runtime.ts';
import { ProgramPlaces } from '../../../src/agents/acp/places.ts';
import type {
  AgentResult,
  AgentRun,
  AgentTurn,
  ChatTools,
  OwnerNotice,
  TurnSession,
} from '../../../src/agents/runtime.ts';
import { openId } from '../../../src/core/ids.ts';
import type { QuestionUpdate, RuntimeNotice, TurnUpdate } from '../../../src/core/turn-update.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { fakeAcpAgent } from '../../kit/fake-acp-agent.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog } from '../../kit/log.ts';

export type More = Partial<Omit<AcpOptions, 'spec'>> & {
  readonly script?: string;
  readonly spec?: Partial<AcpOptions['spec']>;
};

/** Options for the fake agent, with a folder of its own. */
export function acpOptions(folder: string, { script = '', spec, ...more }: More = {}): AcpOptions {
  const argv = fakeAcpAgent(folder, script).argv;
  return {
    env: { PATH: process.env['PATH'] },
    host: { agent: 'fake', onLateText: () => {}, onOwnerNotice: () => {} },
    places: new ProgramPlaces(4),
    idleMs: 600_000,
    outputBytesMax: 1024 * 1024,
    ownFolder: join(folder, 'own'),
    clock: systemClock,
    log: recordingLog(),
    ...more,
    spec: { kind: 'acp', argv, permissions: 'ask', ...spec },
  };
}

/** A turn as whoever gave it sees it. */
export interface Given {
  readonly run: AgentRun;
  readonly updates: TurnUpdate[];
  readonly result: Promise<AgentResult>;
  signs(): number;
  /** How many times silence is expected now. */
  silences(): number;
  told(): RuntimeNotice['kind'][];
  questions(): QuestionUpdate[];
  /** Waits for a question, and answers it with an option. */
  answer(option: string, at?: number): Promise<QuestionUpdate>;
  text(): string;
}

export class AcpRig {
  readonly folder: string;
  readonly log = recordingLog();
  readonly notices: OwnerNotice[] = [];
  readonly late: string[] = [];
  /** The agent's own ids by the bridge's ids of sessions. */
  readonly stored = new Map<string, string | undefined>();
  readonly received: ReturnType<typeof fakeAcpAgent>['received'];
  readonly places: ProgramPlaces;
  saidBefore = '';
  runtime: AcpRuntime;
  readonly #more: More;

  constructor(more: More = {}, folder = temporaryFolder()) {
    this.folder = folder;
    this.places = more.places ?? new ProgramPlaces(4);
    this.#more = { ...more, places: this.places };
    this.received = fakeAcpAgent(folder).received;
    this.runtime = this.#create(this.#more);
    onTestFinished(() => this.runtime.stop());
  }

  /** As after a restart of the bridge. The disk of the agent stays. */
  async restart(more: More = {}): Promise<void> {
    await this.runtime.stop();
    this.runtime = this.#create({ ...this.#more, ...more });
  }

  #create(more: More): AcpRuntime {
    const host = {
      agent: 'fake',
      onLateText: (_session: string, text: string) => this.late.push(text),
      onOwnerNotice: (notice: OwnerNotice) => this.notices.push(notice),
    };
    return new AcpRuntime(acpOptions(this.folder, { host, log: this.log, ...more }));
  }

  /** `session`: the bridge's id. Null: its sender keeps no memory. */
  async give(
    text: string,
    {
      session = 'session-1',
      folder,
      choices,
      chat,
      ...more
    }: Partial<Omit<AgentTurn, 'session'>> & {
      session?: string | null;
      folder?: string;
      choices?: Record<string, string>;
      chat?: ChatTools;
    } = {},
  ): Promise<Given> {
    await this.runtime.start();
    const updates: TurnUpdate[] = [];
    let signs = 0;
    let silences = 0;
    const turn: AgentTurn = { turnId: 'turn-1', text, lark: undefined, ...more };
    const kept = session === null ? undefined : this.#sessionOf(session, folder, choices);
    const run = this.runtime.prompt(kept === undefined ? turn : { ...turn, session: kept }, {
      ...(chat !== undefined && { chat }),
      onUpdate: (update) => updates.push(update),
      onSign: () => {
        signs += 1;
      },
      expectSilence: () => {
        silences += 1;
        return () => {
          silences -= 1;
        };
      },
      saidBefore: () => Promise.resolve(this.saidBefore),
      keepSession: (nativeId) => {
        if (session !== null) this.stored.set(session, nativeId);
        return Promise.resolve();
      },
    });
    const questions = () => updates.filter((update) => update.kind === 'question');
    return {
      run,
      updates,
      result: run.result,
      signs: () => signs,
      silences: () => silences,
      told: () => updates.flatMap((one) => (one.kind === 'told' ? [one.what.kind] : [])),
      questions,
      answer: async (option, at = 0) => {
        await expect.poll(() => questions().length).toBeGreaterThan(at);
        const question = questions()[at]!;
        const by = openId('ou_1');
        expect(run.answer(question.id, { kind: 'chosen', option, by })).toBe(true);
        return question;
      },
      text: () => updates.map((one) => (one.kind === 'text_added' ? one.text : '')).join(''),
    };
  }

  /** The result of a turn. */
  async ask(...given: Parameters<AcpRig['give']>): Promise<AgentResult> {
    return (await this.give(...given)).result;
  }

  /** The methods that the agent was asked, in order. */
  methods(): string[] {
    return this.received().flatMap(({ method }) => method ?? []);
  }

  /** The answers that it got to its own requests. */
  answers(): unknown[] {
    return this.received().flatMap(({ method, result }) => (method === undefined ? [result] : []));
  }

  /** Numbers of processes that were written into a file of the agent's folder. */
  pids(file = 'alive.txt'): number[] {
    const text = readFileSync(join(this.folder, 'own', file), 'utf8');
    return [...new Set(text.trim().split('\n').map(Number))].filter((pid) => pid > 0);
  }

  #sessionOf(id: string, folder?: string, choices?: Record<string, string>): TurnSession {
    const nativeId = this.stored.get(id);
    return {
      id,
      ...(folder !== undefined && { folder }),
      ...(choices !== undefined && { choices }),
      ...(nativeId !== undefined && { nativeId }),
    };
  }
}

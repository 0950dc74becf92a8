/** An agent with a memory in a life of chaos.ts: it asks before it acts, and is not run again unless somebody wants it. */
import { join } from 'node:path';
import { appId, chatId } from '../../src/core/ids.ts';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { SqliteSessionBook } from '../../src/store/sqlite/bridge/session-book.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type FakeAcpAgent, fakeAcpAgent } from '../kit/fake-acp-agent.ts';
import { silentLog } from '../kit/log.ts';
import { isProcessAlive, processesIn } from '../kit/processes.ts';
import { addAcpAgent } from './acp-agents.ts';
import type { Question } from './chaos-people.ts';
import type { Rig } from './rig.ts';

const NAME = 'coder';

export class Coder {
  readonly place: { readonly chat: SimChat; readonly users: readonly [SimUser] };
  readonly #rig: Rig;
  readonly #agent: FakeAcpAgent;
  /** What was alive when a process of the bridge had just been killed. */
  #left: readonly number[] = [];

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#agent = fakeAcpAgent(rig.home);
    const { chat, user } = rig.direct('Kim');
    this.place = { chat, users: [user] };
  }

  /** It answers in its chat, and nowhere else once another agent is added. */
  async add(): Promise<void> {
    await addAcpAgent(this.#rig, NAME, this.#agent);
    const db = Db.open(join(this.#rig.stateDir, 'bridge.db'), silentLog);
    const app = appId(this.#rig.app.appId);
    const book = new SqliteSessionBook({ db, app, clock: systemClock });
    const place = { chatId: chatId(this.place.chat.chatId), threadId: undefined };
    await book.choose(place, { agent: NAME }, 'chosen before the storm');
    db.close();
  }

  /** What somebody says to it. */
  words(token: string, roll: number): string {
    const answer = `say answer to ${token}`;
    if (roll < 0.4) return `perm once make ${token}\n${answer}`;
    return roll < 0.7 ? `long 400\n${answer}` : answer;
  }

  /** Allows whatever it asks for by now. */
  async allow(): Promise<void> {
    const { chat, users } = this.place;
    for (const { messageId, card } of this.#rig.replies(chat)) {
      const index = card?.buttons.findIndex(({ label }) => isYes(label)) ?? -1;
      if (index >= 0) await this.#rig.cloud.pressOnCard(messageId, users[0], { index });
    }
  }

  /** To be called right after a process of the bridge was killed. */
  noteLeft(): void {
    this.#left = processesIn(this.#rig.home);
  }

  /** What of its work is still there, or was done again, in the process after that. */
  wrong(questions: readonly Question[]): string[] {
    const alive = this.#left.filter(isProcessAlive).map((pid) => `process ${pid} was left over`);
    const open = this.#rig
      .replies(this.place.chat)
      .filter(({ card }) => card?.buttons.some(({ label }) => isYes(label)) === true)
      .map(({ text }) => `a question is open: ${text}`);
    const again = questions.flatMap(({ token, wantedAgain }) => {
      const count = this.prompts().filter((text) => text.includes(token)).length;
      return count > (wantedAgain ? 2 : 1) ? [`sent ${count} times to ${NAME}: ${token}`] : [];
    });
    return [...alive, ...open, ...again];
  }

  /** What it was given, as it came over its wire. */
  prompts(): string[] {
    return this.#agent
      .received()
      .filter(({ method }) => method === 'session/prompt')
      .map(({ params }) => JSON.stringify(params?.['prompt']));
  }
}

const isYes = (label: string) => label.endsWith('Yes');

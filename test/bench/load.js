/** People who write to bots, and the book about what becomes of each message. */
import { startLarkCloud } from '../../dist/sim/server.js';
import { AgentHub } from './agent-hub.js';
import { Book } from './book.js';
import { latency } from './statistics.js';

/** Long enough for every answer that will ever come. */
const PATIENCE_MS = 120_000;
/** An agent's first word comes when a card for it would be shown at once. */
const CARD_DUE_MS = 1_500;
const WORDS_PER_SECOND = 10;
/** Below this a timer is not exact enough. */
const TIMER_MS = 2;

export class Load {
  #lark;
  #hub;
  #chats = [];
  #next = 0;
  #asked = 0;
  #book = new Book();
  /** Messages with a card on which an answer may come. */
  #cards = new Set();
  /** By message id: who waits for the first update of a turn that tells when it said that. */
  #firsts = new Map();
  /** By app id: who waits for the ack of the event that is published next. */
  #acks = new Map();

  static async start({ chats = 200, timeScale } = {}) {
    const load = new Load();
    load.#lark = await startLarkCloud({
      rateLimits: false,
      // Bounds for long runs; the book remembers what has to be remembered.
      keptMax: 20_000,
      messagesPerChatMax: 2_000,
      ...(timeScale !== undefined && { timeScale }),
    });
    load.#hub = await AgentHub.start((turn) => load.#book.turnArrived(turn));
    load.#chats = Array.from({ length: chats }, (_, at) =>
      load.#lark.addUser({ name: `Person ${at}` }),
    );
    load.#watch();
    return load;
  }

  get url() {
    return { open: this.#lark.openBaseUrl, hub: this.#hub.url };
  }

  async stop() {
    await this.#hub.stop();
    await this.#lark.stop();
  }

  addApp() {
    const { appId, appSecret } = this.#lark.addApp({ name: 'Bot' });
    return { appId, appSecret };
  }

  /** Resolves when the app listens; the bare SDK tells nobody when it does. */
  async online(appId) {
    await this.#lark.waitFor(() => this.#lark.online(appId) > 0, PATIENCE_MS);
  }

  hub(settings) {
    this.#hub.settings = settings;
  }

  /** Notes every message that a bot shows, at the moment in which the call is carried out. */
  #watch() {
    const { world, deliveries, changes } = this.#lark.cloud;
    const post = world.post.bind(world);
    world.post = (draft) => {
      const message = post(draft);
      if (draft.sender.kind !== 'app') return message;
      this.#book.shown(draft);
      if (draft.msgType === 'interactive') this.#cards.add(message);
      return message;
    };
    const notify = changes.notify.bind(changes);
    changes.notify = () => {
      this.#readCards();
      this.#readFirsts();
      notify();
    };
    const publish = deliveries.publish.bind(deliveries);
    deliveries.publish = (app, event) => {
      const acked = this.#acks.get(app.appId);
      // `call` instead of `publish`: the same event, tried once, and its ack can be waited for.
      if (acked === undefined) publish(app, event);
      else acked(deliveries.call(app, event));
    };
  }

  /** An answer that takes long stands on the card that was there before it. */
  #readCards() {
    for (const message of this.#cards) {
      const { messageId, chatId, parentId: questionId } = message;
      const shown = this.#lark.shows(chatId).find((one) => one.messageId === messageId);
      const isOver = shown === undefined || this.#book.shownOnCard({ questionId, ...shown });
      if (isOver) this.#cards.delete(message);
    }
  }

  /** The first update is the time at which the agent said it. */
  #readFirsts() {
    for (const [messageId, { chatId, resolve }] of this.#firsts) {
      const card = this.#lark.shows(chatId, { last: 1 }).find((one) => one.replyTo === messageId);
      const [saidAt] = /\b\d{13}\b/.exec(card?.text ?? '') ?? [];
      if (saidAt === undefined) continue;
      this.#firsts.delete(messageId);
      resolve(Date.now() - Number(saidAt));
    }
  }

  #say(appId, chatAt) {
    const from = this.#chats[chatAt];
    const chat = this.#lark.directChat(from, appId);
    this.#asked += 1;
    const text = `question ${this.#asked}`;
    const message = this.#lark.say({ chat, from, text });
    return { messageId: message.messageId, chatId: chat.chatId, text };
  }

  #turnOfChats() {
    this.#next = (this.#next + 1) % this.#chats.length;
    return this.#next;
  }

  // ------------------------------------------------------------ until the ack

  /** One event; resolves with whether it was acked. */
  async #event(appId) {
    let done;
    this.#acks.set(appId, (acked) => {
      done = acked;
    });
    this.#book.ask(this.#say(appId, this.#turnOfChats()));
    this.#acks.delete(appId);
    const { kind, code } = await done;
    return kind === 'answered' && code === 200;
  }

  /** So many events always under way. Counts those acked in the measured time. */
  async acksAtFullSpeed(appId, { outstanding, warmUpMs, measuredMs }) {
    const startAt = performance.now() + warmUpMs;
    const endAt = startAt + measuredMs;
    const counts = { sent: 0, acked: 0, measured: 0 };
    const chain = async () => {
      while (performance.now() < endAt) {
        counts.sent += 1;
        if (await this.#event(appId)) counts.acked += 1;
        const now = performance.now();
        if (now >= startAt && now < endAt) counts.measured += 1;
      }
    };
    await Promise.all(Array.from({ length: outstanding }, chain));
    return { ...counts, perSecond: (counts.measured * 1000) / measuredMs };
  }

  /** Events at fixed times, whatever becomes of those before them; waits count from those times. */
  async acksAtRate(appId, { perSecond, measuredMs }) {
    const waits = [];
    let lost = 0;
    const under = [];
    await atRate({ perSecond, measuredMs }, (dueAt) => {
      const acked = this.#event(appId).then((ok) => {
        if (ok) waits.push(performance.now() - dueAt);
        else lost += 1;
      });
      under.push(acked);
    });
    await Promise.all(under);
    return { ...latency(waits), lost };
  }

  // ------------------------------------------------------------ until the answer

  /** So many questions always unanswered, each in a chat of its own. */
  async answersAtFullSpeed(appId, { outstanding, warmUpMs, measuredMs, count = Infinity }) {
    const startAt = performance.now() + warmUpMs;
    const endAt = startAt + measuredMs;
    let measured = 0;
    let asked = 0;
    const chain = async () => {
      while (performance.now() < endAt && asked < count) {
        asked += 1;
        await this.#book.ask(this.#say(appId, this.#turnOfChats())).answered;
        const now = performance.now();
        if (now >= startAt && now < endAt) measured += 1;
      }
    };
    await Promise.all(Array.from({ length: outstanding }, chain));
    return { perSecond: (measured * 1000) / measuredMs, asked, took: performance.now() - startAt };
  }

  /** Questions at fixed times; `first` chats are left out. */
  async answersAtRate(appId, { perSecond, measuredMs, first = 0 }) {
    const answers = [];
    const turns = [];
    const under = [];
    let at = first;
    await atRate({ perSecond, measuredMs }, (dueAt) => {
      at = at + 1 < this.#chats.length ? at + 1 : first;
      const entry = this.#book.ask(this.#say(appId, at), (turnAt) => turns.push(turnAt - dueAt));
      under.push(entry.answered.then(() => answers.push(performance.now() - dueAt)));
    });
    await within(Promise.all(under), PATIENCE_MS);
    return { answer: latency(answers), turn: latency(turns) };
  }

  /** One question in the first chat, which the agent of the bench takes `durationMs` to answer. */
  askSlowly(appId, durationMs) {
    const { chatId } = this.#lark.directChat(this.#chats[0], appId);
    this.#hub.settings = { slow: { chatId, durationMs } };
    this.#book.ask(this.#say(appId, 0));
  }

  /** One turn in the first chat that tells what it does; resolves with its calls when its answer stands on its card. */
  async grow(appId, { updates, durationMs }) {
    const { chatId } = this.#lark.directChat(this.#chats[0], appId);
    const text = `grow ${updates} ${durationMs}`;
    const before = this.#lark.calls().length;
    const { messageId } = this.#lark.say({ chat: chatId, from: this.#chats[0], text });
    const isShown = () =>
      this.#lark.shows(chatId).some((one) => one.replyTo === messageId && one.text === text);
    await this.#lark.waitFor(isShown, durationMs + PATIENCE_MS);
    const isOfCard = ({ path }) => path.includes('/cardkit/') || path.includes(messageId);
    return this.#lark.calls().slice(before).filter(isOfCard).length;
  }

  /** Streams in `chats` chats, `turns` after each other in each; resolves with the waits for their first updates. */
  async firstUpdates(appId, { chats, turns, durationMs, apartMs }) {
    const waits = [];
    const chain = async (at) => {
      await new Promise((resolve) => setTimeout(resolve, at * apartMs));
      for (let turn = 0; turn < turns; turn += 1)
        waits.push(await this.#stream(appId, at, durationMs));
    };
    await Promise.all(Array.from({ length: chats }, (_, at) => chain(at)));
    return waits;
  }

  async #stream(appId, chatAt, durationMs) {
    const from = this.#chats[chatAt];
    const { chatId } = this.#lark.directChat(from, appId);
    const words = Math.round((durationMs * WORDS_PER_SECOND) / 1000);
    const text = `sleep ${CARD_DUE_MS}\nnow\nwords ${words} ${durationMs}\nsay the end`;
    const { messageId } = this.#lark.say({ chat: chatId, from, text });
    const first = new Promise((resolve) => this.#firsts.set(messageId, { chatId, resolve }));
    const isShown = () =>
      this.#lark
        .shows(chatId)
        .some((one) => one.replyTo === messageId && one.text.endsWith('the end'));
    await this.#lark.waitFor(isShown, durationMs + PATIENCE_MS);
    return first;
  }

  // ------------------------------------------------------------ many at once

  /** Writes `count` questions as fast as they are acked; resolves with the time until the last ack. */
  async flood(appId, { count, outstanding }) {
    const startedAt = performance.now();
    let sent = 0;
    const chain = async () => {
      while (sent < count) {
        sent += 1;
        if (!(await this.#event(appId))) throw new Error('an event was not acked');
      }
    };
    await Promise.all(Array.from({ length: outstanding }, chain));
    return performance.now() - startedAt;
  }

  /** Resolves when nothing is unanswered any more, or after `timeoutMs`. */
  async settled(timeoutMs = PATIENCE_MS) {
    const startedAt = performance.now();
    await this.#book.empty(timeoutMs);
    return performance.now() - startedAt;
  }

  /** Forgets what was asked so far; for bots that never answer. */
  forget() {
    this.#book = new Book();
  }

  totals() {
    return this.#book.totals();
  }

  /** A message of each chat that a bare client may answer, to find out what the calls alone cost. */
  answerable(appId) {
    const { world } = this.#lark.cloud;
    return this.#chats.map((user) => {
      const chat = this.#lark.directChat(user, appId);
      const sender = { kind: 'user', openId: user.openId };
      const content = JSON.stringify({ text: 'a question' });
      return world.post({ chat, sender, msgType: 'text', content }).messageId;
    });
  }
}

/** Calls `send` with each scheduled time, at that time as exactly as it goes. */
async function atRate({ perSecond, measuredMs }, send) {
  const startAt = performance.now();
  const count = Math.round((perSecond * measuredMs) / 1000);
  for (let at = 0; at < count; at += 1) {
    const dueAt = startAt + (at * 1000) / perSecond;
    await until(dueAt);
    send(dueAt);
  }
}

async function until(dueAt) {
  const waitMs = dueAt - performance.now();
  if (waitMs > TIMER_MS) {
    await new Promise((resolve) => {
      setTimeout(resolve, waitMs - TIMER_MS);
    });
  }
  while (performance.now() < dueAt) await new Promise(setImmediate);
}

async function within(work, timeoutMs) {
  const timeout = new Promise((resolve) => setTimeout(resolve, timeoutMs).unref());
  await Promise.race([work, timeout]);
}

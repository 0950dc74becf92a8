import type { Client } from '@larksuiteoapi/node-sdk';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimCard, SimChat } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { createClient } from './sdk-client.ts';

export type Json = Record<string, unknown>;

/** A Markdown element. */
export const md = (content: string, id = 'md'): Json => ({
  tag: 'markdown',
  element_id: id,
  content,
});

/** A card of schema 2.0; by default it streams. */
export function cardOf(elements: readonly Json[], config: Json = { streaming_mode: true }): Json {
  return { schema: '2.0', config, body: { elements } };
}

/** One bot in one group of a fresh cloud, and what it does with cards through the official SDK. */
export class CardRig {
  readonly lark: LarkCloud;
  readonly app: SimApp;
  readonly group: SimChat;
  readonly client: Client;
  /** Of the last operation. The next one uses the next number. */
  sequence = 0;

  constructor(lark: LarkCloud) {
    this.lark = lark;
    this.app = lark.addApp();
    const members = [lark.addUser({ name: 'Ada' })];
    this.group = lark.addGroup({ name: 'Team', members, apps: [this.app] });
    this.client = createClient(lark, this.app);
  }

  create(json: unknown) {
    const data = typeof json === 'string' ? json : JSON.stringify(json);
    return this.client.cardkit.v1.card.create({ data: { type: 'card_json', data } });
  }

  async entity(json: Json = cardOf([md('…')])): Promise<SimCard> {
    const { data } = await this.create(json);
    const found = this.lark.world.cards.get(data?.card_id ?? '');
    if (found === undefined) throw new Error('no card was created');
    return found;
  }

  /** Sends a card as JSON. Returns the id of the message. */
  async send(content: Json): Promise<string> {
    const { data } = await this.client.im.v1.message.create({
      params: { receive_id_type: 'chat_id' },
      data: {
        receive_id: this.group.chatId,
        msg_type: 'interactive',
        content: JSON.stringify(content),
      },
    });
    return data?.message_id ?? '';
  }

  sendEntity(card: Pick<SimCard, 'cardId'>): Promise<string> {
    return this.send({ type: 'card', data: { card_id: card.cardId } });
  }

  stream(
    card: Pick<SimCard, 'cardId'>,
    content: string,
    more: { readonly sequence?: number; readonly uuid?: string; readonly id?: string } = {},
  ) {
    const { id = 'md', ...data } = { sequence: this.#next(), ...more };
    return this.client.cardkit.v1.cardElement.content({
      path: { card_id: card.cardId, element_id: id },
      data: { content, ...data },
    });
  }

  settings(card: SimCard, value: unknown) {
    return this.client.cardkit.v1.card.settings({
      path: { card_id: card.cardId },
      data: { settings: JSON.stringify(value), sequence: this.#next() },
    });
  }

  batch(card: SimCard, actions: unknown) {
    return this.client.cardkit.v1.card.batchUpdate({
      path: { card_id: card.cardId },
      data: { actions: JSON.stringify(actions), sequence: this.#next() },
    });
  }

  replace(card: SimCard, json: Json) {
    return this.client.cardkit.v1.card.update({
      path: { card_id: card.cardId },
      data: { card: { type: 'card_json', data: JSON.stringify(json) }, sequence: this.#next() },
    });
  }

  /** What people read in the newest message of the group. */
  shown(): string | undefined {
    return this.lark.shows(this.group).at(-1)?.text;
  }

  #next(): number {
    this.sequence += 1;
    return this.sequence;
  }
}

export async function openCardRig(): Promise<CardRig> {
  return new CardRig(await startLarkCloud());
}

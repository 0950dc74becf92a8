import { createRandom, type Random } from './random.ts';

/** Ids in the platform's formats, all from one seed. */
export class Ids {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = createRandom(seed, 'ids');
  }

  app = (): string => `cli_${this.hex(16)}`;
  message = (): string => `om_${this.hex(32)}`;
  chat = (): string => `oc_${this.hex(32)}`;
  openId = (): string => `ou_${this.hex(32)}`;
  unionId = (): string => `on_${this.hex(32)}`;
  userId = (): string => this.hex(8);
  thread = (): string => `omt_${this.hex(16)}`;
  tenant = (): string => this.hex(16);
  event = (): string => this.hex(32);
  frame = (): string => this.hex(32);
  image = (): string => `img_v3_${this.hex(4)}_${this.uuid()}`;
  file = (): string => `file_v3_${this.hex(4)}_${this.uuid()}`;
  /** Card entity ids are at most 20 digits. */
  card = (): string => `7${this.#digits(18)}`;
  cardToken = (): string => `c-${this.hex(40)}`;
  tenantToken = (): string => `t-${this.hex(40)}`;
  ticket = (): string => this.uuid();
  secret = (): string => this.hex(32);
  /** Reaction ids are long and have no inner structure. */
  reaction = (): string => `ZCaC${this.hex(40)}`;
  log = (): string => `${this.#digits(14)}${this.hex(18).toUpperCase()}`;

  uuid(): string {
    return `${this.hex(8)}-${this.hex(4)}-${this.hex(4)}-${this.hex(4)}-${this.hex(12)}`;
  }

  hex(length: number): string {
    let text = '';
    while (text.length < length) {
      text += ((this.#random() * 2 ** 32) >>> 0).toString(16).padStart(8, '0');
    }
    return text.slice(0, length);
  }

  #digits(length: number): string {
    let text = '';
    while (text.length < length) {
      text += Math.floor(this.#random() * 1e9)
        .toString()
        .padStart(9, '0');
    }
    return text.slice(0, length);
  }
}

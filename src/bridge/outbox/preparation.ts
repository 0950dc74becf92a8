/**
 * What has to be known before a row can be sent: Lark's keys of its files, and who of the chat it may call. It is
 * stored with the row first, so each try sends the same message under the same key.
 */
import type { AnswerContent, FileContent, Person, ShownImage } from '../../core/content.ts';
import type { InboundMessage } from '../../core/message.ts';
import type { OutboxBody, OutboxDraft, OutboxRow } from '../ports/outbox.ts';
import type { Clock } from '../../time/clock.ts';
import { waitAtMost } from '../../time/wait.ts';
import type { DeliveryResult, LarkAction } from '../ports/delivery.ts';
import type { Journal } from '../ports/journal.ts';
import type { LarkGateway } from '../ports/lark.ts';
import type { Upload } from '../ports/answer-files.ts';
import type { StoreRetry } from '../store-retry.ts';
import { outKey } from './keys.ts';

/** An answer does not wait longer for the names of people. Then it calls nobody. */
const MEMBERS_MS_MAX = 3_000;

interface PreparationParts {
  readonly journal: Journal;
  readonly lark: LarkGateway;
  readonly storeRetry: StoreRetry;
  readonly clock: Clock;
}

type Refused = Extract<DeliveryResult, { ok: false }>;

type Prepared =
  | { readonly ok: true; readonly row: OutboxRow; readonly out: readonly OutboxRow[] }
  | { readonly ok: false; readonly refusal: Refused; readonly out: readonly OutboxRow[] };

export class Preparation {
  readonly #parts: PreparationParts;

  constructor(parts: PreparationParts) {
    this.#parts = parts;
  }

  /** `asked`: the message that the row answers. `out`: rows that came in addition. */
  async prepare(row: OutboxRow, asked: InboundMessage | undefined): Promise<Prepared> {
    const { body } = row;
    if (body.kind !== 'message') return { ok: true, row, out: [] };
    if (body.content.kind === 'file') return this.#withFile(row, body.content);
    if (body.content.kind !== 'answer') return { ok: true, row, out: [] };
    const named = await this.#withPeople(row, body.content, asked);
    return this.#withImages(named);
  }

  async #withFile(row: OutboxRow, file: FileContent): Promise<Prepared> {
    if (file.key !== undefined) return { ok: true, row, out: [] };
    const result = await this.#upload(row, file);
    if (!result.ok) return { ok: false, refusal: result, out: [] };
    return { ok: true, ...(await this.#store(row, { ...file, key: result.id })) };
  }

  /** An image that Lark refuses is left out of the Markdown, and follows as a file. */
  async #withImages(row: OutboxRow): Promise<Prepared> {
    const { lark } = this.#parts;
    let now = row;
    const out: OutboxRow[] = [];
    for (;;) {
      const { body } = now;
      if (body.kind !== 'message' || body.content.kind !== 'answer') break;
      const { content } = body;
      const { images = [] } = content;
      const at = images.findIndex(({ key }) => key === undefined);
      const file = images[at]?.file;
      if (file === undefined) break;
      const { path, name } = file;
      const result = await this.#upload(row, { as: 'image', path, name, text: name });
      if (!result.ok && PASSING.has(result.action)) return { ok: false, refusal: result, out };
      const image: ShownImage = { file, key: result.ok ? result.id : '' };
      const follows = { ...lark.form.fileRow(file), as: 'file' } as const;
      const instead = result.ok ? [] : [fileAfter(row, follows, at)];
      const stored = await this.#store(
        now,
        { ...content, images: images.with(at, image) },
        instead,
      );
      now = stored.row;
      out.push(...stored.out);
    }
    return { ok: true, row: now, out };
  }

  async #withPeople(
    row: OutboxRow,
    content: AnswerContent,
    asked: InboundMessage | undefined,
  ): Promise<OutboxRow> {
    const { lark } = this.#parts;
    const isDirect = asked?.chatType === 'p2p';
    const isKnown = content.people !== undefined || row.body.kind !== 'message';
    if (isDirect || isKnown || !lark.form.mayCall(content.text)) return row;
    const all = await this.#membersOf(row);
    const people = all.filter(
      ({ openId, name }) => content.text.includes(openId) || content.text.includes(`@${name}`),
    );
    return (await this.#store(row, { ...content, people })).row;
  }

  async #membersOf({ chatId }: OutboxRow): Promise<readonly Person[]> {
    const { lark, clock } = this.#parts;
    if (lark.membersOf === undefined) return [];
    let people: readonly Person[] | undefined;
    const asking = lark.membersOf(chatId).then((found) => {
      people = found;
    });
    await waitAtMost(clock, asking, MEMBERS_MS_MAX);
    return people ?? [];
  }

  async #upload({ priority }: OutboxRow, file: Upload): Promise<DeliveryResult> {
    const { lark } = this.#parts;
    if (lark.upload === undefined) return NO_UPLOADS;
    const result = await lark.upload(file, priority);
    if (result.ok || PASSING.has(result.action)) return result;
    // Also if only the operator can change it: a file that comes after a day helps nobody, so the person is told now.
    return { ...result, action: 'fall_back_to_text' };
  }

  async #store(row: OutboxRow, content: AnswerContent | FileContent, more: OutboxDraft[] = []) {
    const { journal, storeRetry } = this.#parts;
    const changed = await storeRetry.untilStored(() =>
      journal.changeOut(row.key, (fresh) => {
        if (fresh.state.phase !== 'pending' || fresh.body.kind !== 'message') return undefined;
        const body: OutboxBody = { ...fresh.body, content };
        return { state: fresh.state, body, out: more };
      }),
    );
    return { row: changed.row, out: changed.out };
  }
}

/** After these the same upload may be taken. */
const PASSING: ReadonlySet<LarkAction> = new Set(['wait', 'retry', 'unknown']);
const NO_UPLOADS: Refused = {
  ok: false,
  action: 'fall_back_to_text',
  code: undefined,
  detail: 'this Lark takes no files',
};

function fileAfter(row: OutboxRow, content: FileContent, at: number): OutboxDraft {
  const { lane, turn, chatId, replyTo, placement, priority, createdAtMs } = row;
  const body = { kind: 'message', content } as const;
  const place = { lane, turn, chatId, replyTo, placement, priority };
  return { key: outKey(row.key, 'image', at), ...place, body, createdAtMs, dueAtMs: createdAtMs };
}

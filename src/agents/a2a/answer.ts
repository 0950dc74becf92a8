/** The answer of an agent elsewhere, as it grows. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnswerFiles, FileLeftOut } from '../../core/content.ts';
import type { TurnUpdate } from '../../core/turn-update.ts';
import type { OutputFolders } from '../output-folders.ts';
import type { AgentArtifact, AgentPart } from './events.ts';

/** Files of an answer are held in memory until it is complete. Lark takes 30 MB for one. */
const FILES_BYTES_MAX = 60 * 1024 * 1024;
/** More than are sent, so that it is told what is left out. */
const FILES_MAX = 50;

interface HeldFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Artifact {
  text: string;
  files: HeldFile[];
}

export class Answer {
  readonly #artifacts = new Map<string, Artifact>();
  /** What came outside of artifacts, with the end. */
  readonly #rest: Artifact = { text: '', files: [] };
  #last = '';
  #text = '';

  get text(): string {
    return this.#text;
  }

  /** What people see changed by it, if anything. */
  take({ id, parts }: AgentArtifact, continues: boolean): TurnUpdate | undefined {
    const known = continues ? this.#artifacts.get(id) : undefined;
    const text = markdownOf(parts);
    const files = filesIn(parts);
    if (known === undefined) {
      if (!this.#artifacts.has(id)) this.#last = id;
      this.#artifacts.set(id, { text, files });
    } else {
      known.text += text;
      known.files.push(...files);
    }
    const goesOn = known !== undefined && known.text.length > text.length && id === this.#last;
    if (!goesOn) return this.#show(this.#whole());
    // Without a look at all that was said before: there may be 100,000 pieces.
    this.#text += text;
    return text === '' ? undefined : { kind: 'text_added', text };
  }

  /** What the agent said with the end. It may repeat there what it made. */
  end(parts: readonly AgentPart[]): TurnUpdate | undefined {
    const text = markdownOf(parts);
    this.#rest.files.push(...filesIn(parts));
    if (!this.#text.includes(text.trim())) this.#rest.text = text;
    return this.#show(this.#whole());
  }

  /** Nothing if it has no files. Throws an error of the system if they can't be kept. */
  async keepFiles(outputs: OutputFolders | undefined): Promise<AnswerFiles | undefined> {
    const all = [...this.#artifacts.values(), this.#rest].flatMap(({ files }) => files);
    if (all.length === 0 || outputs === undefined) return undefined;
    const folder = outputs.create();
    const leftOut: FileLeftOut[] = [];
    let bytes = 0;
    try {
      const named = all.flatMap((file, at) => {
        bytes += file.bytes.byteLength;
        const why =
          at >= FILES_MAX ? 'too_many' : bytes > FILES_BYTES_MAX ? 'too_large' : undefined;
        if (why !== undefined) {
          leftOut.push({ name: file.name === '' ? 'file' : file.name, why });
          return [];
        }
        // In the order in which the agent gave them.
        const path = join(folder.path, String(at).padStart(3, '0'));
        writeFileSync(path, file.bytes, { flag: 'wx', mode: 0o600 });
        return [{ path, name: file.name }];
      });
      const taken = await folder.take(named);
      return { files: taken.files, leftOut: [...taken.leftOut, ...leftOut] };
    } finally {
      folder.remove();
    }
  }

  #whole(): string {
    const texts = [...this.#artifacts.values(), this.#rest].map(({ text }) => text);
    return texts.filter((text) => text !== '').join('\n\n');
  }

  #show(text: string): TurnUpdate | undefined {
    const before = this.#text;
    this.#text = text;
    if (text === before) return undefined;
    return text.startsWith(before)
      ? { kind: 'text_added', text: text.slice(before.length) }
      : { kind: 'text_replaced', text };
  }
}

/** Files that lie elsewhere are links, and data is shown as it is. */
function markdownOf(parts: readonly AgentPart[]): string {
  return parts
    .map((part) => {
      switch (part.kind) {
        case 'text':
          return part.text;
        case 'data':
          return `\n\n\`\`\`json\n${JSON.stringify(part.value, undefined, 2)}\n\`\`\`\n\n`;
        case 'link':
          return isWeb(part.url) ? `\n\n${linkTo(part.url, part.name)}\n\n` : '';
        case 'file':
          return '';
      }
    })
    .join('');
}

function isWeb(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** The form of a URL has nothing that would end the link. */
function linkTo(url: string, name: string): string {
  const label = name.replaceAll(/[[\]\\\s]+/g, ' ').trim();
  return `[${label === '' ? 'file' : label}](<${new URL(url).href.replaceAll(/[<>]/g, encodeURIComponent)}>)`;
}

function filesIn(parts: readonly AgentPart[]): HeldFile[] {
  return parts.flatMap((part) => (part.kind === 'file' ? [part] : []));
}

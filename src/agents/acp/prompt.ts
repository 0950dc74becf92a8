/** A turn as the prompt of an agent. */
import { promises as fs } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isSystemError } from '../../core/errors.ts';
import type { Json } from '../../core/json-object.ts';
import type { Attachment } from '../../core/turn-details.ts';
import type { AgentTurn } from '../runtime.ts';
import { saidAround } from '../said-around.ts';

/** What models take as a picture. A larger one is only named, and the agent can open the file. */
const IMAGE_BYTES_MAX = 5 * 1024 * 1024;
const IMAGES_MAX = 5;
const IMAGE_TYPES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

export interface PromptAbilities {
  readonly image: boolean;
  /** Texts can stand in the prompt as documents of their own. */
  readonly embedded: boolean;
}

/** The words of the person come first, because agents know their own commands by the beginning of a prompt. */
export async function promptOf(
  turn: AgentTurn,
  { abilities, saidBefore }: { readonly abilities: PromptAbilities; readonly saidBefore: string },
): Promise<readonly Json[]> {
  const { text, details = {} } = turn;
  const { attachments = [] } = details;
  const { writer, texts } = saidAround(turn, saidBefore);
  return [
    textBlock(text),
    ...(writer === undefined ? [] : [textBlock(`[Written by ${writer}]`)]),
    ...texts.map(({ what, said }) => contextBlock(what, said, abilities)),
    ...(attachments.length > 0 ? [textBlock(filesLine(attachments))] : []),
    ...attachments.map(linkTo),
    ...(abilities.image ? await imagesOf(attachments) : []),
  ];
}

function textBlock(text: string): Json {
  return { type: 'text', text };
}

function contextBlock(what: string, said: string, { embedded }: PromptAbilities): Json {
  const name = what.replaceAll(/[^a-z]+/g, '-');
  if (!embedded) return textBlock(`[The ${what}:]\n${said}`);
  const uri = `lark-bridge:///${name}.md`;
  return { type: 'resource', resource: { uri, mimeType: 'text/markdown', text: said } };
}

function filesLine(attachments: readonly Attachment[]): string {
  const lines = attachments.map(
    ({ path, mimeType, bytes }) => `- ${path} (${mimeType}, ${bytes} bytes)`,
  );
  return ['[The message came with files, which are on this machine:]', ...lines].join('\n');
}

function linkTo({ name, path, mimeType, bytes }: Attachment): Json {
  return { type: 'resource_link', uri: pathToFileURL(path).href, name, mimeType, size: bytes };
}

async function imagesOf(attachments: readonly Attachment[]): Promise<readonly Json[]> {
  const fit = attachments.filter(
    ({ mimeType, bytes }) => IMAGE_TYPES.has(mimeType) && bytes <= IMAGE_BYTES_MAX,
  );
  const images = await Promise.all(fit.slice(0, IMAGES_MAX).map(imageOf));
  return images.flat();
}

async function imageOf({ path, mimeType }: Attachment): Promise<readonly Json[]> {
  try {
    const bytes = await fs.readFile(path);
    const uri = pathToFileURL(path).href;
    return [{ type: 'image', mimeType, data: bytes.toString('base64'), uri }];
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // The file is named in the prompt all the same.
    return [];
  }
}

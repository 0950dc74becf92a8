/** What each reader of a message type gets and gives. */
import type { Json } from '../../../core/json-object.ts';
import type { Part, Resource } from '../../../core/message.ts';
import { storable } from '../../../text/storable.ts';
import type { Naming } from './mentions.ts';
import { idOf, textOf } from '../fields.ts';
import { bracketed, oneLine, wellFormed } from './words.ts';

/** The parts of a message. Undefined if the content does not have the form of its type. */
export type ReadContent = (content: Json, naming: Naming) => Part[] | undefined;

export function textPart(text: string): Part {
  return { kind: 'text', text: storable(wellFormed(text)) };
}

/** One line in brackets. */
export function linePart(kind: string, ...details: readonly string[]): Part {
  return textPart(bracketed(kind, ...details));
}

/** Undefined if Lark gives no valid key. */
export function resourceOf(
  kind: Resource['kind'],
  { key, name, durationMs }: { key: unknown; name?: unknown; durationMs?: unknown },
): Resource | undefined {
  const id = idOf(key);
  if (id === undefined) return undefined;
  const shown = oneLine(textOf(name));
  return {
    kind,
    key: id,
    ...(shown !== '' && { name: shown }),
    ...(isDuration(durationMs) && { durationMs }),
  };
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** A message that is only a resource. */
export function resourceAlone(resource: Resource | undefined): Part[] | undefined {
  return resource && [{ kind: 'resource', resource }];
}

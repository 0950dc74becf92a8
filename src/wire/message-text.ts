/** The text of a message from Lark, as an agent without eyes gets it: what is no text is a short line in brackets. */
import type { Part, Resource } from '../core/message.ts';
import { isBlank } from '../text/visible.ts';

/** Each part on lines of its own, in the order in which people see them. */
export function messageText(parts: readonly Part[]): string {
  return parts.map(textOf).join('\n');
}

/** True for a mention without words. A message without parts was recalled. */
export function saysNothing(parts: readonly Part[]): boolean {
  return parts.length > 0 && parts.every((part) => part.kind === 'text' && isBlank(part.text));
}

function textOf(part: Part): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'resource':
      return part.missing === undefined
        ? resourceLine(part.resource)
        : `${resourceLine(part.resource)} [not here: ${part.missing}]`;
    case 'forwarded':
      return part.text ?? '[forwarded messages]';
    case 'unsupported':
      return `[message of type ${part.messageType}]`;
  }
}

/** Such as `[file report.pdf]` and `[audio, 3 s]`. */
function resourceLine({ kind, name, durationMs }: Resource): string {
  const named = name === undefined ? kind : `${kind} ${name}`;
  return durationMs === undefined ? `[${named}]` : `[${named}, ${Math.ceil(durationMs / 1_000)} s]`;
}

/** A message that begins a conversation: what follows the word is for the agent. */
import type { InboundMessage, Part } from '../../core/message.ts';
import { visibleOf } from '../../text/visible.ts';
import { parseCommand, type TypedCommand } from './parse.ts';
import type { CommandWords } from './table.ts';

export function isTask(typed: TypedCommand | undefined): boolean {
  return typed?.kind === 'command' && typed.name === 'task' && typed.argument !== '';
}

/** The message as the agent gets it, without the word if it has it. */
export function withoutTaskWord(message: InboundMessage, words: CommandWords): InboundMessage {
  const typed = parseCommand(message, words);
  return isTask(typed) ? { ...message, parts: message.parts.map(afterFirstWord) } : message;
}

function afterFirstWord(part: Part): Part {
  if (part.kind !== 'text') return part;
  // As the person wrote it, with signs that can't be seen, of which some emoji consist.
  const rest = part.text.trimStart().replace(/^\S+\s*/u, '');
  const [, ...words] = visibleOf(part.text).trim().split(/\s+/u);
  const isWhole = visibleOf(rest).trim().split(/\s+/u).length === words.length;
  return { kind: 'text', text: isWhole ? rest : words.join(' ') };
}

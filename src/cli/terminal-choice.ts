/** Lets a person at a terminal choose from a numbered list, or write some words. */
import { createInterface } from 'node:readline';
import type { Invocation } from './command.ts';

type Terminal = Pick<Invocation, 'stdin' | 'stdout' | 'stderr' | 'output' | 'signal'>;

/** Somebody is there who can answer. */
export function isAtTerminal({ stdin, stderr, output }: Terminal): boolean {
  return stdin.isTTY && stderr.isTTY && !output.json;
}

interface Choice<T> {
  readonly question: string;
  readonly options: readonly { readonly label: string; readonly value: T }[];
  /** The number of the option that an empty line means, from 1 on. Undefined: an empty line is asked about again. */
  readonly standard?: number;
  /** Any other line is an answer too. Undefined: only numbers are. */
  readonly takesWords?: true;
}

type Chosen<T> =
  | { readonly kind: 'option'; readonly value: T }
  | { readonly kind: 'words'; readonly text: string }
  /** The terminal was closed, or the program is to stop. */
  | { readonly kind: 'none' };

/** Asks until a line is an answer. `until` ends the wait without one. */
export async function choose<T>(
  { stdin, stderr, output, signal }: Terminal,
  { question, options, standard, takesWords }: Choice<T>,
  until: AbortSignal = signal,
): Promise<Chosen<T>> {
  output.note(question);
  for (const [at, { label }] of options.entries()) output.note(`  ${at + 1}  ${label}`);
  // Without a terminal of its own, Ctrl-C goes to the program as always.
  const lines = createInterface({ input: stdin, output: stderr, terminal: false });
  lines.setPrompt(promptFor(options.length, standard, takesWords));
  const stop = () => lines.close();
  for (const one of [signal, until]) one.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted || until.aborted) return { kind: 'none' };
    lines.prompt();
    for await (const line of lines) {
      const typed = line.trim();
      const number = typed === '' ? standard : /^\d+$/.test(typed) ? Number(typed) : undefined;
      const option = number === undefined ? undefined : options[number - 1];
      if (option !== undefined) return { kind: 'option', value: option.value };
      if (takesWords === true && typed !== '') return { kind: 'words', text: typed };
      lines.prompt();
    }
    return { kind: 'none' };
  } finally {
    for (const one of [signal, until]) one.removeEventListener('abort', stop);
    lines.close();
  }
}

function promptFor(count: number, standard: number | undefined, takesWords: true | undefined) {
  const number = count === 0 ? '' : `1-${count}`;
  const words = takesWords === true ? 'your words' : '';
  const what = [number, words].filter((part) => part !== '').join(' or ');
  return `${what}${standard === undefined ? '' : ` [${standard}]`}> `;
}

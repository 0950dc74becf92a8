/** Programs of the system, as far as the bridge sees them: small scripts that note how they were called. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Call {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export class StandIns {
  /** A PATH that holds them and nothing else. */
  readonly path: string;
  readonly #notes: string;

  constructor(folder: string) {
    this.path = join(folder, 'stand-ins');
    this.#notes = join(folder, 'calls');
    mkdirSync(this.path);
  }

  /** `script` is the rest of a shell script, which finds its arguments in `"$@"`. */
  add(program: string, script = ''): void {
    const path = join(this.path, program);
    const note = [
      '{',
      `printf '%s\\036' "${program}"`,
      String.raw`for word; do printf '%s\037' "$word"; done`,
      String.raw`printf '\036'`,
      '/usr/bin/env -0',
      String.raw`printf '\035'`,
    ].join('\n');
    writeFileSync(path, `#!/bin/sh\n${note}\n} >>'${this.#notes}'\n${script}\n`);
    chmodSync(path, 0o755);
  }

  get calls(): Call[] {
    if (!existsSync(this.#notes)) return [];
    const notes = readFileSync(this.#notes, 'utf8').split('\u001D').slice(0, -1);
    return notes.map((note) => {
      const [program = '', args = '', env = ''] = note.split('\u001E');
      const pairs = env.split('\0').filter((pair) => pair !== '');
      return {
        program,
        args: args.split('\u001F').slice(0, -1),
        env: Object.fromEntries(
          pairs.map((pair) => [
            pair.slice(0, pair.indexOf('=')),
            pair.slice(pair.indexOf('=') + 1),
          ]),
        ),
      };
    });
  }

  /** What was called, one line a call. */
  get lines(): string[] {
    return this.calls.map(({ program, args }) => [program, ...args].join(' '));
  }
}

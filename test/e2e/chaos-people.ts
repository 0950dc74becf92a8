/** What people say in a life of chaos.ts, what the agent notes of it, and what becomes of files and cards. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShownMessage } from '../../src/sim/control/shown-message.ts';
import type { SimChat, SimMessage, SimUser } from '../../src/sim/world/model.ts';

/**
 * Appends what it got before it does anything, so that runs that die with the bridge count too: all of the text, the
 * message that it is about, and the sum of each file. What `grows` is told in pieces, on a card.
 */
export const AGENT = `
IFS= read -r line || exit 1
text=\${line#*'"text":"'}
text=\${text%%'","sender"'*}
about=q\${text##*q}
about=\${about%%]*}
case "$about" in *_file) about="\${about%_file} file" ;; esac
printf '%s\\n' "$text" >> "$HOME/texts"
printf '%s\\n' "$about" >> "$HOME/runs"
if [ "$LARK_ATTACHMENTS" != '[]' ]; then
  printf '%s' "$LARK_ATTACHMENTS" | grep -o '"path":"[^"]*"' | cut -d '"' -f 4 | while read -r path; do
    printf '%s %s\\n' "\${path##*/}" "$(cksum < "$path")" >> "$HOME/got"
  done
fi
case "$about" in
  *slow*) sleep 0.4 ;;
  *fails*) exit 3 ;;
  *grows*)
    for part in 1 2 3; do
      printf '{"type":"text","text":"so far %s, part %s; "}\\n' "$about" "$part"
      sleep 0.6
    done ;;
esac
printf '{"type":"final","text":"answer to %s"}\\n' "$about"`;

export interface Question {
  readonly token: string;
  readonly text: string;
  readonly chat: SimChat;
  readonly from: SimUser;
  /** The thread that it was said in. */
  readonly threadId: string | undefined;
  readonly message: SimMessage;
  /** Processes that had been killed when it was said. */
  readonly killsBefore: number;
  /** What its file has, as `cksum` says it. */
  readonly sum?: string;
  recalled: boolean;
  /** Somebody was asked about it, and pressed the button. */
  wantedAgain: boolean;
}

/** What is in a thread says nothing of which message it answers: there the text has to tell. */
export function kindOf(
  roll: number,
  { group, inThread }: { group: boolean; inThread: boolean },
): string {
  if (roll < 0.1) return 'slow';
  if (roll < 0.2) return inThread ? 'plain' : 'fails';
  if (roll < 0.35) return 'grows';
  return roll < 0.6 && !group ? 'file' : 'plain';
}

/** What the agent has noted of its runs. */
export class Notes {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  /** A run that began as the bridge died has read nothing. */
  runs(): string[] {
    return this.#lines('runs');
  }

  got(): string[] {
    return this.#lines('got');
  }

  /** What agents got with this file. */
  textsWith(token: string): string[] {
    return this.#lines('texts').filter((text) => text.includes(`${token}_file`));
  }

  #lines(file: 'runs' | 'texts' | 'got'): string[] {
    const path = join(this.#home, file);
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter((line) => line !== '');
  }
}

/** Every file that an agent was to get is the whole one, or both are told why not. */
export function filesWrong(
  questions: readonly Question[],
  notes: Notes,
  repliesIn: (chat: SimChat) => readonly ShownMessage[],
): string[] {
  return questions.flatMap(({ token, sum, text, recalled, chat }) => {
    if (sum === undefined || recalled) return [];
    const texts = notes.textsWith(token);
    const sums = notes.got().filter((line) => line.startsWith(`${token}_file `));
    const wrong = sums.filter((line) => line !== `${token}_file ${sum}`);
    const isMissing = texts.some((line) => line.includes(`${token}_file] [not here: `));
    const isTold = repliesIn(chat).some(
      (shown) => shown.text.includes('could not read') && shown.text.includes(token),
    );
    return [
      ...wrong.map((line) => `not the whole file: ${line}, not ${sum}`),
      ...(isMissing && !isTold ? [`a file is missing, and nobody was told: ${text}`] : []),
      ...(texts.length > 0 && sums.length === 0 && !isMissing ? [`not given: ${text}`] : []),
    ];
  });
}

export function cardsAtWork(replies: readonly ShownMessage[]): string[] {
  return replies.flatMap((shown) => {
    const hasStop = shown.card?.buttons.some(({ label }) => label === 'Stop') === true;
    return hasStop || streamingOf(shown) === true ? [`a card at work: ${shown.text}`] : [];
  });
}

export function isLiveCard(shown: ShownMessage): boolean {
  return streamingOf(shown) !== undefined;
}

/** Only live cards say whether they stream. */
function streamingOf({ card }: ShownMessage): boolean | undefined {
  return (card?.json['config'] as { streaming_mode?: boolean } | undefined)?.streaming_mode;
}

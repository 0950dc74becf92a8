/**
 * The screen of `connect` in a window of a person: the code is the last thing above the line that says what is
 * waited for. It is drawn again when the window changes its size, and Enter opens the link.
 */
import { createInterface, type Interface } from 'node:readline';
import type { OnboardingEvent } from '../app/connect.ts';
import { shownText } from '../observe/shown-text.ts';
import {
  codeThatFits,
  type Codes,
  type ConnectScreen,
  type ConnectView,
  drawCodes,
  hintsFor,
  invitationOf,
  otherLink,
  type Progress,
  type Size,
  statusOf,
  type Verification,
  writePictures,
} from './connect-output.ts';
import { qrPicture } from './qr-code.ts';
import { linked, type PictureForm } from './terminal-abilities.ts';
import { clearedWindow, pictureText } from './terminal-picture.ts';

interface LiveWindow {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly pictures: PictureForm | undefined;
  /** Undefined if no browser can be opened. Resolves to false if the link was not opened. */
  readonly openLink: ((url: string) => Promise<boolean>) | undefined;
}

/** The line that says what is waited for. */
const ROWS_BELOW = 1;
/** A picture of fewer rows is too fine for the camera of a phone. */
const PICTURE_ROWS_MIN = 14;
const PICTURE_ROWS_MAX = 24;
/** Of a terminal that does not know its size. */
const USUAL: Size = { columns: 80, rows: 24 };
/** A window that is being dragged changes its size many times a second. */
const REDRAW_AFTER_MS = 100;

/** One link with its codes. */
interface Scene {
  readonly event: Verification;
  /** A link before it was of no use. */
  readonly isSecond: boolean;
  readonly imagePaths: readonly string[];
  /** Undefined if no code is wanted. */
  readonly codes: Codes | undefined;
  readonly png: Buffer | undefined;
}

interface Drawn {
  readonly text: string;
  readonly rows: number;
  /** Undefined if words stand there, or nothing. */
  readonly code: keyof Codes | undefined;
}

export class LiveView implements ConnectView {
  readonly #screen: ConnectScreen;
  readonly #window: LiveWindow;
  #scene: Scene | undefined;
  #status = '';
  /** The browser did not open, so the link is shown and not its code. */
  #isLinkOnly = false;
  #lines: Interface | undefined;
  #redrawTimer: NodeJS.Timeout | undefined;

  constructor(screen: ConnectScreen, window: LiveWindow) {
    this.#screen = screen;
    this.#window = window;
  }

  async show(event: OnboardingEvent): Promise<void> {
    if (event.kind !== 'verification') {
      this.#showProgress(event);
      return;
    }
    const { noQr, ink } = this.#screen;
    const { pictures } = this.#window;
    const isSecond = this.#scene !== undefined;
    this.#scene = {
      event,
      isSecond,
      imagePaths: await writePictures(event.url, this.#screen),
      codes: noQr ? undefined : await drawCodes(event, ink),
      png: noQr || pictures === undefined ? undefined : await qrPicture(event.url),
    };
    this.#status = '';
    if (!isSecond) this.#listen();
    this.#draw(`${isSecond ? '\n' : ''}${this.#above().text}`);
  }

  #showProgress(event: Progress): void {
    const { text } = statusOf(event);
    // The last of all, and a path that must be seen as a whole.
    if (event.kind === 'old_kept') this.close();
    if (this.#scene === undefined) this.#screen.output.note(text);
    else this.#say(event.kind === 'waiting' ? '' : text);
  }

  close(): void {
    if (this.#scene === undefined) return;
    clearTimeout(this.#redrawTimer);
    this.#window.stdout.off('resize', this.#onResize);
    this.#lines?.close();
    this.#screen.output.draw('\n');
    this.#scene = undefined;
  }

  #listen(): void {
    const { stdin, stdout } = this.#window;
    stdout.on('resize', this.#onResize);
    if (!stdin.isTTY) return;
    // Without a terminal of its own, Ctrl-C goes to the program as always.
    this.#lines = createInterface({ input: stdin, terminal: false });
    this.#lines.on('line', () => this.#open());
  }

  readonly #onResize = () => {
    clearTimeout(this.#redrawTimer);
    this.#redrawTimer = setTimeout(() => this.#redraw(), REDRAW_AFTER_MS);
  };

  /** The terminal has shown the line end, which moved the code up: so all is drawn again. */
  #open(): void {
    const { openLink } = this.#window;
    this.#isLinkOnly = false;
    this.#redraw();
    if (this.#scene === undefined || openLink === undefined) return;
    void openLink(this.#scene.event.url).then((isOpen) => {
      if (isOpen || this.#scene === undefined) return;
      this.#isLinkOnly = true;
      this.#redraw();
    });
  }

  #redraw(): void {
    const above = this.#above();
    const { columns, rows } = this.#size();
    const fits = rowsOf(above.lines, columns) + this.#code().rows + ROWS_BELOW <= rows;
    const head = fits || this.#isLinkOnly ? above.text : '';
    this.#draw(`${clearedWindow(this.#window.pictures)}${head}`);
  }

  #draw(before: string): void {
    const { text } = this.#code();
    const code = text === '' ? '' : `${text}\n`;
    this.#screen.output.draw(`${before}${code}${this.#statusLine()}`);
  }

  #say(status: string): void {
    this.#status = status;
    this.#screen.output.draw(`\r\u001B[2K${this.#statusLine()}`);
  }

  #size(): Size {
    const { columns, rows } = this.#window.stdout;
    // Some terminals say 0.
    return columns > 0 && rows > 0 ? { columns, rows } : USUAL;
  }

  /** What stands in the place of the code. */
  #code(): Drawn {
    const { codes, png } = this.#scene ?? {};
    if (codes === undefined || this.#isLinkOnly) return { text: '', rows: 0, code: undefined };
    const size = this.#size();
    const { pictures } = this.#window;
    const room = Math.min(size.rows - ROWS_BELOW, PICTURE_ROWS_MAX);
    if (png !== undefined && pictures !== undefined && room >= PICTURE_ROWS_MIN) {
      return { text: pictureText(png, pictures, room), rows: room, code: 'exact' };
    }
    const code = codeThatFits(codes, size, ROWS_BELOW);
    if (code !== undefined) return { text: codes[code].text, rows: codes[code].rows, code };
    const { columns, rows } = codes.small;
    const text = `Make the window at least ${columns}x${rows + ROWS_BELOW} and the code is drawn here.`;
    return { text, rows: rowsOf([text], size.columns), code };
  }

  /** What stands above the code: as words, and as it is written. */
  #above(): { readonly lines: readonly string[]; readonly text: string } {
    if (this.#scene === undefined) return { lines: [], text: '' };
    const { event, isSecond, imagePaths } = this.#scene;
    const { url, launcherUrl } = event;
    const isOther = isSecond || this.#screen.noQr;
    const hints = [
      ...hintsFor(imagePaths, this.#code().code),
      ...(launcherUrl !== undefined && isOther ? otherLink(launcherUrl) : []),
    ];
    const lines = [invitationOf(event), url, ...hints].map(shownText);
    const written = lines.map((line) => (line === url ? linked(line, url) : line));
    return { lines, text: `${written.join('\n')}\n` };
  }

  #statusLine(): string {
    const text = this.#status === '' ? this.#waiting() : this.#status;
    // A longer line would go on in the next one, and move the code up.
    const line = shownText(text)
      .replaceAll('\n', ' ')
      .slice(0, this.#size().columns - 1);
    const { url } = this.#scene?.event ?? {};
    return url === undefined ? line : line.replace('the link', (words) => linked(words, url));
  }

  #waiting(): string {
    const scan = this.#code().code === undefined ? '' : 'Scan the code or ';
    const failed = this.#isLinkOnly ? 'The browser did not open. ' : '';
    const isByHand = this.#window.openLink === undefined || this.#isLinkOnly;
    const how = isByHand ? 'open the link' : 'press Enter to open the link';
    const what = `${scan}${how}`;
    return `Waiting … ${failed}${what.charAt(0).toUpperCase()}${what.slice(1)}. Ctrl-C stops.`;
  }
}

/** How many rows of the window some lines take. */
function rowsOf(lines: readonly string[], columns: number): number {
  const rows = lines.map(({ length }) => Math.max(1, Math.ceil(length / columns)));
  return rows.reduce((sum, count) => sum + count, 0);
}

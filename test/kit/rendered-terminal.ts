/** A terminal that shows what a program writes, as a person sees it, and as the camera of a phone reads it. */
import headless from '@xterm/headless';
import jsQrModule from 'jsqr';

// CommonJS, whose types tell of a default export that Node does not see.
const jsQR = jsQrModule as unknown as typeof jsQrModule.default;

type Theme = 'dark' | 'light';
type Cell = NonNullable<ReturnType<NonNullable<ReturnType<Buffer['getLine']>>['getCell']>>;
type Buffer = InstanceType<typeof headless.Terminal>['buffer']['active'];

/** Half a character: a module of a code. */
const HALF_PIXELS = 4;
/** Around the window, in characters: the frame of a window has the colour of its theme. */
const FRAME = 4;

/** Where the first text that can be clicked leads; undefined if there is none. */
export function linkIn(written: string): string | undefined {
  return written.split('\u001B]8;;')[1]?.split('\u001B')[0];
}

export class RenderedTerminal {
  readonly #terminal: InstanceType<typeof headless.Terminal>;
  readonly #theme: Theme;
  #written: Promise<void> = Promise.resolve();

  constructor(size: { columns: number; rows: number }, theme: Theme = 'dark') {
    this.#theme = theme;
    // The kernel's terminal gives a program's line end both characters.
    this.#terminal = new headless.Terminal({
      cols: size.columns,
      rows: size.rows,
      convertEol: true,
      allowProposedApi: true,
    });
  }

  write(text: string): void {
    this.#written = new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#written;
    this.#terminal.resize(columns, rows);
  }

  /** What the window shows, without what has left it at the top. */
  async lines(): Promise<string[]> {
    await this.#written;
    return this.#rows().map((line) => line?.translateToString(true) ?? '');
  }

  /** What a scanner reads that takes no negatives; undefined if nothing. */
  async scanned(): Promise<string | undefined> {
    await this.#written;
    const { cols, rows } = this.#terminal;
    const size = { x: (cols + 2 * FRAME) * HALF_PIXELS, y: (rows + 2 * FRAME) * 2 * HALF_PIXELS };
    const paper = this.#theme === 'dark' ? 0 : 255;
    const pixels = new Uint8ClampedArray(size.x * size.y * 4).fill(paper);
    for (const [row, line] of this.#rows().entries()) {
      for (let column = 0; column < cols; column++) {
        const halves = this.#halvesOf(line?.getCell(column));
        for (let y = 0; y < 2 * HALF_PIXELS; y++) {
          const shade = halves[y < HALF_PIXELS ? 0 : 1];
          const top = (row + FRAME) * 2 * HALF_PIXELS + y;
          const from = (top * size.x + (column + FRAME) * HALF_PIXELS) * 4;
          pixels.fill(shade, from, from + HALF_PIXELS * 4);
        }
      }
    }
    for (let alpha = 3; alpha < pixels.length; alpha += 4) pixels[alpha] = 255;
    return jsQR(pixels, size.x, size.y, { inversionAttempts: 'dontInvert' })?.data;
  }

  #rows() {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, row) =>
      active.getLine(active.baseY + row),
    );
  }

  /** The shades of the upper and the lower half of a character. Letters count as their background. */
  #halvesOf(cell: Cell | undefined): [number, number] {
    const [text, background] = this.#theme === 'dark' ? [255, 0] : [0, 255];
    const ink = cell?.isFgPalette() === true ? shadeOf(cell.getFgColor()) : text;
    const paper = cell?.isBgPalette() === true ? shadeOf(cell.getBgColor()) : background;
    const glyph = cell?.getChars() ?? '';
    return [
      '▀█'.includes(glyph) && glyph !== '' ? ink : paper,
      '▄█'.includes(glyph) && glyph !== '' ? ink : paper,
    ];
  }
}

/** Of the first eight colours only black and white are used: xterm's white is a light grey. */
function shadeOf(color: number): number {
  return color === 0 ? 0 : 229;
}

/** What `connect` shows while it waits: the link, its QR code, and the progress. */
import { join } from 'node:path';
import type { OnboardingEvent } from '../app/connect.ts';
import type { Brand } from '../core/brand.ts';
import type { Output } from './output.ts';
import { drawQr, type Ink, type QrText, writeQrImage } from './qr-code.ts';

export interface ConnectScreen {
  readonly output: Output;
  readonly stateDir: string;
  /** No QR code on the screen and no image file in the state directory. */
  readonly noQr: boolean;
  /** A second path for the image file. */
  readonly qrImage: string | undefined;
  readonly ink: Ink;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Shows what happens until there is a bot. */
export interface ConnectView {
  show(event: OnboardingEvent): Promise<void>;
  /** Leaves the terminal to what comes after it. */
  close(): void;
}

export type Verification = Extract<OnboardingEvent, { kind: 'verification' }>;
export type Progress = Exclude<OnboardingEvent, Verification>;

const BRAND_NAMES: Readonly<Record<Brand, string>> = { feishu: 'Feishu', lark: 'Lark' };

export function brandName(brand: Brand): string {
  return BRAND_NAMES[brand];
}

/** One event after the other: as lines of JSON on stdout, or as text and the QR code. `size`: that of a terminal. */
export function plainView(screen: ConnectScreen, size: Size | undefined): ConnectView {
  const { output } = screen;
  return {
    async show(event) {
      if (event.kind === 'verification') {
        await showVerification(event, screen, size);
        return;
      }
      const { status, text, ...fields } = statusOf(event);
      if (output.json) output.result('', { event: 'status', status, ...fields });
      output.note(text);
    },
    close: () => {},
  };
}

/** Below the code come the line "Waiting for …" and the line of the cursor. */
const ROWS_BELOW = 2;

async function showVerification(
  event: Verification,
  screen: ConnectScreen,
  size: Size | undefined,
): Promise<void> {
  const { output, noQr } = screen;
  const pictures = await writePictures(event.url, screen);
  const codes = output.json || noQr ? undefined : await drawCodes(event, screen.ink);
  const fitting = codes && codeThatFits(codes, size, ROWS_BELOW);
  output.note(invitationOf(event));
  output.result(event.url, {
    event: 'verification',
    url: event.url,
    expires_in: Math.round(event.lifetimeMs / 1000),
    ...(event.launcherUrl !== undefined && { launcher_url: event.launcherUrl }),
    ...(pictures.length > 0 && { qr_image: pictures[0] }),
  });
  if (codes !== undefined && fitting === undefined) {
    const { columns, rows } = codes.small;
    output.note(
      `The QR code does not fit into this terminal: it needs ${columns} columns and ${rows + ROWS_BELOW} rows.`,
    );
  }
  for (const hint of hintsFor(pictures, fitting)) output.note(hint);
  if (event.launcherUrl !== undefined) output.note(otherLink(event.launcherUrl).join('\n'));
  // Last, so that nothing moves its top out of the window.
  if (codes !== undefined && fitting !== undefined) output.draw(`${codes[fitting].text}\n`);
}

export function invitationOf({ waitMs }: Verification): string {
  const time =
    waitMs < 90_000 ? `${Math.ceil(waitMs / 1000)} s` : `${Math.round(waitMs / 60_000)} min`;
  return `Open this link and confirm within ${time}:`;
}

export function otherLink(launcherUrl: string): string[] {
  return ['If it is refused again, try the other link:', launcherUrl];
}

export interface Codes {
  /** Asks for what the bridge uses. */
  readonly exact: QrText;
  /** For small windows. Asks for Lark's standard set. */
  readonly small: QrText;
}

export async function drawCodes({ url, shortUrl }: Verification, ink: Ink): Promise<Codes> {
  return { exact: await drawQr(url, ink), small: await drawQr(shortUrl, ink) };
}

/** Undefined if the terminal is too small for both. What is not a terminal has any size. */
export function codeThatFits(
  codes: Codes,
  { columns, rows }: Size = { columns: Infinity, rows: Infinity },
  rowsBelow: number,
): keyof Codes | undefined {
  const fits = (code: QrText) => code.columns <= columns && code.rows + rowsBelow <= rows;
  return (['exact', 'small'] as const).find((name) => fits(codes[name]));
}

/** The paths of the image files. The one that the person asked for comes first. */
export async function writePictures(
  url: string,
  { qrImage, noQr, stateDir }: ConnectScreen,
): Promise<string[]> {
  const paths = qrImage === undefined ? [] : [qrImage];
  if (!noQr) paths.push(join(stateDir, 'qr.png'));
  for (const path of paths) await writeQrImage(url, path);
  return paths;
}

/** What stands between the link and the code. `pictures`: the image files. `code`: the one that is drawn, if any. */
export function hintsFor(pictures: readonly string[], code: keyof Codes | undefined): string[] {
  return [
    ...scanHints(pictures.join(', '), code),
    'If the page says "Link expired", open this link again. Reloading that page does not help.',
  ];
}

function scanHints(images: string, code: keyof Codes | undefined): string[] {
  const isDrawn = code !== undefined;
  if (!isDrawn && images === '') return [];
  return [
    isDrawn
      ? `Or scan the QR code below with the Lark or Feishu app. The same as an image: ${images}`
      : `Or scan the image of the QR code with the Lark or Feishu app: ${images}`,
    'If scanning in the app fails, open the link in a browser. That works more often.',
    ...(code === 'small' ? [SMALL_CODE] : []),
  ];
}

/** Whoever confirms sees the permissions in Lark. This says why they differ. */
const SMALL_CODE =
  'The link asks only for what lark-bridge uses. The code for a small window asks for the permissions that Lark gives agents by default, because a list does not fit into it.';

export function statusOf(event: Progress) {
  switch (event.kind) {
    case 'waiting':
      return { status: 'waiting', text: 'Waiting for your confirmation … (Ctrl-C stops)' };
    case 'slowed_down':
      return {
        status: 'slow_down',
        interval: event.intervalMs / 1000,
        text: `Lark asks for fewer calls: now asking every ${event.intervalMs / 1000} s.`,
      };
    case 'retrying':
      return {
        status: 'retrying',
        detail: event.detail,
        text: `No usable answer from Lark: ${event.detail}. Trying again …`,
      };
    case 'brand_switched':
      return {
        status: 'brand_switched',
        tenant_brand: event.brand,
        text: `Your organisation is on ${brandName(event.brand)}. Continuing there.`,
      };
    case 'code_expired':
      return { status: 'code_expired', text: 'The link has expired. Here is a new one.' };
    case 'old_kept':
      return {
        status: 'old_credentials_kept',
        path: event.path,
        text: `The old credentials could not be used. They are kept as ${event.path}`,
      };
    default:
      return event satisfies never;
  }
}

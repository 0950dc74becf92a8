/** What `connect` shows while it waits: the link, its QR code, and the progress. */
import { join } from 'node:path';
import type { OnboardingEvent } from '../app/connect.ts';
import type { Brand } from '../core/brand.ts';
import type { Output } from './output.ts';
import { drawQr, type QrText, writeQrImage } from './qr-code.ts';

export interface ConnectScreen {
  readonly output: Output;
  readonly stateDir: string;
  /** No QR code on the screen and no image file in the state directory. */
  readonly noQr: boolean;
  /** A second path for the image file. */
  readonly qrImage: string | undefined;
  /** The size of the terminal; undefined if stdout is not a terminal. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  readonly colored: boolean;
}

type Verification = Extract<OnboardingEvent, { kind: 'verification' }>;

const BRAND_NAMES: Readonly<Record<Brand, string>> = { feishu: 'Feishu', lark: 'Lark' };

export function brandName(brand: Brand): string {
  return BRAND_NAMES[brand];
}

/** Shows one event: as one line of JSON on stdout, or as text and the QR code. */
export async function showEvent(event: OnboardingEvent, screen: ConnectScreen): Promise<void> {
  if (event.kind === 'verification') {
    await showVerification(event, screen);
    return;
  }
  const { output } = screen;
  const { status, text, ...fields } = statusOf(event);
  if (output.json) output.result('', { event: 'status', status, ...fields });
  output.note(text);
}

async function showVerification(event: Verification, screen: ConnectScreen): Promise<void> {
  const { output } = screen;
  const pictures = await writePictures(event.url, screen);
  const json = {
    event: 'verification',
    url: event.url,
    expires_in: Math.round(event.lifetimeMs / 1000),
    ...(event.launcherUrl !== undefined && { launcher_url: event.launcherUrl }),
    ...(pictures.length > 0 && { qr_image: pictures[0] }),
  };
  const qr = output.json || screen.noQr ? undefined : await drawQr(event.url, screen);
  output.note(`Open this link and confirm within ${durationText(event.waitMs)}:`);
  output.result(event.url, json);
  for (const hint of hintsFor(event, { pictures, qr, screen })) output.note(hint);
  // Last, so that nothing moves its top out of the window.
  if (qr !== undefined && fits(qr, screen)) output.picture(qr.text, json);
}

function durationText(ms: number): string {
  return ms < 90_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** Below the code come the line "Waiting for …" and the line of the cursor. */
const ROWS_BELOW = 2;

function fits(qr: QrText, { columns = qr.columns, rows = Infinity }: ConnectScreen): boolean {
  return qr.columns <= columns && qr.rows + ROWS_BELOW <= rows;
}

/** The paths of the image files. The one that the person asked for comes first. */
async function writePictures(url: string, screen: ConnectScreen): Promise<string[]> {
  const paths = screen.qrImage === undefined ? [] : [screen.qrImage];
  if (!screen.noQr) paths.push(join(screen.stateDir, 'qr.png'));
  for (const path of paths) await writeQrImage(url, path);
  return paths;
}

interface Codes {
  readonly pictures: readonly string[];
  /** Undefined if none is wanted on the screen. */
  readonly qr: QrText | undefined;
  readonly screen: ConnectScreen;
}

function hintsFor({ launcherUrl }: Verification, codes: Codes): string[] {
  return [
    ...scanHints(codes),
    'If the page says "Link expired", open this link again. Reloading that page does not help.',
    ...(launcherUrl === undefined
      ? []
      : [`If it is refused again, try the other link:\n${launcherUrl}`]),
  ];
}

function scanHints({ pictures, qr, screen }: Codes): string[] {
  const { columns = 0, rows = 0 } = screen;
  const paths = pictures.join(', ');
  const fallback =
    'If scanning in the app fails, open the link in a browser. That works more often.';
  if (qr === undefined) {
    return pictures.length === 0
      ? []
      : [`Or scan the image of the QR code with the Lark or Feishu app: ${paths}`, fallback];
  }
  if (!fits(qr, screen)) {
    return [
      `The QR code does not fit into this terminal. It needs ${qr.columns} columns and ${qr.rows + ROWS_BELOW} rows, and the terminal has ${columns} and ${rows}.`,
      `Open the link, or scan the image with the Lark or Feishu app: ${paths}`,
    ];
  }
  return [
    `Or scan the QR code below with the Lark or Feishu app. The same as an image: ${paths}`,
    fallback,
  ];
}

function statusOf(event: Exclude<OnboardingEvent, Verification>) {
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

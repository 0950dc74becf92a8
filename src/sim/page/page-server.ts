/** Serves the page that shows the chats as people see them. What people do there goes to the control API. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { imageInfo } from '../api/image-info.ts';
import type { Cloud } from '../cloud.ts';
import { PAGE_HTML, PAGE_ICON } from './assets/page-html.ts';
import { CARD_STYLES } from './assets/card-styles.ts';
import { COMPOSER_STYLES } from './assets/composer-styles.ts';
import { FRAME_STYLES } from './assets/frame-styles.ts';
import { MESSAGE_STYLES } from './assets/message-styles.ts';
import { openEventStream } from './event-stream.ts';

/** Below this are the page and what it loads. They have no faults and are not recorded. */
const PAGE_PATH = '/_page/';

/** Nothing from elsewhere, nothing inline, and no text can become markup. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');
/** What somebody uploaded is shown or saved, and never run. */
const FILE_POLICY = "default-src 'none'; sandbox";

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** The built modules lie below `dist/sim`, also if this file is run from `src/sim`. */
const BUILT = new URL('../../../dist/sim/', import.meta.url);
const MODULE = /^code\/((?:page\/(?:browser|view)|cards|world)\/[a-z0-9-]+\.js)$/;

/** Types that a browser plays inside the page. */
const PLAYED = /^(?:audio|video)\/[\w.+-]+$/;
const MESSAGES = 200;
/** More is slow in any browser. */
const MESSAGES_MAX = 20_000;

/** The address that a person opens. */
export function pageUrlOf(baseUrl: string): string {
  const url = new URL(PAGE_PATH, baseUrl);
  // These two mean "all addresses" and can't be opened.
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return url.href;
}

export class PageServer {
  readonly #cloud: Cloud;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  isFor({ url = '/' }: IncomingMessage): boolean {
    return url.startsWith(PAGE_PATH) || url === PAGE_PATH.slice(0, -1);
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#handle(request, response);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
      if (response.headersSent) response.destroy();
      else send(response, { status: 500, body: 'The simulator has a bug: see its output.\n' });
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { hostname } = new URL(this.#cloud.baseUrl);
    if (!isOwnHost(request.headers.host ?? '', hostname)) {
      const body = 'This page is served to 127.0.0.1 and localhost only. Open it by that name.\n';
      return send(response, { status: 421, body });
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return send(response, { status: 405, body: 'The page is only read.\n' });
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', this.#cloud.baseUrl);
    if (pathname === PAGE_PATH.slice(0, -1)) {
      response.setHeader('Location', PAGE_PATH);
      return send(response, { status: 302, body: '' });
    }
    const path = pathname.slice(PAGE_PATH.length);
    if (path === 'events') return this.#events(response, searchParams);
    if (path.startsWith('files/')) return this.#file(response, path.slice('files/'.length));
    send(response, await pagePart(path));
  }

  #events(response: ServerResponse, query: URLSearchParams): void {
    const type = 'text/event-stream; charset=utf-8';
    response.writeHead(200, { ...HEADERS, 'Content-Type': type });
    const count = Number(query.get('count') ?? MESSAGES);
    openEventStream(this.#cloud, response, {
      as: query.get('as'),
      chatId: query.get('chat'),
      count: Number.isInteger(count) && count > 0 ? Math.min(count, MESSAGES_MAX) : MESSAGES,
    });
  }

  /** Pictures, sound and video are shown in the page. Everything else is saved. */
  #file(response: ServerResponse, key: string): void {
    const upload = this.#cloud.world.uploads.get(key);
    if (upload === undefined)
      return send(response, { status: 404, body: 'There is no such file.\n' });
    const { bytes, contentType, fileName } = upload;
    const played = PLAYED.test(contentType) ? contentType : undefined;
    const type = imageInfo(bytes)?.contentType ?? played;
    const name = encodeURIComponent(fileName === '' ? key : fileName);
    response.setHeader('Content-Security-Policy', FILE_POLICY);
    response.setHeader(
      'Content-Disposition',
      `${type === undefined ? 'attachment' : 'inline'}; filename*=UTF-8''${name}`,
    );
    send(response, { status: 200, type: type ?? 'application/octet-stream', body: bytes });
  }
}

interface PagePart {
  readonly status: number;
  readonly type?: string;
  readonly body: string | Buffer;
}

async function pagePart(path: string): Promise<PagePart> {
  if (path === '') return { status: 200, type: 'text/html; charset=utf-8', body: PAGE_HTML };
  if (path === 'icon.svg') return { status: 200, type: 'image/svg+xml', body: PAGE_ICON };
  if (path === 'page.css') {
    const body = [FRAME_STYLES, COMPOSER_STYLES, MESSAGE_STYLES, CARD_STYLES].join('\n');
    return { status: 200, type: 'text/css; charset=utf-8', body };
  }
  const module = MODULE.exec(path)?.[1];
  const body = module === undefined ? undefined : await builtModule(module);
  if (body === undefined) return { status: 404, body: 'There is no such part of the page.\n' };
  return { status: 200, type: 'text/javascript; charset=utf-8', body };
}

async function builtModule(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(new URL(path, BUILT));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function send(
  response: ServerResponse,
  { status, type = 'text/plain; charset=utf-8', body }: PagePart,
): void {
  for (const [name, value] of Object.entries({ ...HEADERS, 'Content-Type': type })) {
    if (!response.hasHeader(name)) response.setHeader(name, value);
  }
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.writeHead(status);
  response.end(body);
}

/** A name of this machine, or the one that the simulator was told to listen on. A web page elsewhere has another. */
function isOwnHost(host: string, listensOn: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  const isLoopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  return isLoopback || hostname === listensOn;
}

/** One link of the long connection: the SDK's client, from the handshake to the end of its socket. */
import type { AppId } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import type { Endpoint } from './endpoint.ts';
import { createSocketAgent, type ProxySettings } from '../../net/proxy.ts';
import { type EventDispatcher, loadSdk, type Logger, SDK_SOURCE, type WSClient } from '../sdk.ts';

interface LinkOptions {
  readonly endpoint: Endpoint;
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly dispatcher: EventDispatcher;
  readonly logger: Logger;
  readonly proxy: ProxySettings;
  readonly timing: LinkTiming;
  /** Called once, after `opened`, when the socket has ended and we did not close it. */
  readonly onLost: (closeCode: number) => void;
}

export interface LinkTiming {
  readonly handshakeTimeoutMs: number;
  /** The link is dead if no frame comes for this long after a ping. */
  readonly pongTimeoutMs: number;
  readonly pingIntervalMinMs: number;
  readonly pingIntervalMaxMs: number;
}

export interface Link {
  /** False if the handshake failed, or `close` came first. */
  readonly opened: Promise<boolean>;
  /** Closes the socket. Resolves when it has ended, at the latest after `CLOSE_MS_MAX`. */
  close(): Promise<void>;
}

/** What we use of a `ws` socket. */
interface Socket {
  pause(): void;
  resume(): void;
  terminate(): void;
  once(event: 'close', listener: (code: number) => void): void;
}

/** Private parts of the pinned SDK. A contract test shows that they are still there. */
interface Internals {
  readonly wsConfig: {
    setWSInstance(socket: Socket | null): void;
    updateWs(settings: Record<string, unknown>): void;
  };
}

/** A peer that does not answer the close frame in this time is cut off. */
const CLOSE_MS_MAX = 500;

export function openLink(options: LinkOptions): Link {
  const { endpoint } = options;
  const pace = paceOf(endpoint, options.timing);
  const sdk = loadSdk();
  const agent = createSocketAgent(new URL(endpoint.url), options.proxy);
  let socket: Socket | undefined;
  let lost: number | undefined;
  let ready = false;
  let settle!: (opened: boolean) => void;
  const opened = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  const client = new sdk.WSClient({
    appId: options.appId,
    appSecret: options.appSecret.reveal(),
    source: SDK_SOURCE,
    logger: options.logger,
    loggerLevel: sdk.LoggerLevel.info,
    // We reconnect: the SDK waits up to 30 s before its first try and two minutes after it.
    autoReconnect: false,
    agent,
    handshakeTimeoutMs: options.timing.handshakeTimeoutMs,
    wsConfig: { pingTimeout: pace.pongTimeoutMs / 1000 },
    httpInstance: bootstrapAnswer(endpoint, pace),
    onReady: () => {
      ready = true;
      settle(true);
      if (lost !== undefined) options.onLost(lost);
    },
    onError: () => settle(false),
  });
  correctSdk(client, pace, (opening) => {
    socket = opening;
    opening.once('close', (code) => {
      lost = code;
      if (ready) options.onLost(code);
    });
  });
  void client.start({ eventDispatcher: options.dispatcher });
  return {
    opened,
    async close() {
      settle(false);
      client.close();
      // This ends a handshake that still runs.
      agent.destroy();
      if (socket !== undefined && lost === undefined) await ended(socket);
    },
  };
}

/** The SDK has removed our listeners by now. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.terminate(), CLOSE_MS_MAX);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Gives the SDK the answer of the bootstrap call, which endpoint.ts has made already. */
function bootstrapAnswer(endpoint: Endpoint, pace: PingPace) {
  const seconds = pace.pingIntervalMs / 1000;
  const body = {
    code: 0,
    msg: 'success',
    data: {
      URL: endpoint.url,
      ClientConfig: {
        PingInterval: seconds,
        ReconnectCount: 0,
        ReconnectInterval: 0,
        ReconnectNonce: 0,
      },
    },
  };
  const request = () => Promise.resolve(body as never);
  return {
    request,
    get: request,
    delete: request,
    head: request,
    options: request,
    post: request,
    put: request,
    patch: request,
  };
}

/**
 * Corrects two weaknesses of the SDK. It starts to listen for frames some ticks after the socket opened, and
 * loses frames that came with the handshake: so the socket is paused until then. And it accepts every setting
 * in a pong: `{}` would make it ping without a pause.
 */
function correctSdk(client: WSClient, pace: PingPace, onOpen: (socket: Socket) => void): void {
  const { wsConfig } = client as unknown as Internals;
  const setSocket = wsConfig.setWSInstance.bind(wsConfig);
  wsConfig.setWSInstance = (socket) => {
    setSocket(socket);
    if (socket === null) return;
    onOpen(socket);
    socket.pause();
    setImmediate(() => socket.resume());
  };
  const update = wsConfig.updateWs.bind(wsConfig);
  wsConfig.updateWs = (settings) => {
    const { pingInterval, connectUrl, deviceId, serviceId } = settings;
    update({
      pingInterval: bounded(pingInterval, pace.boundsMs),
      ...(connectUrl === undefined ? {} : { connectUrl, deviceId, serviceId }),
    });
  };
}

interface PingPace {
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  /** For intervals that later pongs ask for. */
  readonly boundsMs: Bounds;
}

type Bounds = readonly [min: number, max: number];

/** Each ping starts the SDK's wait for a pong again. If pings came sooner than that wait ends, a dead link would never show. */
const PONG_SHARE = 0.75;

function paceOf(endpoint: Endpoint, timing: LinkTiming): PingPace {
  const { pingIntervalMinMs: minMs, pingIntervalMaxMs: maxMs } = timing;
  const pingIntervalMs = bounded(endpoint.pingIntervalMs, [minMs, maxMs]);
  const pongTimeoutMs = Math.min(timing.pongTimeoutMs, pingIntervalMs * PONG_SHARE);
  const boundsMs = [Math.max(minMs, pongTimeoutMs / PONG_SHARE), maxMs] as const;
  return { pingIntervalMs, pongTimeoutMs, boundsMs };
}

function bounded(intervalMs: unknown, [minMs, maxMs]: Bounds): number {
  if (typeof intervalMs !== 'number' || Number.isNaN(intervalMs)) return maxMs;
  return Math.min(maxMs, Math.max(minMs, intervalMs));
}

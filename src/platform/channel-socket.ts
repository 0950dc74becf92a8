import { Agent, request } from 'undici';
import { errorText } from '../core/errors.ts';
import { A2A_BODY_BYTES_MAX } from '../core/limits.ts';
import type { Secret } from '../core/secret.ts';
import { messageSend, parseOutcome } from './a2a.ts';
import { EventCutter, StreamedTurn } from './event-stream.ts';
import { ANSWER_BYTES_MAX, codeOf, parseJson } from './http.ts';
import { asObject, type Json } from '../wire/json.ts';
import type { SendResult, TurnRequest } from '../bridge/ports.ts';
import type { Log } from '../core/log.ts';

/** A runtime on this machine that takes no connection by now hangs. */
const CHANNEL_CONNECT_TIMEOUT_MS = 5_000;

/** The socket decides where a request goes; HTTP wants a name all the same. */
const ADDRESS = 'http://channel/';

export interface ChannelSocketOptions {
  readonly path: string;
  readonly capability: Secret;
  /** How long a turn may take to be answered. */
  readonly timeoutMs: number;
  readonly log: Log;
}

export type SocketResult =
  | SendResult
  /** Nobody listens there, and nothing was sent: another way may be taken. */
  | { readonly kind: 'absent'; readonly detail: string };

interface Reply {
  readonly status: number;
  /** The JSON-RPC response; undefined if it is something else, or incomplete. */
  readonly body: Json | undefined;
}

/**
 * The socket of the host's runtime (rows MOL-SOCK). A turn is one request, and its answer comes on the same
 * one; so whatever breaks after the request left is not known to have run or not, and is never repeated here.
 */
export class ChannelSocket {
  readonly #options: ChannelSocketOptions;
  readonly #dispatcher: Agent;

  constructor(options: ChannelSocketOptions) {
    this.#options = options;
    this.#dispatcher = new Agent({
      connect: { socketPath: options.path, timeout: CHANNEL_CONNECT_TIMEOUT_MS },
      // A connection for each turn: a kept one that the runtime has closed would leave a turn in doubt.
      pipelining: 0,
      maxResponseSize: ANSWER_BYTES_MAX,
      // The turn has a time limit of its own.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** Never rejects for what the runtime or the socket does. */
  async send(turn: TurnRequest, signal: AbortSignal): Promise<SocketResult> {
    const body = JSON.stringify(socketBody(turn));
    if (Buffer.byteLength(body) > A2A_BODY_BYTES_MAX) {
      return { kind: 'refused', detail: 'it is too large' };
    }
    let reply: Reply;
    try {
      reply = await this.#call(body, signal);
    } catch (error) {
      const detail = errorText(error);
      return isBeforeSending(error) ? { kind: 'absent', detail } : { kind: 'unknown', detail };
    }
    if (reply.status === 401) {
      this.#options.log.error('channel_capability_refused', {
        next: 'Restart the workspace: its plugins then get MOLECULE_CHANNEL_A2A_TOKEN anew.',
      });
    }
    const result = parseReply(reply);
    if (result.kind === 'unanswerable') {
      this.#options.log.error('task_left_unfinished', {
        chat: turn.context.chatId,
        message: turn.context.messageId,
        effect:
          'the runtime ended the request before the task was over, so its answer has no way back',
        next: 'Let the agent answer message/send only when its task is over, or stream until then.',
      });
    }
    return result;
  }

  async #call(body: string, signal: AbortSignal): Promise<Reply> {
    const { capability, timeoutMs } = this.#options;
    const answer = await request(ADDRESS, {
      method: 'POST',
      headers: {
        'x-molecule-channel-capability': capability.reveal(),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body,
      dispatcher: this.#dispatcher,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
    return {
      status: answer.statusCode,
      body: isStream ? await endOf(answer.body) : asObject(parseJson(await answer.body.text())),
    };
  }
}

/**
 * `message/send` asks for the whole answer. The runtime knows `message/stream` too, whose progress nobody
 * would see; a runtime that streams its answer all the same is listened to until the answer is whole.
 */
function socketBody(turn: TurnRequest): Json {
  const { chatId, senderOpenId, messageId } = turn.context;
  // Never with a `metadata.source` in the message: saying who sent it is for the runtime (MOL-SOCK-05).
  return messageSend(turn, {
    chat_id: chatId,
    user_id: senderOpenId,
    // Lark's events hold no name.
    username: senderOpenId,
    message_id: messageId,
  });
}

/** The runtime refuses before a turn runs (MOL-SOCK-05); what else goes wrong may have happened after. */
function parseReply({ status, body }: Reply): SendResult {
  if (status >= 200 && status < 300) {
    const outcome = parseOutcome(body);
    // The answer comes on the request or not at all (MOL-SOCK-06), and the request is over.
    if (outcome?.kind === 'unfinished') return { kind: 'unanswerable' };
    return outcome ?? { kind: 'unknown', detail: 'the runtime gave no answer that is whole' };
  }
  const said = asObject(body?.['error'])?.['message'];
  const detail = typeof said === 'string' && said !== '' ? said : `HTTP ${status}`;
  return status >= 400 && status < 500 ? { kind: 'refused', detail } : { kind: 'unknown', detail };
}

async function endOf(chunks: AsyncIterable<Uint8Array>): Promise<Json | undefined> {
  const decoder = new TextDecoder();
  const cutter = new EventCutter();
  const turn = new StreamedTurn();
  for await (const chunk of chunks) {
    for (const data of cutter.push(decoder.decode(chunk, { stream: true }))) {
      const response = turn.take(data);
      if (response !== undefined) return response;
    }
  }
  return undefined;
}

/** Connecting failed: not a byte of the request has left. */
function isBeforeSending(error: unknown): boolean {
  const { syscall } = error as { syscall?: unknown };
  return syscall === 'connect' || codeOf(error) === 'UND_ERR_CONNECT_TIMEOUT';
}

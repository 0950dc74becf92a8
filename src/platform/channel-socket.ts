import { errorText } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { HttpClient, type HttpStream } from '../net/http.ts';
import { messageSend, parseOutcome } from './a2a.ts';
import { EventCutter, StreamedTurn } from './event-stream.ts';
import { ANSWER_BYTES_MAX } from './hub-calls.ts';
import { asObject, type Json } from '../core/json-object.ts';
import type { SendResult, TurnRequest } from '../bridge/ports/target.ts';
import type { Log } from '../core/log.ts';
import { failureSentence } from '../wire/failure-sentences.ts';

/** A runtime on this machine that accepts no connection within this time hangs. */
const CHANNEL_CONNECT_TIMEOUT_MS = 5_000;
/** What the runtime takes (MOL-SOCK-05). */
const REQUEST_BYTES_MAX = 16 * 1024 * 1024;

/** The socket decides where a request goes. HTTP needs a host name anyway. */
const ADDRESS = 'http://channel/';

interface ChannelSocketOptions {
  readonly path: string;
  readonly capability: Secret;
  /** How long the answer to a turn may take. */
  readonly timeoutMs: number;
  readonly log: Log;
}

type SocketResult =
  | SendResult
  /** Nothing listens there, and nothing was sent. Another way may be used. */
  | { readonly kind: 'absent'; readonly detail: string };

interface Reply {
  readonly kind: 'reply';
  readonly status: number;
  /** The JSON-RPC response. Undefined if it is something else, or incomplete. */
  readonly body: Json | undefined;
}

/**
 * The socket of the host's runtime (rows MOL-SOCK). A turn is one request, and its answer comes on the same
 * request. If something breaks after the request was sent, it is unknown whether the turn ran, so it is never
 * sent again here.
 */
export class ChannelSocket {
  readonly #options: ChannelSocketOptions;
  readonly #http: HttpClient;

  constructor(options: ChannelSocketOptions) {
    this.#options = options;
    this.#http = new HttpClient({
      socketPath: options.path,
      connectTimeoutMs: CHANNEL_CONNECT_TIMEOUT_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
    });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  /** Never rejects because of the runtime or the socket. */
  async send(turn: TurnRequest, signal: AbortSignal): Promise<SocketResult> {
    const body = JSON.stringify(socketBody(turn));
    if (Buffer.byteLength(body) > REQUEST_BYTES_MAX) {
      return { kind: 'refused', detail: failureSentence('too_large') };
    }
    const result = await this.#call(body, signal);
    if (result.kind !== 'reply') return result;
    if (result.status === 401) {
      this.#options.log.error('channel_capability_refused', {
        next: 'Restart the workspace: its plugins then get MOLECULE_CHANNEL_A2A_TOKEN anew.',
      });
    }
    const parsed = parseReply(result);
    if (parsed.kind === 'unanswerable') {
      this.#options.log.error('task_left_unfinished', {
        chat: turn.context.chatId,
        turn: turn.context.messageId,
        effect:
          'the runtime ended the request before the task had ended, so its answer cannot come back',
        next: 'Let the agent answer message/send only when its task is over, or stream until then.',
      });
    }
    return parsed;
  }

  async #call(body: string, signal: AbortSignal): Promise<Reply | SocketResult> {
    const { capability, timeoutMs } = this.#options;
    const call = {
      method: 'POST',
      url: ADDRESS,
      headers: {
        'x-molecule-channel-capability': capability.reveal(),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      text: body,
      timeoutMs,
      // A stream also ends when the time of the turn is over, however often it sends something.
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      alone: true,
    } as const;
    const result = await this.#http.open(call, isEventStream);
    switch (result.kind) {
      case 'not_sent':
        // After a stop no other way is tried.
        return { kind: signal.aborted ? 'unreachable' : 'absent', detail: result.detail };
      case 'no_answer':
        return { kind: 'unknown', detail: result.detail };
      case 'answer':
        return { kind: 'reply', status: result.status, body: asObject(result.body) };
      case 'stream':
        return streamedReply(result);
    }
  }
}

function isEventStream({ headers }: Pick<HttpStream, 'headers'>): boolean {
  return headers['content-type']?.startsWith('text/event-stream') === true;
}

async function streamedReply({ status, stream }: HttpStream): Promise<Reply | SendResult> {
  try {
    return { kind: 'reply', status, body: await endOf(stream) };
  } catch (error) {
    return { kind: 'unknown', detail: errorText(error) };
  }
}

/**
 * `message/send` asks for the whole answer. The runtime also knows `message/stream`, but nobody would see its
 * progress. If a runtime streams its answer anyway, it is read until the answer is complete.
 */
function socketBody(turn: TurnRequest): Json {
  const { chatId, senderOpenId, messageId } = turn.context;
  // Without a `metadata.source` in the message: the runtime adds the sender (MOL-SOCK-05).
  return messageSend(turn, {
    chat_id: chatId,
    user_id: senderOpenId,
    // Lark's events contain no name.
    username: senderOpenId,
    message_id: messageId,
  });
}

/** The runtime refuses before a turn runs (MOL-SOCK-05). Other errors may come after the turn has run. */
function parseReply({ status, body }: Reply): SendResult {
  if (status >= 200 && status < 300) {
    const outcome = parseOutcome(body);
    // The answer can only come on this request (MOL-SOCK-06), and the request has ended.
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
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) return undefined;
    for (const data of cutter.push(decoder.decode(chunk, { stream: true }))) {
      const response = turn.take(data);
      if (response !== undefined) return response;
    }
  }
  return undefined;
}

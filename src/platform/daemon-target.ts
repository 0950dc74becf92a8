import type { WorkspaceId } from '../core/ids.ts';
import type { Service } from '../time/service.ts';
import type { ChannelSocket } from './channel-socket.ts';
import type { SendResult, TurnRequest, TurnTarget, WaitResult } from '../bridge/ports/target.ts';
import type { Log } from '../core/log.ts';

/** Whether turns get through, and what the problem is if they do not. */
interface Reach {
  readonly reachable: boolean;
  readonly detail: string | undefined;
}

interface DaemonTargetParts {
  /** The platform over HTTP, as the host workspace. */
  readonly platform: Service & TurnTarget & { status(): Reach };
  /** The socket of the host's own runtime, if the host offers one. */
  readonly socket: ChannelSocket | undefined;
  readonly host: WorkspaceId;
  readonly target: WorkspaceId;
  readonly log: Log;
}

/**
 * Turns for the workspace that runs the bridge, or for another one in its name. The host's own turns go
 * through its socket, or over the platform if there is no socket. Over the platform a busy host may queue a
 * turn without saying where its answer will be. A host does not get its own messages (MOL-INB-07), so that
 * answer can't come back.
 */
export class DaemonTarget implements Service, TurnTarget {
  readonly name = 'daemon_target';
  /** The platform recognizes a repeat only while it still has the first message. The socket never does. */
  readonly deduplicates = false;
  readonly #parts: DaemonTargetParts;
  readonly #socket: ChannelSocket | undefined;
  #absent = false;

  constructor(parts: DaemonTargetParts) {
    this.#parts = parts;
    // The socket leads to the host only.
    this.#socket = parts.target === parts.host ? parts.socket : undefined;
  }

  /** The host's answers come on the same request or with a ticket. */
  get correlates(): boolean {
    return this.#parts.target === this.#parts.host;
  }

  currentTarget(): Promise<WorkspaceId> {
    return Promise.resolve(this.#parts.target);
  }

  /** The socket counts as present until a turn does not find it. */
  status(): Reach {
    const viaSocket = this.#socket !== undefined && !this.#absent;
    return viaSocket ? { reachable: true, detail: undefined } : this.#parts.platform.status();
  }

  async start(): Promise<void> {
    const { platform, socket, host, target, log } = this.#parts;
    log.info('identity_inherited', { workspace: host, target, socket: this.#socket !== undefined });
    if (socket !== undefined && this.#socket === undefined) {
      log.warn('channel_socket_passed_over', {
        effect: 'turns go over the platform, one at a time',
        next: 'The socket leads to the host workspace: unset MOLECULE_TARGET_WORKSPACE_ID to use it.',
      });
    }
    await platform.start();
  }

  async stop(): Promise<void> {
    await this.#parts.socket?.close();
    await this.#parts.platform.stop();
  }

  async send(turn: TurnRequest, signal: AbortSignal): Promise<SendResult> {
    const { platform, host } = this.#parts;
    if (turn.target === host && this.#socket !== undefined) {
      const result = await this.#socket.send(turn, signal);
      this.#note(result.kind === 'absent' ? result.detail : undefined);
      if (result.kind !== 'absent') return result;
    }
    const result = await platform.send(turn, signal);
    return turn.target === host && result.kind === 'accepted_uncorrelated'
      ? this.#unanswerable(turn)
      : result;
  }

  wait(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult> {
    return this.#parts.platform.wait(target, ticket, signal);
  }

  /** Logs when the socket is missing and when it is back, not at every turn. */
  #note(detail: string | undefined): void {
    const { log } = this.#parts;
    const absent = detail !== undefined;
    if (absent === this.#absent) return;
    this.#absent = absent;
    if (absent) log.warn('channel_socket_missed', { detail, effect: 'turns go over the platform' });
    else log.info('channel_socket_found', {});
  }

  #unanswerable({ context }: TurnRequest): SendResult {
    this.#parts.log.error('answer_lost_in_queue', {
      chat: context.chatId,
      turn: context.messageId,
      effect: 'the host has the message without having answered it, and no answer can come back',
      next: 'Run the bridge as a plugin of kind channel, which gets the channel socket; or set MOLECULE_TARGET_WORKSPACE_ID to another workspace.',
    });
    return { kind: 'unanswerable' };
  }
}

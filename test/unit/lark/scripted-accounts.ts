/** The accounts service as a script, under a clock that jumps to the next timer whenever all is quiet. */
import type { OwnedCredentials } from '../../../src/core/credentials.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import {
  type GrantEvent,
  type GrantOptions,
  runDeviceGrant,
} from '../../../src/lark/connect/device-grant.ts';
import type { PendingCode, PendingCodes } from '../../../src/lark/connect/pending-code.ts';
import type { HttpAnswer, Post } from '../../../src/lark/connect/onboarding-http.ts';

export const FEISHU = 'https://accounts.feishu.cn/oauth/v1/app/registration';
export const LARK = 'https://accounts.larksuite.com/oauth/v1/app/registration';

export interface Seen {
  readonly atMs: number;
  readonly url: string;
  readonly form: Readonly<Record<string, string>>;
}

export class ScriptedAccounts {
  nowMs = 0;
  readonly seen: Seen[] = [];
  readonly events: GrantEvent[] = [];
  readonly abort = new AbortController();
  /** Answers in order; the last one stays. */
  begins: HttpAnswer[] = [begun('one'), begun('two'), begun('three'), begun('four')];
  polls: HttpAnswer[] = [];
  /** The code that an earlier process has kept. */
  kept: PendingCode | undefined;
  readonly pending: PendingCodes = {
    load: () => this.kept,
    keep: (pending) => (this.kept = pending),
    forget: () => (this.kept = undefined),
  };
  /** Called before each answer. */
  onCall: (seen: Seen) => void = () => {};

  readonly clock = {
    nowMs: () => this.nowMs,
    after: (delayMs: number, run: () => void) => {
      let isOn = true;
      setImmediate(() => {
        if (!isOn) return;
        this.nowMs += delayMs;
        run();
      });
      return () => {
        isOn = false;
      };
    },
  };

  readonly post: Post = async (url, body) => {
    const form = 'form' in body ? body.form : body.json;
    const seen = { atMs: this.nowMs, url, form };
    this.seen.push(seen);
    this.onCall(seen);
    const script = form['action'] === 'begin' ? this.begins : this.polls;
    const answer = script.length > 1 ? script.shift() : script[0];
    if (answer === undefined) throw new Error('the script has no answer');
    await Promise.resolve();
    return answer;
  };

  options(changes: Partial<GrantOptions> = {}): GrantOptions {
    return {
      brand: 'feishu',
      accountsBaseUrl: undefined,
      timeoutMs: 600_000,
      pending: this.pending,
      post: this.post,
      clock: this.clock,
      random: () => 1,
      signal: this.abort.signal,
      onEvent: (event) => void this.events.push(event),
      ...changes,
    };
  }

  grant(changes: Partial<GrantOptions> = {}): Promise<OwnedCredentials> {
    return runDeviceGrant(this.options(changes));
  }

  async failure(changes: Partial<GrantOptions> = {}): Promise<BridgeError> {
    const error: unknown = await this.grant(changes).catch((thrown: unknown) => thrown);
    if (error instanceof BridgeError) return error;
    throw new Error('the grant did not end with a BridgeError', { cause: error });
  }

  get beginCalls(): number {
    return this.seen.filter(({ form }) => form['action'] === 'begin').length;
  }

  /** When each poll was sent, and where to. */
  get pollTimes(): number[] {
    return this.pollCalls.map(({ atMs }) => atMs);
  }

  get pollCalls(): Seen[] {
    return this.seen.filter(({ form }) => form['action'] === 'poll');
  }

  get kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }
}

export function answered(body: unknown, status = 200): HttpAnswer {
  return { kind: 'answered', status, body };
}

/** RFC errors come as HTTP 400. */
export function refused(error: string, description?: string): HttpAnswer {
  const words = description === undefined ? {} : { error_description: description };
  return answered({ error, ...words }, 400);
}

export const PENDING = refused('authorization_pending');
export const SLOW_DOWN = refused('slow_down');
export const LOST: HttpAnswer = { kind: 'lost', detail: 'ECONNRESET' };

export function begun(name: string, changes: Record<string, unknown> = {}): HttpAnswer {
  return answered({
    device_code: `device-${name}`,
    user_code: `USER-${name}`,
    verification_uri: 'https://open.feishu.cn/page/launcher',
    verification_uri_complete: `https://open.feishu.cn/page/launcher?user_code=USER-${name}`,
    interval: 5,
    expires_in: 300,
    ...changes,
  });
}

export function confirmed(brand: string | undefined, secret?: string): HttpAnswer {
  return answered({
    client_id: 'cli_00000000000000aa',
    ...(secret !== undefined && { client_secret: secret }),
    user_info: { open_id: 'ou_1', ...(brand !== undefined && { tenant_brand: brand }) },
  });
}

/** What an agent says over A2A, in one form for all versions of the protocol. */
import type { Message, Part, StreamResponse, Task, TaskStatus } from '@a2a-js/sdk';

export type AgentPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly name: string; readonly bytes: Uint8Array }
  /** A file that lies elsewhere. The bridge does not fetch it. */
  | { readonly kind: 'link'; readonly name: string; readonly url: string }
  | { readonly kind: 'data'; readonly value: unknown };

export interface AgentStatus {
  readonly state:
    | 'working'
    | 'completed'
    | 'failed'
    | 'canceled'
    | 'rejected'
    | 'input_required'
    | 'auth_required'
    /** Of a newer protocol. */
    | 'unknown';
  readonly parts: readonly AgentPart[];
  /** Tells one status of a task from another, as far as the agent lets it be told. */
  readonly mark: string;
}

export interface AgentArtifact {
  readonly id: string;
  readonly parts: readonly AgentPart[];
}

/** `context`: the agent's id of the conversation. `task`: its id of the work. Both are empty if it does not say them. */
export type AgentEvent = { readonly context: string } & (
  | { readonly kind: 'message'; readonly parts: readonly AgentPart[] }
  | (TaskEvent & { readonly kind: 'task' })
  | { readonly kind: 'status'; readonly task: string; readonly status: AgentStatus }
  | {
      readonly kind: 'artifact';
      readonly task: string;
      readonly artifact: AgentArtifact;
      /** It continues what came under its id before. */
      readonly continues: boolean;
    }
);

export interface TaskEvent {
  readonly task: string;
  readonly status: AgentStatus;
  readonly artifacts: readonly AgentArtifact[];
}

/** The numbers are those of the protocol's definition. */
const STATES: Readonly<Partial<Record<number, AgentStatus['state']>>> = {
  1: 'working',
  2: 'working',
  3: 'completed',
  4: 'failed',
  5: 'canceled',
  6: 'input_required',
  7: 'rejected',
  8: 'auth_required',
};

/** Undefined for an event of a kind that a newer protocol may have. */
export function eventOf({ payload }: StreamResponse): AgentEvent | undefined {
  switch (payload?.$case) {
    case 'message':
      return messageEvent(payload.value);
    case 'task':
      return taskEvent(payload.value);
    case 'statusUpdate': {
      const { taskId, contextId, status } = payload.value;
      const said = { context: text(contextId), task: text(taskId) };
      return { kind: 'status', ...said, status: statusOf(status) };
    }
    case 'artifactUpdate': {
      const { taskId, contextId, artifact, append } = payload.value;
      if (artifact === undefined) return undefined;
      return {
        kind: 'artifact',
        context: text(contextId),
        task: text(taskId),
        artifact: { id: text(artifact.artifactId), parts: partsOf(artifact.parts) },
        continues: append,
      };
    }
    case undefined:
      return undefined;
  }
}

/** What comes back for a message that is not followed as a stream. */
export function resultEvent(result: Message | Task): AgentEvent {
  return 'messageId' in result ? messageEvent(result) : taskEvent(result);
}

export function taskEvent({ id, contextId, status, artifacts }: Task): AgentEvent & TaskEvent {
  return {
    kind: 'task',
    context: text(contextId),
    task: text(id),
    status: statusOf(status),
    artifacts: artifacts.map(({ artifactId, parts }) => ({
      id: text(artifactId),
      parts: partsOf(parts),
    })),
  };
}

function messageEvent({ contextId, parts }: Message): AgentEvent {
  return { kind: 'message', context: text(contextId), parts: partsOf(parts) };
}

function statusOf(status: TaskStatus | undefined): AgentStatus {
  const parts = partsOf(status?.message?.parts ?? []);
  const mark = [status?.message?.messageId, status?.timestamp, textOf(parts)].join('\n');
  return { state: STATES[status?.state ?? 0] ?? 'unknown', parts, mark };
}

function partsOf(parts: readonly Part[]): AgentPart[] {
  return parts.flatMap(({ content, filename }): AgentPart[] => {
    const name = text(filename);
    switch (content?.$case) {
      case 'text':
        return [{ kind: 'text', text: text(content.value) }];
      case 'raw':
        return [{ kind: 'file', name, bytes: content.value }];
      case 'url':
        return [{ kind: 'link', name, url: text(content.value) }];
      case 'data':
        return [{ kind: 'data', value: content.value as unknown }];
      case undefined:
        return [];
    }
  });
}

/** The SDK does not check all that it calls a text in messages of version 0.3. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** What an agent says in words, without what is in other forms. */
export function textOf(parts: readonly AgentPart[]): string {
  return parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('');
}

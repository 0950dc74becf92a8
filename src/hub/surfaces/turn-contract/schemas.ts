/** The requests of the turn contract. Unknown fields are allowed: clients of other versions send more. */
import { Type, type Static } from '@sinclair/typebox';

const UUID = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';
/** The id of a message or a conversation: one line of printable text. Half a character could not be stored. */
const KEY =
  '^(?:[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff]){1,256}$';

/** Turns that one message may answer. Each one is looked up. */
const ANSWERED_MAX = 100;

const Uuid = Type.String({ pattern: UUID });
const Key = Type.String({ pattern: KEY });
/** Beyond it a number is not the one that was sent, and SQLite's can't be read back. */
const WHOLE_MAX = { maximum: Number.MAX_SAFE_INTEGER };
const Open = Type.Record(Type.String(), Type.Unknown());

export const WorkspacePath = Type.Object({ id: Type.String() });
export const MessagePath = Type.Object({ id: Type.String(), messageId: Type.String() });
export const QueuePath = Type.Object({ id: Type.String(), queueId: Type.String() });

export const RegisterBody = Type.Object({
  id: Uuid,
  agent_card: Open,
  url: Type.Optional(Type.String()),
  delivery_mode: Type.Optional(Type.String()),
});

export const HeartbeatBody = Type.Object({
  workspace_id: Uuid,
  agent_card: Type.Optional(Type.Union([Open, Type.Null()])),
});

export const CardBody = Type.Object({ workspace_id: Uuid, agent_card: Open });

const Part = Type.Object({ kind: Type.String(), text: Type.Optional(Type.String()) });

export const A2aRequestBody = Type.Object({
  jsonrpc: Type.Literal('2.0'),
  id: Type.Union([Type.String(), Type.Number(), Type.Null()]),
  method: Type.String(),
  params: Type.Object({
    message: Type.Object({
      role: Type.String(),
      messageId: Key,
      parts: Type.Array(Part),
      contextId: Type.Optional(Key),
      referenceTaskIds: Type.Optional(Type.Array(Type.String(), { maxItems: ANSWERED_MAX })),
    }),
    metadata: Type.Optional(Open),
    expires_in_seconds: Type.Optional(Type.Number()),
  }),
});
export type A2aRequest = Static<typeof A2aRequestBody>;

export const QueueQuery = Type.Object({ wait_secs: Type.Optional(Type.String()) });

export const ActivityQueryString = Type.Object({
  type: Type.Optional(Type.String()),
  include: Type.Optional(Type.String()),
  source: Type.Optional(Type.String()),
  peer_id: Type.Optional(Type.String()),
  limit: Type.Optional(Type.String()),
  since_id: Type.Optional(Type.String()),
  since_secs: Type.Optional(Type.String()),
  before_ts: Type.Optional(Type.String()),
});
export type ActivityQueryStrings = Static<typeof ActivityQueryString>;

const Text = Type.Optional(Type.Union([Type.String(), Type.Null()]));

export const ActivityBody = Type.Object({
  activity_type: Type.String(),
  method: Text,
  summary: Text,
  target_id: Text,
  source_id: Text,
  status: Text,
  error_detail: Text,
  duration_ms: Type.Optional(Type.Union([Type.Integer({ minimum: 0, ...WHOLE_MAX }), Type.Null()])),
  request_body: Type.Optional(Type.Unknown()),
  response_body: Type.Optional(Type.Unknown()),
  tool_trace: Type.Optional(Type.Unknown()),
  metadata: Type.Optional(Type.Unknown()),
});
export type ActivityReport = Static<typeof ActivityBody>;

export const AckBody = Type.Object({ acked_seq: Type.Integer(WHOLE_MAX) });

/** So many files as a program may give with an answer. */
const LARK_FILES_MAX = 20;
/** One line of printable text without a slash, as Lark shows it under a file. */
const FILE_NAME =
  '^(?:[^/\\\\\\u0000-\\u001f\\u007f\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff]){1,200}$';

/** Where in Lark a notice is to be shown, and with what. */
const LarkPlace = Type.Object({
  chat_id: Type.Optional(Type.String()),
  open_id: Type.Optional(Type.String()),
  email: Type.Optional(Type.String()),
  card: Type.Optional(Open),
  files: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String({ pattern: FILE_NAME }),
        // Not believed: what a file is, its first bytes say.
        mime_type: Type.Optional(Type.String()),
        base64: Type.String(),
      }),
      { maxItems: LARK_FILES_MAX },
    ),
  ),
});
export type LarkPlaceBody = Static<typeof LarkPlace>;

export const NotifyBody = Type.Object({
  lark: Type.Optional(LarkPlace),
  message: Type.String(),
  attachments: Type.Optional(
    Type.Array(
      Type.Object({ uri: Type.String({ minLength: 1 }), name: Type.String({ minLength: 1 }) }),
    ),
  ),
});

export function isUuid(text: string): boolean {
  return new RegExp(UUID).test(text);
}

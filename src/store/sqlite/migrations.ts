/** The history of the schema. One entry for each version. A released entry is never edited. */
import { GATHERING_TURNS } from './bridge/gathering.ts';
import { LANGUAGES_SCHEMA } from './bridge/languages-schema.ts';
import { RECALLS_AND_ANSWERS } from './bridge/said-schema.ts';
import { WHO_MAY_TALK } from './bridge/access-schema.ts';
import { BRIDGE_SCHEMA, CONTENT_BY_MEANING, REPLY_TOKENS } from './bridge/schema.ts';
import { NEWS_SCHEMA } from './bridge/news-schema.ts';
import { REPORTS_SCHEMA } from './bridge/reports-schema.ts';
import { RESTORES_SCHEMA } from './bridge/restores-schema.ts';
import { WEBHOOKS_SCHEMA } from './bridge/webhooks-schema.ts';
import { SESSIONS_OF_PEOPLE, SESSIONS_SCHEMA, SHARED_SESSIONS } from './bridge/sessions-schema.ts';
import { DONE_SO_FAR, LIVE_CARDS } from './bridge/live-cards-schema.ts';
import { APPROVALS_SCHEMA } from './bridge/approvals-schema.ts';
import { OWNER_NOTICES_SCHEMA } from './bridge/owner-notices-schema.ts';
import { QUESTIONS_SCHEMA } from './bridge/questions-schema.ts';
import { AGENTS_WITH_PROTOCOLS, CHOSEN_AGENTS } from './hub/agents-schema.ts';
import { USAGE_SCHEMA } from './bridge/usage-schema.ts';
import { AGENT_SESSIONS } from './hub/sessions-schema.ts';
import { FOLDERS_SCHEMA } from './hub/folders-schema.ts';
import { HUB_CONTENT, HUB_SCHEMA, READABLE_ROWS } from './hub/schema.ts';
import { HUB_USAGE } from './hub/usage-schema.ts';

export const MIGRATIONS: readonly string[] = [
  `${BRIDGE_SCHEMA}\n${HUB_SCHEMA}`,
  // JSON of a `FailureCause`: which agent failed, and how it ended.
  'ALTER TABLE runs ADD COLUMN cause TEXT;',
  READABLE_ROWS,
  HUB_CONTENT,
  REPLY_TOKENS,
  // The end of the output of a program that gave no answer, as JSON of `ProgramOutput`.
  'ALTER TABLE hub_items ADD COLUMN program_output TEXT',
  CONTENT_BY_MEANING,
  // Who asked for the current run of a turn, if that is not the author of its message.
  'ALTER TABLE turns ADD COLUMN asked_by TEXT',
  HUB_USAGE,
  // JSON of `TurnDetails`.
  'ALTER TABLE turns ADD COLUMN details TEXT',
  LANGUAGES_SCHEMA,
  GATHERING_TURNS,
  RECALLS_AND_ANSWERS,
  LIVE_CARDS,
  SESSIONS_SCHEMA,
  WHO_MAY_TALK,
  // For the rows of one message that answers nothing.
  'CREATE INDEX outbox_no_turn ON outbox (lane) WHERE turn IS NULL',
  QUESTIONS_SCHEMA,
  // For how much each workspace sent to people of Lark lately.
  `CREATE INDEX hub_activity_lark ON hub_activity (workspace_id, created_at_ms)
     WHERE activity_type = 'lark_send'`,
  AGENT_SESSIONS,
  FOLDERS_SCHEMA,
  SESSIONS_OF_PEOPLE,
  AGENTS_WITH_PROTOCOLS,
  NEWS_SCHEMA,
  USAGE_SCHEMA,
  REPORTS_SCHEMA,
  WEBHOOKS_SCHEMA,
  APPROVALS_SCHEMA,
  OWNER_NOTICES_SCHEMA,
  DONE_SO_FAR,
  SHARED_SESSIONS,
  RESTORES_SCHEMA,
  CHOSEN_AGENTS,
];

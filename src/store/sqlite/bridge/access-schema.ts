/**
 * `access_people`: what is known about a person or another bot, as JSON of `PersonAccess`. `access_groups`: the same
 * of `GroupAccess`. `access_app`: of `AppAccess`. The other columns repeat what is searched for.
 *
 * Before, everybody could talk to the bot. Whoever had an answer by then may go on. Their groups count as known, so
 * that they can go on there too. Nobody else is let in by that.
 */
export const WHO_MAY_TALK = `
CREATE TABLE access_app (app_id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE access_people (
  app_id TEXT NOT NULL,
  open_id TEXT NOT NULL,
  union_id TEXT,
  state TEXT,
  code TEXT,
  record TEXT NOT NULL,
  PRIMARY KEY (app_id, open_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_people_union ON access_people (union_id) WHERE union_id IS NOT NULL;
CREATE INDEX access_people_state ON access_people (app_id, state) WHERE state IS NOT NULL;
CREATE TABLE access_groups (
  app_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (app_id, chat_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX turns_kept ON turns (seq) WHERE phase = 'kept';

CREATE TEMP TABLE answered AS
  SELECT app_id, chat_id, message ->> '$.chatType' AS chat_type,
    message ->> '$.senderOpenId' AS sender, asked_by FROM turns
  WHERE (phase = 'answered' AND reply_token IS NOT NULL)
    OR EXISTS (SELECT 1 FROM runs WHERE runs.app_id = turns.app_id AND runs.turn = turns.message_id
      AND runs.ended_as = 'answered');
INSERT INTO access_people (app_id, open_id, state, record)
  SELECT app_id, person, 'allowed', json_object('openId', person, 'state', 'allowed',
    'decidedBy', 'earlier_version', 'isGreeted', json('true')) FROM (
      SELECT app_id, sender AS person FROM answered UNION SELECT app_id, asked_by FROM answered)
  WHERE person IS NOT NULL;
INSERT INTO access_groups (app_id, chat_id, record)
  SELECT DISTINCT app_id, chat_id, json_object('chatId', chat_id, 'isExternal', json('false')) FROM answered
  WHERE chat_type = 'group';
DROP TABLE answered;
`;

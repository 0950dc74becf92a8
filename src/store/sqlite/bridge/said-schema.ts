/** Finds the answer that a message of the bot shows, and the turns that know what was said before. */
export const RECALLS_AND_ANSWERS = `
CREATE INDEX outbox_lark_id ON outbox (lark_id) WHERE lark_id IS NOT NULL;
CREATE INDEX turns_with_details ON turns (chat_id) WHERE details IS NOT NULL AND phase NOT IN ('answered', 'dropped');
`;

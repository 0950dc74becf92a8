/** Each message of a person looks for the one turn of its chat that gathers, however many others wait. */
export const GATHERING_TURNS = `
CREATE INDEX turns_gathering ON turns (app_id, chat_id, seq) WHERE json_extract(state, '$.gathers');
`;

/** The limit of everything that answers: replies to the simulator and nothing else, 16 at once. */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';

/** As many calls as the bridge has under way. */
const AT_ONCE = 16;
const { LARK_APP_ID, LARK_APP_SECRET, LARK_OPEN_BASE_URL } = process.env;
const api = `${LARK_OPEN_BASE_URL}/open-apis`;
const dispatcher = new Agent();

async function post(path, body, headers = {}) {
  const answer = await request(`${api}${path}`, {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return answer.body.json();
}

const login = { app_id: LARK_APP_ID, app_secret: LARK_APP_SECRET };
const grant = await post('/auth/v3/tenant_access_token/internal', login);
const headers = { authorization: `Bearer ${grant.tenant_access_token}` };

/** Answers each message of the list, over and over until the time is over. */
async function answer(messageIds, { warmUpMs, measuredMs }) {
  const startAt = performance.now() + warmUpMs;
  const endAt = startAt + measuredMs;
  const counts = { made: 0, measured: 0, refused: 0 };
  const chain = async () => {
    while (performance.now() < endAt) {
      counts.made += 1;
      const path = `/im/v1/messages/${messageIds[counts.made % messageIds.length]}/reply`;
      const content = JSON.stringify({ text: 'an answer' });
      const { code } = await post(path, { msg_type: 'text', content, uuid: randomUUID() }, headers);
      if (code !== 0) counts.refused += 1;
      const now = performance.now();
      if (now >= startAt && now < endAt) counts.measured += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, chain));
  return { ...counts, perSecond: (counts.measured * 1000) / measuredMs };
}

process.on('message', async ({ messageIds, ...times }) => {
  process.send(await answer(messageIds, times));
});

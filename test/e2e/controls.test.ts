/** F29: control characters of people, agents and servers act nowhere. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOSTILE_TEXT, RAW_CONTROL } from '../kit/controls.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});
afterEach(() => rig.close());

test('F29: of a message, an answer and a failure no control reaches a chat, a terminal or the log', async () => {
  await rig.addAgent(
    'loud',
    `if read -r line && echo "$line" | grep -q fail; then printf 'x\\033]0;t\\007y\\302\\233z' >&2; exit 3; fi;
     printf 'x\\033]0;t\\007y\\302\\233z <at/user_id="all">'`,
  );
  const bridge = await rig.runHere();
  const user = rig.cloud.addUser({ name: `Mia ${HOSTILE_TEXT}` });
  const chat = rig.cloud.directChat(user, rig.app);
  const asked = [HOSTILE_TEXT, `fail ${HOSTILE_TEXT}`].map((text) =>
    rig.cloud.say({ chat, from: user, text }),
  );
  const replies = await rig.repliesIn(chat, 2);
  for (const { text } of replies) {
    // An answer may turn its direction, but it is for no terminal.
    expect(text).not.toMatch(/(?![\n\t])\p{Cc}/u);
    expect(text).not.toMatch(/<\/?at(?![a-z0-9])/i);
  }
  const commands = [
    ['turns'],
    ['dead-letters'],
    ['dead-letters', 'unasked'],
    ['status'],
    ['agents'],
    ['config'],
    ['doctor', '--offline'],
    ...asked.flatMap(({ messageId }) => [
      ['turns', 'show', messageId, '--text'],
      ['trace', messageId, '--text'],
    ]),
  ];
  for (const words of commands.flatMap((one) => [one, [...one, '--json']])) {
    const { stdout, stderr } = await rig.command(words);
    expect(stdout).not.toMatch(RAW_CONTROL);
    expect(stderr).not.toMatch(RAW_CONTROL);
  }
  expect(bridge.stderr).not.toMatch(RAW_CONTROL);
});

/** Writing to a person who has not written yet. */
import { expect, test } from 'vitest';
import { openId } from '../../../src/core/ids.ts';
import { startRig, withGateway } from './rig.ts';

const HELLO = { kind: 'text', text: 'hello' } as const;

test('a message to a person opens the direct chat, and is shown once under its key', async () => {
  const rig = withGateway(await startRig());
  const person = openId(rig.ann.openId);
  rig.lark.faults.inject({ kind: 'response_lost', path: '/im/v1/messages' });
  const lost = await rig.gateway.writeTo(person, HELLO, 'k1');
  expect(lost).toMatchObject({ ok: false, action: 'unknown' });
  const result = await rig.gateway.writeTo(person, HELLO, 'k1');
  const chat = rig.lark.directChat(rig.ann, rig.app);
  const shown = rig.lark.shows(chat);
  expect(result).toEqual({ ok: true, id: shown[0]?.messageId, chatId: chat.chatId });
  expect(shown.map(({ text }) => text)).toEqual(['hello']);
});

test('a message to a person whom the app does not know is refused with its own code', async () => {
  const rig = withGateway(await startRig());
  const result = await rig.gateway.writeTo(openId('ou_nobody'), HELLO, 'k1');
  expect(result).toMatchObject({ ok: false, action: 'give_up', code: 230034 });
});

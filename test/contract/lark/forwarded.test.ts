/** A forwarded bundle, read from the simulated cloud. */
import { expect, test } from 'vitest';
import { messageId } from '../../../src/core/ids.ts';
import { startRig, withGateway } from './rig.ts';

test('one call gives all of it, also of the bundles in it', async () => {
  const rig = await startRig();
  const { lark, ann, app } = rig;
  const chat = lark.directChat(ann, app);
  const one = lark.say({ chat, from: ann, text: 'one', silent: true });
  const picture = lark.say({ chat, from: ann, messageType: 'image', silent: true });
  const inner = lark.forward({ chat, from: ann, messages: [one, picture] });
  const outer = lark.forward({ chat, from: ann, messages: [inner, one] });
  const { gateway } = withGateway(rig);
  const read = await gateway.forwarded?.(messageId(outer.messageId));
  const time = (said: { createdAtMs: number }) =>
    `${new Date(said.createdAtMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const head = `${ann.openId}, ${time(one)}:`;
  expect(read?.ok === true && read.text.split('\n').toSorted()).toEqual(
    [
      '[forwarded: 2 messages]',
      `> ${ann.openId}, ${time(inner)}:`,
      '> [forwarded: 2 messages]',
      `> > ${head}`,
      '> > one',
      '> >',
      `> > ${head}`,
      '> > [image] [not here: Lark gives apps no files of forwarded messages]',
      '>',
      `> ${head}`,
      '> one',
    ].toSorted(),
  );
  expect(lark.calls({ path: `/messages/${outer.messageId}` })).toHaveLength(1);
});

test.each([
  [230027, false, 'Lark refused with code 230027'],
  [230110, false, 'Lark refused with code 230110'],
  [2200, true, 'Lark refused with code 2200'],
])('code %i: a reason for the agent, and the log has the rest', async (code, isPassing, reason) => {
  const rig = await startRig();
  const { lark, ann, app } = rig;
  const bundle = lark.say({
    chat: lark.directChat(ann, app),
    from: ann,
    messageType: 'merge_forward',
  });
  const path = `/messages/${bundle.messageId}`;
  lark.faults.inject({ kind: 'business_error', code, msg: 'words of Lark', path, times: 9 });
  const { gateway } = withGateway(rig);
  const read = await gateway.forwarded?.(messageId(bundle.messageId));
  expect(read).toEqual({ ok: false, reason, isPassing });
});

test('a bundle of which Lark shows nothing', async () => {
  const rig = await startRig();
  const { lark, ann, app } = rig;
  const bundle = lark.say({
    chat: lark.directChat(ann, app),
    from: ann,
    messageType: 'merge_forward',
  });
  const { gateway } = withGateway(rig);
  expect(await gateway.forwarded?.(messageId(bundle.messageId))).toEqual({
    ok: false,
    reason: 'Lark shows none of them',
    isPassing: false,
  });
});

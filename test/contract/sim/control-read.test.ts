/** What a test in any language can read: cards with their buttons, calls with their bodies. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callControl } from './control-call.ts';
import { cardOf, CardRig, md, type Json } from './card-rig.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { Listener } from './sdk-listener.ts';

interface Button {
  readonly index: number;
  readonly label: string;
}
interface Message extends Json {
  readonly messageId: string;
  readonly card?: { readonly json: Json; readonly buttons: Button[]; readonly before: Json[] };
}

let rig: CardRig;

beforeEach(async () => {
  rig = new CardRig(await startLarkCloud());
});

afterEach(() => rig.lark.stop());

const ask = (method: string, path: string, fields: Json = {}) =>
  callControl(rig.lark, method, path, fields);

async function lastShown(): Promise<Message> {
  const { body } = await ask('GET', '/shows', { chat: 'Team', last: '1' });
  return (body['messages'] as Message[])[0] as Message;
}

const callback = (label: string, value: unknown, more: Json = {}): Json => ({
  tag: 'button',
  text: { tag: 'plain_text', content: label },
  behaviors: [{ type: 'callback', value }],
  ...more,
});

const CHOICE = cardOf(
  [
    md('Sure?'),
    {
      tag: 'column_set',
      columns: [{ tag: 'column', elements: [callback('Yes', { a: 1 }), callback('No', { a: 2 })] }],
    },
    callback('Same', 'x'),
    callback('Same', 'y'),
    callback('Off', 'z', { disabled: true }),
    {
      tag: 'button',
      text: { tag: 'plain_text', content: 'Site' },
      behaviors: [{ type: 'open_url', default_url: 'https://example.com' }],
    },
    { tag: 'select_static', name: 'size', options: [{ value: 'S' }, { value: 'M' }] },
    {
      tag: 'form',
      name: 'order',
      elements: [
        { tag: 'input', name: 'street' },
        {
          tag: 'button',
          name: 'send',
          text: { tag: 'plain_text', content: 'Send' },
          form_action_type: 'submit',
        },
      ],
    },
  ],
  {},
);

describe('/shows', () => {
  test('has a card as JSON, with its buttons', async () => {
    await rig.send(CHOICE);
    const { card, content } = await lastShown();
    expect(card?.json).toEqual(CHOICE);
    expect(content).toBeUndefined();
    expect(card?.buttons).toEqual([
      { index: 0, label: 'Yes', tag: 'button', value: { a: 1 }, tellsApp: true },
      { index: 1, label: 'No', tag: 'button', value: { a: 2 }, tellsApp: true },
      { index: 2, label: 'Same', tag: 'button', value: 'x', tellsApp: true },
      { index: 3, label: 'Same', tag: 'button', value: 'y', tellsApp: true },
      { index: 4, label: 'Off', tag: 'button', value: 'z', tellsApp: true, disabled: true },
      { index: 5, label: 'Site', tag: 'button', url: 'https://example.com', tellsApp: false },
      {
        index: 6,
        label: 'Send',
        tag: 'button',
        name: 'send',
        tellsApp: true,
        formFields: ['street'],
      },
    ]);
  });

  test('has the buttons of a card 1.0', async () => {
    const actions = [
      { tag: 'button', text: { tag: 'plain_text', content: 'Go' }, value: { go: 1 } },
      { tag: 'button', text: { tag: 'plain_text', content: 'Docs' }, url: 'https://example.com' },
    ];
    await rig.send({ elements: [{ tag: 'action', actions }] });
    expect((await lastShown()).card?.buttons).toMatchObject([
      { label: 'Go', value: { go: 1 }, tellsApp: true },
      { label: 'Docs', url: 'https://example.com', tellsApp: false },
    ]);
  });

  test('has the earlier states of a streamed card', async () => {
    const card = await rig.entity(cardOf([md('…')]));
    await rig.sendEntity(card);
    for (const text of ['one', 'one two', 'one two three']) await rig.stream(card, text);
    const shown = await lastShown();
    expect(shown['text']).toBe('one two three');
    expect(shown.card?.before).toMatchObject([{ text: '…' }, { text: 'one' }, { text: 'one two' }]);
  });

  test('has what a card showed before it was replaced, and keeps everything else', async () => {
    const messageId = await rig.send(cardOf([md('first')], {}));
    await rig.client.im.v1.message.patch({
      path: { message_id: messageId },
      data: { content: JSON.stringify(cardOf([md('second')], {})) },
    });
    const { card, edits } = await lastShown();
    expect(card?.before).toEqual([{ text: 'first', untilMs: expect.any(Number) as number }]);
    expect(edits).toBe(1);
  });

  test('keeps the newest 200 states of one card', async () => {
    const card = await rig.entity(cardOf([md('0')]));
    await rig.sendEntity(card);
    rig.lark.cloud.limits.enabled = false;
    for (let at = 1; at <= 230; at += 1) await rig.stream(card, String(at));
    const before = (await lastShown()).card?.before ?? [];
    expect(before).toHaveLength(200);
    expect(before.at(-1)).toMatchObject({ text: '229' });
  });

  test('has the content of posts and files', async () => {
    const content = [
      [
        { tag: 'text', text: 'see' },
        { tag: 'a', text: 'it', href: 'https://example.com' },
      ],
    ];
    await rig.client.im.v1.message.create({
      params: { receive_id_type: 'chat_id' },
      data: {
        receive_id: rig.group.chatId,
        msg_type: 'post',
        content: JSON.stringify({ en_us: { title: 'News', content } }),
      },
    });
    expect(await lastShown()).toMatchObject({ type: 'post', content: { title: 'News', content } });
    const { body } = await ask('POST', '/uploads', {
      from: 'Ada',
      kind: 'file',
      base64: 'eHg=',
      fileName: 'x.txt',
    });
    const file = { file_key: body['key'], file_name: 'x.txt' };
    await ask('POST', '/say', { chat: 'Team', from: 'Ada', messageType: 'file', content: file });
    const shown = await lastShown();
    expect(shown).toMatchObject({ type: 'file', content: file });
    await ask('POST', '/recall', { messageId: shown.messageId });
    expect(await lastShown()).not.toHaveProperty('content');
  });
});

describe('/press', () => {
  let messageId: string;
  let listener: Listener;

  beforeEach(async () => {
    messageId = await rig.send(CHOICE);
    listener = new Listener(rig.lark, rig.app).start();
    await rig.lark.waitFor(() => rig.lark.online(rig.app) === 1);
  });

  afterEach(() => listener.close());

  const press = (how: Json) => ask('POST', '/press', { messageId, from: 'Ada', ...how });

  test.each([
    [{ label: 'No' }, { tag: 'button', value: { a: 2 } }],
    [{ index: 3 }, { tag: 'button', value: 'y' }],
    [{ value: { a: 1 } }, { tag: 'button', value: { a: 1 } }],
    [
      { label: 'Send', formValues: { street: 'Main' } },
      { tag: 'button', name: 'send', form_value: { street: 'Main' } },
    ],
    [
      { action: { tag: 'select_static', name: 'size', option: 'M' } },
      { tag: 'select_static', name: 'size', option: 'M' },
    ],
  ])('%o presses a button of the card', async (how, action) => {
    expect(await press(how)).toEqual({ status: 200, body: { ok: true } });
    expect(listener.heard).toMatchObject([{ action }]);
  });

  test.each([
    [{ label: 'Maybe' }, 'the card has no such button; its buttons: 0 "Yes", 1 "No"'],
    [{ index: 7 }, 'the card has no such button'],
    [{ value: { cmd: 'made.up' } }, 'the card has no such button'],
    [{ label: 'Same' }, 'more than one button matches: use the index'],
    [{ label: 'Off' }, 'is disabled'],
    [{ label: 'Site' }, 'opens a link'],
    [{}, 'give exactly one of'],
    [{ label: 'Yes', index: 0 }, 'give exactly one of'],
    [{ label: 'Yes', formValues: {} }, 'submits no form'],
    [
      { label: 'Send', formValues: { town: 'x' } },
      'the form has no field town; its fields: street',
    ],
    [{ action: { tag: 'date_picker' } }, 'the card has no date_picker'],
    [{ action: { tag: 'select_static', option: 'XL' } }, 'has no option "XL"'],
    [{ action: { tag: 'button', value: 1 } }, 'give a button by its label'],
  ])('%o is refused', async (how, message) => {
    const { status, body } = await press(how);
    expect(status).toBe(400);
    expect(body['error']).toContain(message);
    expect(listener.heard).toEqual([]);
  });

  test('a message that is not a card is refused', async () => {
    const said = rig.lark.say({ chat: rig.group, from: 'Ada', text: 'hi' });
    const { body } = await ask('POST', '/press', {
      messageId: said.messageId,
      from: 'Ada',
      index: 0,
    });
    expect(body['error']).toContain('is not a card');
  });
});

describe('/calls', () => {
  const calls = async (filter: Json = {}) =>
    (await ask('GET', '/calls', filter)).body['calls'] as Json[];

  test('has the bodies of requests and answers', async () => {
    const messageId = await rig.send(CHOICE);
    const [call] = await calls({ path: '/im/v1/messages' });
    expect(call).toMatchObject({
      status: 200,
      request: { receive_id: rig.group.chatId, msg_type: 'interactive' },
      response: { code: 0, data: { message_id: messageId } },
    });
  });

  test('has only the calls after a number, if asked', async () => {
    await rig.send(CHOICE);
    const before = await calls();
    await rig.send(CHOICE);
    const since = before.at(-1)?.['number'];
    const after = await calls({ since });
    expect(after).toHaveLength(1);
    expect(after[0]).toMatchObject({ number: Number(since) + 1 });
  });

  test('marks calls to unknown routes, and has only the size of uploads', async () => {
    await fetch(`${rig.lark.openBaseUrl}/open-apis/docx/v1/documents`, {
      method: 'POST',
      body: 'x',
    });
    await rig.client.im.v1.file.create({
      data: { file_type: 'stream', file_name: 'x', file: Buffer.from('abc') },
    });
    const [unknown, , upload] = await calls();
    expect(unknown).toMatchObject({
      unknownRoute: true,
      request: 'x',
      response: '404 page not found',
    });
    expect(upload).toMatchObject({
      unknownRoute: false,
      request: expect.stringMatching(/^\d+ bytes$/) as string,
    });
  });

  test('cuts very long bodies, and keeps a call after its bodies are dropped', async () => {
    const long = JSON.stringify({ text: 'x'.repeat(140_000) });
    const send = () =>
      rig.client.im.v1.message.create({
        params: { receive_id_type: 'chat_id' },
        data: { receive_id: rig.group.chatId, msg_type: 'text', content: long },
      });
    rig.lark.cloud.limits.enabled = false;
    for (let times = 0; times < 120; times += 1) await send();
    const all = await calls({ path: '/im/v1/messages' });
    expect(all).toHaveLength(120);
    expect(all[0]).not.toHaveProperty('request');
    expect(all.at(-1)?.['request']).toMatch(/x … \(\d+ characters\)$/);
  });
});

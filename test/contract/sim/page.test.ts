/** The page of the simulator, as HTTP serves it: what it says, to whom, and what it never does. */
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startLarkCloud } from '../../../src/sim/server.ts';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { MessagesSeen, WorldSeen } from '../../../src/sim/page/view/wire.ts';
import { callControl } from './control-call.ts';

let lark: LarkCloud;

beforeEach(async () => {
  lark = await startLarkCloud({ seed: 1 });
});
afterEach(() => lark.stop());

/** A request with a Host header of its own, which `fetch` does not send. */
function statusFor(path: string, host: string): Promise<number | undefined> {
  const { port } = new URL(lark.pageUrl);
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
      sent.destroy();
    });
    sent.once('error', reject);
    sent.end();
  });
}

const get = (path: string) => fetch(new URL(path, lark.pageUrl));

test('is one document, its styles and its code, all from this place', async () => {
  const page = await get('');
  expect(page.headers.get('content-type')).toContain('text/html');
  const html = await page.text();
  const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
  expect(parts).toContain('code/page/browser/main.js');
  for (const path of parts) {
    const part = await get(path);
    expect([path, part.status]).toEqual([path, 200]);
    expect(part.headers.get('x-content-type-options')).toBe('nosniff');
    // Whatever code imports is served too.
    const imports = [...(await part.text()).matchAll(/^import .*from '([^']+)'/gm)];
    parts.push(
      ...imports
        .map(([, name = '']) => new URL(name, part.url).href.slice(lark.pageUrl.length))
        .filter((found) => !parts.includes(found)),
    );
  }
  expect(parts.length).toBeGreaterThan(20);
});

test('no script, style or text of anybody else can run in it', async () => {
  const policy = (await get('')).headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).toContain("require-trusted-types-for 'script'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
});

test.each(['', 'events', 'files/x', 'page.css'])(
  'answers only to names of this machine: /%s',
  async (path) => {
    const { port, pathname } = new URL(path, lark.pageUrl);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example']) {
      expect([host, await statusFor(pathname, host)]).toEqual([host, 421]);
    }
    for (const host of [`localhost:${port}`, '127.0.0.1', `[::1]:${port}`]) {
      expect(await statusFor(pathname, host)).not.toBe(421);
    }
  },
);

test.each([
  'code/../../package.json',
  'code/page/browser/../../server.js',
  'code/%2e%2e/%2e%2e/package.json',
  'code/control/lark-cloud.js',
  'code/page/browser/main.js.map',
  'nothing',
])('no other file is served: %s', async (path) => {
  const { pathname } = new URL(lark.pageUrl);
  expect(await statusFor(pathname + path, '127.0.0.1')).toBe(404);
});

test('calls of the page are no calls of the API', async () => {
  await get('');
  await get('nothing');
  expect(lark.calls()).toEqual([]);
});

test('what was uploaded is shown if it is a picture, and otherwise saved and never run', async () => {
  const owner = { kind: 'user', openId: lark.addUser({ name: 'Mei' }).openId } as const;
  const html = Buffer.from('<script>alert(1)</script>');
  const wrong = lark.addUpload({ kind: 'image', owner, bytes: html, contentType: 'text/html' });
  const svg = lark.addUpload({ kind: 'file', owner, bytes: html, contentType: 'image/svg+xml' });
  for (const { key } of [wrong, svg]) {
    const { headers } = await get(`files/${key}`);
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('content-disposition')).toMatch(/^attachment/);
    expect(headers.get('content-security-policy')).toContain('sandbox');
  }
  const bytes = Buffer.from('89504e470d0a1a0a', 'hex');
  const picture = lark.addUpload({ kind: 'image', owner, bytes });
  const { headers } = await get(`files/${picture.key}`);
  expect(headers.get('content-type')).toBe('image/png');
  expect((await get('files/none')).status).toBe(404);
});

/** The events of a page until one fits. */
async function eventsUntil<T>(
  query: Readonly<Record<string, string>>,
  fits: (event: string, data: WorldSeen & MessagesSeen) => T | undefined,
): Promise<T> {
  const address = `${lark.pageUrl}events?${new URLSearchParams(query).toString()}`;
  const { body } = await fetch(address);
  let text = '';
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      const found = fits(event, JSON.parse(data) as WorldSeen & MessagesSeen);
      // The end of the loop closes the stream.
      if (found !== undefined) return found;
    }
  }
  throw new Error('the stream ended');
}

describe('the stream of events', () => {
  test('tells each person of their own chats, with what they have not read', async () => {
    const [mei, tom] = [lark.addUser({ name: 'Mei' }), lark.addUser({ name: 'Tom' })];
    const app = lark.addApp({ name: 'Helper' });
    const group = lark.addGroup({ name: 'Orders', members: [mei, tom], apps: [app] });
    lark.directChat(mei, app);
    lark.say({ chat: group, from: mei, text: 'one' });
    const said = lark.say({ chat: group, from: mei, text: 'two' });
    const worldOf = (as: string) =>
      eventsUntil({ as }, (event, data) => (event === 'world' ? data : undefined));
    const seen = await worldOf(tom.openId);
    expect(seen.me?.name).toBe('Tom');
    expect(seen.chats.map(({ title, unread }) => [title, unread])).toEqual([['Orders', 2]]);
    expect(seen.chats[0]?.preview).toBe('Mei: two');
    expect((await worldOf(mei.openId)).chats.map(({ unread }) => unread)).toEqual([0, 0]);
    lark.read(said, tom);
    expect((await worldOf(tom.openId)).chats[0]?.unread).toBe(0);
  });

  test('tells at once what changes, also what the control API adds', async () => {
    lark.addUser({ name: 'Mei' });
    const added = eventsUntil({}, (_, { people }) => people?.find(({ name }) => name === 'Tom'));
    await callControl(lark, 'POST', '/users', { name: 'Tom' });
    expect((await added).name).toBe('Tom');
  });

  test('sends a message again only when it looks different', async () => {
    const mei = lark.addUser({ name: 'Mei' });
    const chat = lark.addGroup({ name: 'Orders', members: [mei] });
    const first = lark.say({ chat, from: mei, text: 'first' });
    lark.say({ chat, from: mei, text: 'second' });
    const heard: unknown[][] = [];
    let step = 0;
    const watched = { as: mei.openId, chat: chat.chatId };
    await eventsUntil(watched, (event, { changed }) => {
      if (event !== 'messages') return undefined;
      heard.push(changed.map(({ content }) => JSON.stringify(content?.['text'])));
      step += 1;
      if (step === 1) lark.edit(first, { text: 'edited' });
      if (step === 2) lark.recall(first);
      return step === 3 ? true : undefined;
    });
    expect(heard).toEqual([['"first"', '"second"'], ['"edited"'], [undefined]]);
  });

  test('a person who is not in a chat sees nothing of it, nor what is for another person', async () => {
    const [mei, tom] = [lark.addUser({ name: 'Mei' }), lark.addUser({ name: 'Tom' })];
    const chat = lark.addGroup({ name: 'Orders', members: [mei] });
    const shared = lark.addGroup({ name: 'All', members: [mei, tom] });
    lark.say({ chat, from: mei, text: 'not for Tom' });
    const draft = { chat: shared, sender: { kind: 'user', openId: mei.openId } as const };
    const text = { msgType: 'text', content: '{"text":"only for Mei"}', visibleTo: mei.openId };
    lark.world.post({ ...draft, ...text });
    lark.say({ chat: shared, from: mei, text: 'for both' });
    let seen = '';
    await eventsUntil({ as: tom.openId, chat: shared.chatId }, (event, data) => {
      seen += JSON.stringify(data);
      return event === 'messages' ? true : undefined;
    });
    await eventsUntil({ as: tom.openId, chat: chat.chatId }, (event, data) => {
      seen += JSON.stringify(data);
      return event === 'world' ? true : undefined;
    });
    expect(seen).toContain('for both');
    expect(seen).not.toMatch(/not for Tom|only for Mei/);
  });

  test('a thread that began before the messages of the page is there with its beginning', async () => {
    const mei = lark.addUser({ name: 'Mei' });
    const chat = lark.addGroup({ name: 'Orders', members: [mei] });
    const root = lark.say({ chat, from: mei, text: 'root' });
    for (const text of ['a', 'b']) lark.say({ chat, from: mei, text });
    lark.say({ chat, from: mei, text: 'reply', replyTo: root, inThread: true });
    const watched = { as: mei.openId, chat: chat.chatId, count: '2' };
    const seen = await eventsUntil(watched, (event, data) =>
      event === 'messages' ? data : undefined,
    );
    expect(seen.hasOlder).toBe(true);
    expect(seen.changed.map(({ content }) => content?.['text'])).toEqual(['root', 'b', 'reply']);
  });
});

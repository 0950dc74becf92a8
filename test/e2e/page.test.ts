/** The page of the simulator in a browser, as people use it. It finds everything by the names that people hear. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../src/sim/server.ts';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { CardRig, cardOf, md } from '../contract/sim/card-rig.ts';
import { Listener } from '../contract/sim/sdk-listener.ts';
import { CHROMIUM, launchBrowser } from '../kit/browser.ts';
import { WAIT_MS } from '../kit/bounds.ts';
import { Rig } from './rig.ts';

let browser: Browser;
const closing: (() => unknown)[] = [];
/** What a page said that no page should say. */
let troubles: string[] = [];

beforeAll(async () => {
  if (CHROMIUM !== undefined) browser = await launchBrowser();
});
afterAll(() => browser?.close());
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  expect(troubles.splice(0)).toEqual([]);
});

async function open(lark: LarkCloud, user: SimUser, chat?: SimChat): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  closing.push(() => page.close());
  page.setDefaultTimeout(WAIT_MS);
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (line) => {
    if (line.type() === 'error' && !line.text().includes('400')) troubles.push(line.text());
  });
  const place = new URLSearchParams({ as: user.openId, ...(chat && { chat: chat.chatId }) });
  await page.goto(`${lark.pageUrl}#${place.toString()}`);
  return page;
}

async function cardRig(): Promise<CardRig & { readonly mei: SimUser }> {
  const lark = await startLarkCloud({ seed: 4 });
  closing.push(() => lark.stop());
  const rig = new CardRig(lark);
  return Object.assign(rig, { mei: lark.findUser('Ada') });
}

const messageBox = (page: Page) => page.getByRole('textbox', { name: 'Message' });
const messages = (page: Page) => page.getByRole('log', { name: 'Messages', exact: true });
/** A picture of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const plain = (content: string) => ({ tag: 'plain_text', content });

describe.skipIf(CHROMIUM === undefined)(
  'the page of the simulator (skipped: it needs chromium on the PATH)',
  () => {
    test('a person writes to the bot, and its answer appears below with what it answers', async () => {
      const rig = await Rig.open();
      closing.push(() => rig.close());
      const { user, chat } = rig.direct('Mei');
      await rig.runHere();
      const page = await open(rig.cloud, user, chat);
      await messageBox(page).fill('hello | world');
      await page.getByRole('button', { name: 'Send' }).click();
      const answer = messages(page).getByRole('article', { name: /^Bot,/ });
      await answer.getByText('hello | world', { exact: true }).waitFor();
      expect(await answer.getByRole('note', { name: 'In reply to' }).textContent()).toBe(
        'Mei: hello | world',
      );
      // Enter sends too. The Markdown of the answer is a card.
      await messageBox(page).fill('# Title\n\n```ts\nconst a = 1;\n```');
      await messageBox(page).press('Enter');
      const card = messages(page).getByRole('group', { name: 'Card' });
      await card.getByRole('heading', { name: 'Title' }).waitFor();
      expect(await card.locator('pre').textContent()).toBe('const a = 1;');
      // A rich text reaches the agent as Markdown.
      await page.getByRole('button', { name: 'Rich text' }).click();
      await messageBox(page).fill('is it **bold**?');
      await messageBox(page).press('Enter');
      await messages(page).getByRole('group', { name: 'Card' }).getByText('is it bold?').waitFor();
    });

    test('a card grows while the app writes it, and says when it is done', async () => {
      const rig = await cardRig();
      const page = await open(rig.lark, rig.mei);
      const card = await rig.entity(cardOf([md('Let me see')]));
      await rig.sendEntity(card);
      const shown = messages(page).getByRole('group', { name: 'Card' });
      await shown.getByText('Let me see').waitFor();
      await rig.stream(card, 'Let me see: **one**');
      await shown.locator('strong', { hasText: 'one' }).waitFor();
      expect(await shown.getByRole('status').textContent()).toBe('Writing …');
      await rig.stream(card, 'Let me see: **one**, two');
      await shown.getByText(', two').waitFor();
      await rig.settings(card, { config: { streaming_mode: false } });
      await shown.getByRole('status').waitFor({ state: 'detached' });
    });

    test('buttons, selects and forms reach the app, and its answer is shown', async () => {
      const rig = await cardRig();
      const { lark, app, mei } = rig;
      const actions: unknown[] = [];
      const done = cardOf([md('Approved by Ada')], {});
      const listener = new Listener(lark, app, {
        handle: ({ event_type: type, ...event }) => {
          if (type !== 'card.action.trigger') return undefined;
          actions.push(event['action']);
          const toast = { type: 'success', content: `Press ${actions.length} arrived` };
          return actions.length < 3 ? { toast } : { toast, card: { type: 'raw', data: done } };
        },
      }).start();
      closing.push(() => listener.close());
      await lark.waitFor(() => lark.online(app) > 0);
      const options = [
        { text: plain('Monday'), value: 'mo' },
        { text: plain('Tuesday'), value: 'tu' },
      ];
      const messageId = await rig.send({
        schema: '2.0',
        header: { title: plain('May I?'), template: 'orange' },
        body: {
          elements: [
            {
              tag: 'button',
              text: plain('Allow'),
              behaviors: [{ type: 'callback', value: { id: 7 } }],
            },
            {
              tag: 'select_static',
              name: 'day',
              placeholder: plain('Which day'),
              options,
              behaviors: [{ type: 'callback', value: { id: 8 } }],
            },
            {
              tag: 'form',
              name: 'form',
              elements: [
                { tag: 'input', name: 'why', label: plain('Reason'), required: true },
                { tag: 'checker', name: 'sure', text: plain('I am sure') },
                {
                  tag: 'button',
                  name: 'submit',
                  text: plain('Submit'),
                  form_action_type: 'submit',
                  confirm: { title: plain('Really?'), text: plain('It is final.') },
                },
              ],
            },
          ],
        },
      });
      const page = await open(lark, mei);
      const card = messages(page).getByRole('group', { name: 'Card' });
      await card.getByRole('button', { name: 'Allow' }).click();
      await page.getByText('Press 1 arrived').waitFor();
      await card.getByRole('combobox', { name: 'Which day' }).selectOption('Tuesday');
      await page.getByText('Press 2 arrived').waitFor();
      await card.getByRole('button', { name: 'Submit' }).click();
      await page.getByText('Fill in Reason.').waitFor();
      await card.getByRole('textbox', { name: 'Reason' }).fill('it is late');
      // The message is drawn again, and what the person has typed stays, with the cursor in it.
      lark.react({ messageId, from: mei, emoji: 'EYES' });
      await messages(page).getByRole('button', { name: 'EYES: Ada' }).waitFor();
      await page.keyboard.type(' today');
      await card.getByRole('checkbox', { name: 'I am sure' }).check();
      await card.getByRole('button', { name: 'Submit' }).click();
      const question = page.getByRole('dialog', { name: 'Really?' });
      await question.getByRole('button', { name: 'OK' }).click();
      await card.getByText('Approved by Ada').waitFor();
      expect(actions).toMatchObject([
        { tag: 'button', value: { id: 7 } },
        { tag: 'select_static', option: 'tu', name: 'day', value: { id: 8 } },
        { name: 'submit', form_value: { why: 'it is late today', sure: true } },
      ]);
    });

    test('two people: unread marks, threads, reactions, edits, recalls, and who has read', async () => {
      const lark = await startLarkCloud({ seed: 5 });
      closing.push(() => lark.stop());
      const [mei, tom] = [lark.addUser({ name: 'Mei' }), lark.addUser({ name: 'Tom' })];
      const team = lark.addGroup({ name: 'Team', members: [mei, tom] });
      const other = lark.addGroup({ name: 'Other', members: [mei, tom] });
      const mine = await open(lark, mei, team);
      const his = await open(lark, tom, other);
      await messageBox(mine).fill('Lunch @Tom?');
      await messageBox(mine).press('Enter');
      const own = messages(mine).getByRole('article', { name: /^Mei,/ }).first();
      await own.getByText('Unread').waitFor();

      // Tom sees that there is something, opens it, and Mei sees that he has read it.
      const chats = his.getByRole('navigation', { name: 'Chats' });
      await chats.getByRole('button', { name: 'Team, 1 unread' }).click();
      const seen = messages(his).getByRole('article', { name: /^Mei,/ }).first();
      await seen.getByText('@Tom').waitFor();
      await own.getByText('Read by Tom').waitFor();
      await chats.getByRole('button', { name: 'Team', exact: true }).waitFor();

      await seen.hover();
      await seen.getByRole('button', { name: 'React', exact: true }).click();
      await his.getByRole('dialog').getByRole('button', { name: 'OK', exact: true }).click();
      await own.getByRole('button', { name: 'OK: Tom' }).waitFor();

      await seen.hover();
      await seen.getByRole('button', { name: 'Reply in thread' }).click();
      await his.getByRole('textbox', { name: 'Reply in thread' }).fill('Noodles');
      await his.getByRole('button', { name: 'Send reply' }).click();
      await own.getByRole('button', { name: 'Open thread, 1 reply' }).click();
      const thread = mine.getByRole('complementary', { name: 'Thread' });
      await thread.getByText('Noodles').waitFor();
      await mine.getByRole('button', { name: 'Close thread' }).click();

      await own.hover();
      await own.getByRole('button', { name: 'Edit' }).click();
      expect(await messageBox(mine).inputValue()).toBe('Lunch @Tom?');
      await messageBox(mine).fill('Dinner @Tom?');
      await messageBox(mine).press('Enter');
      await seen.getByText('Dinner').waitFor();
      await seen.getByText('Edited').waitFor();
      expect(lark.shows(team)[0]?.text).toBe('Dinner @Tom?');

      await own.hover();
      await own.getByRole('button', { name: 'Recall' }).click();
      await mine.getByRole('dialog').getByRole('button', { name: 'OK' }).click();
      await messages(his).getByText('Mei recalled a message').waitFor();

      // The same page as another person.
      await his.getByRole('combobox', { name: 'You are' }).selectOption('Mei');
      await messages(his).getByText('You recalled a message').waitFor();
    });

    test('a rich text has a title, styles, links, mentions, pictures and code, and can be edited', async () => {
      const lark = await startLarkCloud({ seed: 6 });
      closing.push(() => lark.stop());
      const [mei, tom] = [lark.addUser({ name: 'Mei' }), lark.addUser({ name: 'Tom' })];
      const team = lark.addGroup({ name: 'Team', members: [mei, tom] });
      const page = await open(lark, mei, team);
      await messages(page).getByText('There are no messages yet.').waitFor();
      await page.getByRole('button', { name: 'Rich text' }).click();
      await page.getByRole('textbox', { name: 'Title' }).fill('Friday');
      await messageBox(page).fill('See [the list](https://example.com) @Tom: ');
      await messageBox(page).press('Control+b');
      await page.keyboard.type('bread');
      await messageBox(page).press('End');
      const picture = { name: 'a.png', mimeType: 'image/png', buffer: PIXEL };
      await page.getByLabel('Picture', { exact: true }).first().setInputFiles(picture);
      const preview = page.getByRole('region', { name: 'Preview' });
      await preview.getByRole('img', { name: 'Picture' }).waitFor();
      await page.getByRole('button', { name: 'Code block' }).click();
      await page.keyboard.type('a = 1');
      await preview.locator('pre', { hasText: 'a = 1' }).waitFor();
      await page.getByRole('button', { name: 'Send' }).click();

      const own = messages(page).getByRole('article', { name: /^Mei,/ });
      await own.getByRole('heading', { name: 'Friday' }).waitFor();
      await own.locator('strong', { hasText: 'bread' }).waitFor();
      await own.getByRole('link', { name: 'the list' }).waitFor();
      await own.getByRole('img', { name: 'Picture' }).waitFor();
      const [post] = lark.shows(team);
      expect(post).toMatchObject({ type: 'post', content: { title: 'Friday' } });
      expect(post?.text).toMatch(/^Friday\nSee the list @Tom: bread\n\[image .*\]\na = 1$/);
      // The next message is a plain one again.
      await preview.waitFor({ state: 'hidden' });

      await own.hover();
      await own.getByRole('button', { name: 'Edit' }).click();
      const title = page.getByRole('textbox', { name: 'Title' });
      expect(await title.inputValue()).toBe('Friday');
      expect(await messageBox(page).inputValue()).toMatch(
        /^See \[the list\]\(https:\/\/example.com\) @Tom: \*\*bread\*\*\n!\[Picture\]\(img_.*\)\n```\na = 1\n```$/,
      );
      await title.fill('Saturday');
      await messageBox(page).press('Enter');
      await own.getByRole('heading', { name: 'Saturday' }).waitFor();
      await own.getByText('Edited').waitFor();
      expect(lark.shows(team)).toMatchObject([{ type: 'post', edits: 1 }]);

      // In a thread too; a reply names what it answers.
      await own.hover();
      await own.getByRole('button', { name: 'Reply in thread' }).click();
      const thread = page.getByRole('complementary', { name: 'Thread' });
      await thread.getByRole('button', { name: 'Rich text' }).click();
      await thread.getByRole('textbox', { name: 'Reply in thread' }).fill('*and* milk');
      await thread.getByRole('button', { name: 'Send reply' }).click();
      await thread.locator('em', { hasText: 'and' }).waitFor();
      await own.hover();
      await own.getByRole('button', { name: 'Reply', exact: true }).click();
      await page.getByText(/^Reply to Mei: Saturday/).waitFor();
    });

    test('a person sends a picture, a file and a voice sample, and adds a person to the group', async () => {
      const rig = await cardRig();
      const { lark, mei, group } = rig;
      const page = await open(lark, mei);
      const picture = { name: 'a.png', mimeType: 'image/png', buffer: PIXEL };
      await page.getByLabel('Picture', { exact: true }).first().setInputFiles(picture);
      await messages(page).getByRole('img', { name: 'Picture' }).waitFor();
      const file = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('words') };
      await page.getByLabel('File', { exact: true }).first().setInputFiles(file);
      await messages(page).getByRole('link', { name: 'notes.txt' }).waitFor();
      await page.getByRole('button', { name: 'Voice sample' }).click();
      await messages(page).getByLabel('Voice message').waitFor();
      expect(lark.shows(group).map(({ type }) => type)).toEqual(['image', 'file', 'audio']);
      const loaded = await messages(page)
        .getByRole('img', { name: 'Picture' })
        .evaluate((image: { complete: boolean; naturalWidth: number }) => image.naturalWidth);
      expect(loaded).toBe(1);

      await page.getByRole('button', { name: 'New person' }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('Lin');
      await page.getByRole('dialog').getByRole('button', { name: 'OK' }).click();
      await page.getByText('No chat is open').waitFor();
      await page.getByRole('combobox', { name: 'You are' }).selectOption('Ada');
      await page.getByRole('button', { name: 'Add people' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Lin' }).click();
      await lark.waitFor(() => group.members.size === 2);
    });

    test('no text of anybody becomes markup, and a narrow page has no sideways scrolling', async () => {
      const rig = await cardRig();
      const { lark, group } = rig;
      const evil = '<img src=x onerror="window.caught=1"><script>window.caught=2</script>';
      const eve = lark.addUser({ name: evil });
      lark.addMember(group, eve);
      lark.say({ chat: group, from: eve, text: evil });
      const words = `${evil} [x](javascript:window.caught=3) <a href="javascript:window.caught=4">y</a>`;
      const wide = `\`\`\`\n${'wide '.repeat(100)}\n\`\`\``;
      await rig.send({
        header: { title: plain(evil) },
        elements: [{ tag: 'markdown', content: words }, md(wide), { tag: evil, text: evil }],
      });
      const page = await open(lark, eve);
      await page.setViewportSize({ width: 800, height: 700 });
      await messages(page).getByText(evil, { exact: true }).first().waitFor();
      await messages(page).getByRole('group', { name: 'Card' }).waitFor();
      const found = await page.evaluate(`({
        caught: window.caught,
        scripts: document.querySelectorAll('body script, img[src=x], a[href^=javascript]').length,
        isWide: document.documentElement.scrollWidth > window.innerWidth,
      })`);
      expect(found).toEqual({ caught: undefined, scripts: 0, isWide: false });
    });
  },
);

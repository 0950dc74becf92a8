/** `npm run picture` makes docs/page.png: a chat on the page of the simulator, as docs/simulator.md shows it. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from '../kit/browser.ts';
import { Rig } from './rig.ts';

const PICTURE = join(import.meta.dirname, '../../docs/page.png');
/** It is in every clone. */
const BYTES_MAX = 200_000;

const ANSWER = `Two orders are **not shipped** yet:

| Order | Customer | State |
| ---: | --- | --- |
| 1041 | Bakery | packed |
| 1042 | Café | waits for flour |

You find them with

\`\`\`sql
SELECT number, customer
FROM orders
WHERE shipped IS NULL;
\`\`\`

1. Ship 1041 today
2. Ask the mill about 1042`;

/** It knows two answers. */
const AGENT = `case "$(cat)" in
*where*) echo 'The noodle bar has a free table for three.' ;;
*) cat <<'END'
${ANSWER}
END
esac`;

export async function main(): Promise<number> {
  const rig = await Rig.open({ seed: 21 });
  const browser = await launchBrowser();
  try {
    const { cloud, app } = rig;
    cloud.changeApp(app, { name: 'Helper' });
    await rig.addAgent('helper', AGENT);
    const [mia, tom, lin] = ['Mia', 'Tom', 'Lin'].map((name) => cloud.addUser({ name }));
    if (mia === undefined || tom === undefined || lin === undefined) return 1;
    const direct = cloud.directChat(mia, app);
    const team = cloud.addGroup({ name: 'Team', members: [mia, tom, lin], apps: [app] });
    await rig.runHere();
    cloud.say({ chat: direct, from: mia, text: 'where do we eat?' });
    await rig.repliesIn(direct, 1);
    const lunch = cloud.say({ chat: team, from: tom, text: 'Lunch at noon?' });
    cloud.react({ messageId: lunch, from: lin, emoji: 'THUMBSUP' });
    const ask = { chat: team, from: lin, mentions: [app], replyTo: lunch, inThread: true };
    cloud.say({ ...ask, text: 'yes! where?' });
    await rig.repliesIn(team, 1);
    const question = cloud.say({ chat: team, from: mia, mentions: [app], text: 'what is open?' });
    await rig.repliesIn(team, 2);
    cloud.read(question, tom);
    const page = await browser.newPage({
      viewport: { width: 1280, height: 860 },
      colorScheme: 'light',
      reducedMotion: 'reduce',
    });
    const place = new URLSearchParams({ as: mia.openId, chat: team.chatId });
    await page.goto(`${cloud.pageUrl}#${place.toString()}`);
    await page.getByRole('button', { name: 'Open thread, 2 replies' }).click();
    await page.getByRole('textbox', { name: 'Message' }).focus();
    await page.getByRole('button', { name: /^Helper, 1 unread$/ }).waitFor();
    // The sign that the bot is at work is gone when the answer is there.
    await cloud.waitFor(() => cloud.shows(team).every(({ reactions }) => reactions.length < 2));
    await page.screenshot({ path: PICTURE });
    const { size } = statSync(PICTURE);
    console.log(`${PICTURE}: ${size} bytes`);
    return size < BYTES_MAX ? 0 : 1;
  } finally {
    await browser.close();
    await rig.close();
  }
}

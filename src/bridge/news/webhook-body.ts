/** What a webhook is told, as JSON. */
import type { NewsField } from '../../core/content.ts';
import { NEWS_LEVELS, type NewsItem } from '../ports/news.ts';
import type { Webhook } from '../ports/webhooks.ts';
import { newsOf } from '../texts/news.ts';
import { inWords, type WordsParts } from './news-words.ts';

/** CG-OUT-13, with an id and the time. Nothing that people and agents wrote, unless somebody asked for it. */
export async function webhookBody(
  item: NewsItem,
  { withText }: Pick<Webhook, 'withText'>,
  parts: WordsParts,
): Promise<string> {
  const { id, event, chatId, turn, atMs } = item;
  const told = await inWords(item, parts);
  const { event: _, chat: _chat, agent, tookMs } = told;
  const news = newsOf(withText ? told : { event, chat: chatId, agent, tookMs }, 'en');
  const fields: readonly NewsField[] = withText ? news.fields : [...news.fields, ...factsOf(item)];
  return JSON.stringify({
    id,
    event,
    source: 'lark-bridge',
    at: new Date(atMs).toISOString(),
    level: NEWS_LEVELS[event],
    title: news.title,
    body: withText ? news.text : '',
    fields,
    chat_id: chatId,
    turn_id: turn,
  });
}

/** Our own word for why: what an agent says about it is words of the agent. */
function factsOf({ why }: NewsItem): NewsField[] {
  return why === undefined ? [] : [{ label: 'Outcome', value: why }];
}

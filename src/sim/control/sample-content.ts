/** What a person's message of each type holds if a test says only the type. The forms are those of Lark's documentation. */
import type { Cloud } from '../cloud.ts';
import { addUpload, type NewUpload } from '../api/files.ts';
import type { JsonObject } from '../world/json.ts';
import type { SimApp, SimChat, SimUser } from '../world/model.ts';

/** One grey pixel. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const HOUR_MS = 3_600_000;

interface About {
  readonly cloud: Cloud;
  readonly chat: SimChat;
  readonly from: SimUser | SimApp;
}

/** Message types with a content of their own. The rest needs one from the test. */
const SAMPLES: Readonly<Record<string, (about: About) => JsonObject>> = {
  image: (about) => ({ image_key: attached(about, { kind: 'image', bytes: PICTURE }) }),
  file: (about) => ({ file_key: file(about, 'notes.txt'), file_name: 'notes.txt' }),
  folder: (about) => ({ file_key: file(about, 'papers'), file_name: 'papers' }),
  audio: (about) => ({ file_key: file(about, 'voice.opus', 'opus'), duration: 2_000 }),
  media: (about) => ({
    file_key: file(about, 'clip.mp4', 'mp4'),
    image_key: attached(about, { kind: 'image', bytes: PICTURE }),
    file_name: 'clip.mp4',
    duration: 2_000,
  }),
  sticker: (about) => ({ file_key: file(about, 'sticker') }),
  merge_forward: () => ({ content: 'Merged and Forwarded Message' }),
  share_chat: ({ chat }) => ({ chat_id: chat.chatId }),
  share_user: ({ from }) => ({ user_id: 'appId' in from ? from.botOpenId : from.openId }),
  location: () => ({ name: 'Main street 1', longitude: '121.4737', latitude: '31.2304' }),
  todo: ({ cloud }) => ({
    task_id: cloud.world.ids.event(),
    summary: { title: '', content: [[{ tag: 'text', text: 'Water the plants' }]] },
    due_time: inHours(cloud, 1),
  }),
  vote: () => ({ topic: 'Lunch', options: ['Noodles', 'Rice'] }),
  calendar: ({ cloud }) => meeting(cloud),
  general_calendar: ({ cloud }) => meeting(cloud),
  share_calendar_event: ({ cloud }) => ({
    ...meeting(cloud),
    open_calendar_id: 'sample@group.calendar.example.com',
    open_event_id: cloud.world.ids.event(),
  }),
  video_chat: ({ cloud }) => ({ topic: 'Weekly meeting', start_time: inHours(cloud, 0) }),
  hongbao: () => ({ text: '[红包]' }),
  system: ({ from }) => ({
    template: '{from_user} started the group chat.',
    from_user: [from.name],
    to_chatters: [],
  }),
};

export const SAMPLE_TYPES: readonly string[] = Object.keys(SAMPLES);

/** Undefined for types without a sample. What the content names is uploaded, so that an app can download it. */
export function sampleContent(messageType: string, about: About): JsonObject | undefined {
  return Object.hasOwn(SAMPLES, messageType) ? SAMPLES[messageType]?.(about) : undefined;
}

function file(about: About, fileName: string, fileType = 'stream'): string {
  return attached(about, { kind: 'file', bytes: Buffer.from(fileName), fileName, fileType });
}

function attached({ cloud, from }: About, upload: Omit<NewUpload, 'owner'>): string {
  const owner =
    'appId' in from
      ? ({ kind: 'app', appId: from.appId } as const)
      : ({ kind: 'user', openId: from.openId } as const);
  return addUpload(cloud.world, { ...upload, owner }).key;
}

function meeting(cloud: Cloud): JsonObject {
  return {
    summary: 'Weekly meeting',
    start_time: inHours(cloud, 1),
    end_time: inHours(cloud, 2),
  };
}

/** In milliseconds since 1970, as text. */
function inHours(cloud: Cloud, hours: number): string {
  return String(cloud.clock.nowMs() + hours * HOUR_MS);
}

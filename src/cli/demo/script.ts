/** The demo's scripted conversation: what is said, which answer must come, and whether it came. */
import { BridgeError } from '../../core/errors.ts';
import type { ShownMessage } from '../../sim/control/shown-message.ts';
import type { SimMessage } from '../../sim/world/model.ts';
import { createTranscript } from './transcript.ts';
import type { Stage } from './stage.ts';
import type { Output } from '../output.ts';

/** A reply takes less than a second. The demo must end soon even if it fails. */
const REPLY_MS_MAX = 6_000;

interface Step {
  readonly title: string;
  /** Says it, and returns the message that must be answered. */
  readonly say: (stage: Stage) => SimMessage;
  /** Text of the answer; undefined means any text. */
  readonly answer?: string;
}

const STEPS: readonly Step[] = [
  {
    title: 'a direct message',
    say: ({ cloud, user, direct }) =>
      cloud.say({ chat: direct, from: user, text: 'Hello, is anybody there?' }),
    answer: 'Hello, is anybody there?',
  },
  {
    title: 'a mention in a group',
    say: ({ cloud, user, group, app }) =>
      cloud.say({ chat: group, from: user, mentions: [app], text: 'What is in the build?' }),
    answer: 'What is in the build?',
  },
  {
    title: 'a mention in a thread',
    say: ({ cloud, user, group, app }) => {
      const root = cloud.say({ chat: group, from: user, text: 'The build is red again.' });
      return cloud.say({
        chat: group,
        from: user,
        mentions: [app],
        text: 'And who broke it?',
        replyTo: root,
        inThread: true,
      });
    },
    answer: 'And who broke it?',
  },
  {
    title: 'a message that Lark delivers twice',
    say: ({ cloud, user, direct }) => {
      cloud.faults.inject({ kind: 'event_duplicate', eventType: 'im.message.receive_v1' });
      return cloud.say({ chat: direct, from: user, text: 'Say this once.' });
    },
    answer: 'Say this once.',
  },
  {
    title: 'a message without words',
    say: ({ cloud, user, direct }) =>
      cloud.say({
        chat: direct,
        from: user,
        messageType: 'sticker',
        content: { file_key: 'thumbs-up' },
      }),
  },
];

/** Runs all steps. Throws `failed` unless every reply arrived once and in its place. */
export async function playScript(
  stage: Stage,
  output: Output,
  replyMsMax: number = REPLY_MS_MAX,
): Promise<void> {
  const questions: SimMessage[] = [];
  const problems: string[] = [];
  const showNew = createTranscript(stage, output);
  for (const [at, step] of STEPS.entries()) {
    output.note(`${at + 1}. ${step.title}`);
    const question = step.say(stage);
    questions.push(question);
    const isSettled = await settle(stage, question, replyMsMax);
    showNew();
    if (!isSettled) {
      problems.push(`${step.title}: it took too long`);
      break;
    }
  }
  // After the bridge has stopped, nothing can come a second time.
  await stage.stopBridge();
  showNew();
  for (const [at, question] of questions.entries()) {
    const step = STEPS[at] as Step;
    const problem = problemWith(stage, step, question);
    if (problem !== undefined) problems.push(`${step.title}: ${problem}`);
  }
  problems.push(...strays(stage, questions));
  if (problems.length > 0) {
    const list = problems.map((one) => `  - ${one}`).join('\n');
    throw new BridgeError('failed', `the demo went wrong:\n${list}`, {
      next: 'Run `lark-bridge demo --once --log-level debug` to see what happened.',
    });
  }
  output.result(`All ${STEPS.length} replies arrived: each once, each under its message.`, {
    event: 'done',
    replies: STEPS.length,
  });
}

/** Waits until a reply is there and every delivery is acked; false if that takes too long. */
async function settle(stage: Stage, question: SimMessage, replyMsMax: number): Promise<boolean> {
  const { cloud, app } = stage;
  const isSettled = () =>
    repliesTo(stage, question).length > 0 &&
    cloud.deliveries({ appId: app.appId }).every(({ acked }) => acked);
  try {
    await cloud.waitFor(isSettled, replyMsMax);
  } catch {
    // It fails only when the time is over. The result below says the same.
  }
  return isSettled();
}

function problemWith(stage: Stage, step: Step, question: SimMessage): string | undefined {
  const replies = repliesTo(stage, question);
  const [reply] = replies;
  if (reply === undefined) return 'no reply came';
  if (replies.length > 1) return `${replies.length} replies came`;
  const isRight = step.answer === undefined || step.answer === reply.text;
  return isRight ? undefined : 'the reply says something else';
}

/** What the bot said in another place than under the questions. */
function strays(stage: Stage, questions: readonly SimMessage[]): string[] {
  const inPlace = new Set(
    questions.flatMap((question) => repliesTo(stage, question)).map(({ messageId }) => messageId),
  );
  return [stage.direct, stage.group]
    .flatMap((chat) => stage.cloud.shows(chat))
    .filter((shown) => isBot(shown, stage) && !inPlace.has(shown.messageId))
    .map(({ text }) => `in the wrong place: ${text}`);
}

function repliesTo(stage: Stage, question: SimMessage): ShownMessage[] {
  const shown = stage.cloud.shows(question.chatId);
  const later = shown.slice(shown.findIndex(({ messageId }) => messageId === question.messageId));
  // In a thread every message names the thread's root, and none the message before it.
  const belongs = (one: ShownMessage) =>
    question.threadId === undefined
      ? one.replyTo === question.messageId
      : one.threadId === question.threadId;
  return later.filter((one) => isBot(one, stage) && belongs(one));
}

function isBot({ from }: ShownMessage, { app }: Stage): boolean {
  return from === `app:${app.appId}`;
}

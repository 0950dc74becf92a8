/** What the bridge says about who may talk to it. */
import type { OpenId } from '../../core/ids.ts';
import { button, choice, notice, type Text } from './text.ts';

/** How a person is called in a text: by the name, if it is known. */
interface Named {
  readonly openId: OpenId;
  readonly name?: string | undefined;
}

function nameOf({ openId, name }: Named): Text {
  if (name === undefined) return { en: openId, zh: openId };
  return { en: `${name} (${openId})`, zh: `${name}（${openId}）` };
}

/** For the person who is not let in. */
export const guestTexts = {
  code: (code: string, hasOwner: boolean) =>
    notice('access_code', {
      en: hasOwner
        ? `I don't know you yet. Your code is ${code}, and it is valid for an hour. I have asked my owner to let you in, and keep your message: once you are let in, I answer it.`
        : `I don't know you yet. Your code is ${code}, and it is valid for an hour. Whoever runs this bot lets you in with: lark-bridge pairing approve ${code}. I keep your message: once you are let in, I answer it.`,
      zh: hasOwner
        ? `我还不认识你。你的配对码是 ${code}，一小时内有效。我已请机器人的所有者允许你使用，并保留了你的消息：获得允许后我会回答。`
        : `我还不认识你。你的配对码是 ${code}，一小时内有效。运行这个机器人的人可以用这条命令允许你：lark-bridge pairing approve ${code}。我保留了你的消息：获得允许后我会回答。`,
    }),
  askOwner: () =>
    notice('access_ask_owner', {
      en: 'I may answer only people whom my owner has let in. Please ask my owner to let you in. I keep your message: once you are let in, I answer it.',
      zh: '我只能回答所有者允许的人。请联系我的所有者。我保留了你的消息：获得允许后我会回答。',
    }),
  external: () =>
    notice('access_external', {
      en: 'I may answer people of other organisations only if my owner has let them in by name. Please ask my owner.',
      zh: '只有所有者点名允许后，我才能回答其他组织的人。请联系我的所有者。',
    }),
  ownerOnly: () =>
    notice('access_owner_only', {
      en: 'I may answer only my owner.',
      zh: '我只能回答我的所有者。',
    }),
  inGroup: () =>
    notice('access_in_group', {
      en: "I don't know you yet, so I can't answer you here. Write to me in a direct chat to ask to be let in, or ask my owner to allow this group.",
      zh: '我还不认识你，所以不能在这里回答。请私聊我申请使用，或请我的所有者允许这个群。',
    }),
  groupDenied: () =>
    notice('access_group_denied', {
      en: 'My owner does not want me to answer in this group.',
      zh: '我的所有者不允许我在这个群里回答。',
    }),
  externalGroup: () =>
    notice('access_external_group', {
      en: 'People of other organisations can be in this group, so I answer here only after my owner has allowed it. My owner can send /allow here and mention me.',
      zh: '这个群可能有其他组织的人，所以要等我的所有者允许后，我才能在这里回答。所有者可以在这里提到我并发送 /allow。',
    }),
  groupUnclear: () =>
    notice('access_group_unclear', {
      en: "I can't find out whether people of other organisations are in this group, so I answer here only after my owner has allowed it. My owner can send /allow here and mention me.",
      zh: '我无法确定这个群里是否有其他组织的人，所以要等我的所有者允许后，我才能在这里回答。所有者可以在这里提到我并发送 /allow。',
    }),
  blocked: () =>
    notice('access_blocked', {
      en: 'My owner does not want me to answer you.',
      zh: '我的所有者不允许我回答你。',
    }),
  botBudget: () =>
    notice('access_bot_budget', {
      en: 'I have answered another bot many times in a row. I go on when a person mentions me.',
      zh: '我已连续多次回答另一个机器人。有人提到我时我再继续。',
    }),
  letIn: () =>
    notice('access_let_in', {
      en: 'You are let in: you can talk to me now.',
      zh: '你已获得允许，现在可以和我对话了。',
    }),
} as const;

const ALLOW = button('allow', 'primary', { en: 'Allow', zh: '允许' });
const BLOCK = button('block', 'default', { en: 'Block', zh: '屏蔽' });

/** For the owner. */
export const ownerTexts = {
  request: (who: Named, code: string | undefined) =>
    choice(
      'access_request',
      {
        en: `${nameOf(who).en} wants to talk to me.${code === undefined ? '' : ` The code is ${code}.`} I have kept the message and answer it if you allow it.`,
        zh: `${nameOf(who).zh} 想和我对话。${code === undefined ? '' : `配对码是 ${code}。`}我保留了消息，你允许后我会回答。`,
      },
      [
        { ...ALLOW, about: who.openId },
        { ...BLOCK, about: who.openId },
      ],
    ),
  allowed: (who: Named) =>
    notice('access_allowed', {
      en: `${nameOf(who).en} may talk to me now.`,
      zh: `${nameOf(who).zh} 现在可以和我对话了。`,
    }),
  blocked: (who: Named) =>
    notice('access_now_blocked', {
      en: `${nameOf(who).en} is blocked. I don't answer any more.`,
      zh: `已屏蔽 ${nameOf(who).zh}，我不再回答。`,
    }),
  hello: {
    en: 'Hello! You are my owner. When somebody wants to talk to me, I ask you here.',
    zh: '你好！你是我的所有者。有人想和我对话时，我会在这里问你。',
  },
} as const;

/** For whoever becomes the owner in a chat that is there already. */
export function becameOwner() {
  return notice('access_hello', ownerTexts.hello);
}

/** What the bot says when it comes into a chat. */
export const welcomeTexts = {
  group: (who: 'everybody' | 'known' | 'nobody') =>
    notice('welcome_group', {
      en: `Hello! I pass messages to an AI agent and bring back its answers. Mention me with @ and write what you need. ${GROUP_RULES[who].en}`,
      zh: `大家好！我把消息交给一个 AI 智能体，并带回它的回答。用 @ 提到我并写下你的需要。${GROUP_RULES[who].zh}`,
    }),
  direct: (isIn: boolean) =>
    notice('welcome_direct', {
      en: `Hello! I pass your messages to an AI agent and bring back its answers. Just write here.${isIn ? '' : ' My owner has to let you in first: your first message asks for it.'}`,
      zh: `你好！我把你的消息交给一个 AI 智能体，并带回它的回答。直接在这里写即可。${isIn ? '' : '需要先由我的所有者允许：你的第一条消息就是申请。'}`,
    }),
} as const;

const GROUP_RULES = {
  everybody: { en: 'Everybody here may do so.', zh: '这里的每个人都可以。' },
  known: {
    en: 'Here I answer the people whom my owner has let in.',
    zh: '在这里我回答所有者允许的人。',
  },
  nobody: {
    en: 'People of other organisations can be in this group, so my owner has to send /allow here first.',
    zh: '这个群可能有其他组织的人，需要我的所有者先在这里发送 /allow。',
  },
} as const;

/** The content of a message of the bridge. `src/lark/content` decides how Lark shows it. */
import type { OpenId } from './ids.ts';
import type { QuestionOption } from './turn-update.ts';

export type Content =
  | AnswerContent
  | FileContent
  /** A card in Lark's own form, from somebody who knows it. `text` is its JSON. */
  | { readonly kind: 'raw_card'; readonly text: string }
  /** A text of the bridge itself. */
  | { readonly kind: 'notice'; readonly text: string }
  /** A question of the bridge, with a button for each answer. The text says what can be typed instead. */
  | { readonly kind: 'choice'; readonly text: string; readonly buttons: readonly ChoiceButton[] }
  /** A text of the bridge with commands that can be pressed instead of typed. */
  | { readonly kind: 'menu'; readonly text: string; readonly buttons: readonly MenuButton[] }
  | QuestionContent
  | NewsContent;

/** What happened elsewhere. All of it is shown as it is: nothing in it is read as Markdown or calls anybody. */
export interface NewsContent {
  readonly kind: 'news';
  readonly level: NewsLevel;
  readonly title: string;
  readonly fields: readonly NewsField[];
  /** All of it as a text, where there can be no card. */
  readonly text: string;
}

export type NewsLevel = 'info' | 'warning' | 'error';

export interface NewsField {
  readonly label: string;
  readonly value: string;
}

/** A question of an agent. Once it is over it has no options. */
export interface QuestionContent {
  readonly kind: 'question';
  /** Tells it apart from others that are open in the chat. */
  readonly heading?: string;
  readonly text: string;
  /** What would be done if the answer allows it. */
  readonly would?: readonly ShownCode[];
  readonly options: readonly QuestionOption[];
  /** The words on a button that allows this and what is like it from now on. */
  readonly always?: string;
  /** What the bridge says about it: how to answer, or how it ended. */
  readonly note: string;
  /** Who has answered. */
  readonly by?: OpenId;
  /** All of it as a text, where there can be no card. */
  readonly plain: string;
}

/** Something that is shown as it is, such as a command. */
export interface ShownCode {
  readonly title: string;
  readonly code: string;
  readonly language: 'bash' | 'diff' | '';
}

/** An agent's text, or a part of it. */
export interface AnswerContent {
  readonly kind: 'answer';
  readonly text: string;
  /** Set where the text is Markdown: the form in which it is shown. Without it the text is shown as it is. */
  readonly form?: MarkdownForm;
  /** Where a longer answer has several: which one it is, from 1 on. */
  readonly part?: { readonly number: number; readonly of: number };
  /** The images that its Markdown shows in place. */
  readonly images?: readonly ShownImage[];
  /** Who of the chat may be called by it. Undefined until it is known who is there. */
  readonly people?: readonly Person[];
  /** A line of the bridge below it, such as what it has used. */
  readonly below?: string;
  /** What the agent wrote, where the text was made of it. */
  readonly source?: string;
  /** The first words of an answer that follows as a file, or a piece of a text that was too long. */
  readonly is?: 'excerpt' | 'piece';
}

/** Somebody in the chat. */
export interface Person {
  readonly openId: string;
  readonly name: string;
}

/** A file that came with an answer. It lies on the disk of the bridge. */
export interface AnswerFile {
  readonly kind: 'image' | 'file' | 'audio' | 'video';
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** The absolute path by which the agent may name it in its Markdown. */
  readonly from: string;
}

/** A file that can't be sent, and why. `elsewhere`: the bridge takes none from there. */
export interface FileLeftOut {
  readonly name: string;
  readonly why: 'too_large' | 'too_many' | 'not_a_file' | 'empty' | 'elsewhere';
}

export interface AnswerFiles {
  readonly files: readonly AnswerFile[];
  readonly leftOut: readonly FileLeftOut[];
}

/** `key`: Lark's name of it. Undefined until it is uploaded, and empty if Lark refused it. */
export interface ShownImage {
  readonly file: AnswerFile;
  readonly key?: string;
}

/** A message that is one file. */
export interface FileContent {
  readonly kind: 'file';
  /** Decides how Lark shows it. */
  readonly as: AnswerFile['kind'];
  readonly name: string;
  /** Where it lies. Without a path the file says `text`. */
  readonly path?: string;
  /** For lists of the operator: what it says, or its name. */
  readonly text: string;
  readonly key?: string;
  /** It is no form of an answer, but says more about another message. */
  readonly isBeside?: true;
  /** It says an answer that was not tried as a text. */
  readonly isFirstForm?: true;
}

export type MarkdownForm = 'card' | 'post';

export type MarkdownContent = AnswerContent & { readonly form: MarkdownForm };

export function isMarkdown(content: Content): content is MarkdownContent {
  return content.kind === 'answer' && content.form !== undefined;
}

export function hasButtons(
  content: Content,
): content is Extract<Content, { kind: 'choice' | 'menu' }> {
  return content.kind === 'choice' || content.kind === 'menu';
}

/** What a person can decide about a turn that waits for them. */
export type ChoiceAction = 'run' | 'skip' | 'retry';

/** What the owner can decide about a person. */
type AccessAction = 'allow' | 'block';

export interface ChoiceButton {
  readonly label: string;
  /** `stop`: ends the turn of the row, if it is at work. */
  readonly action: ChoiceAction | AccessAction | 'stop';
  /** Whom the decision is about, if it is not about a turn. */
  readonly about?: OpenId;
  readonly style: 'primary' | 'default';
}

/** What can be pressed instead of typed. */
export type MenuAction = 'help' | 'status' | 'new' | 'stop' | ChoosingAction;

/** Those that say which one is chosen. */
type ChoosingAction = 'agent' | 'folder' | 'mode' | 'model' | 'resume';

/** What people can tell the bridge itself, by a typed word or a button. `src/bridge/commands/table.ts` says more. */
export type CommandName =
  | ChoiceAction
  | MenuAction
  | ('whoami' | 'queue' | 'lang')
  | ('task' | 'sessions' | 'search' | 'today')
  | ('approve' | 'deny' | 'approvals')
  | ('allow' | 'block' | 'revoke' | 'reconnect' | 'doctor')
  | ('follow' | 'report');

/** What buttons of the bridge do. `answer` is for the question of an agent. */
export type ButtonAction = ChoiceAction | AccessAction | MenuAction | 'answer';

/** It does what the command does that the person who presses could type. */
export type MenuButton = Omit<ChoiceButton, 'action'> & {
  readonly action: MenuAction;
  /** What would be typed after the command. */
  readonly argument?: string;
};

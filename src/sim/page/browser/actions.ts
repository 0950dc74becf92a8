/** What the person of the page does with messages, by the control API. */
import type { FieldBlock, FieldValue, Press } from '../view/nodes.ts';
import type { MessageSeen, Person } from '../view/wire.ts';
import { control, uploaded } from './control.ts';
import { isEmpty, sentValue } from './draw-fields.ts';
import { agrees, notice } from './notices.ts';

/** What the control API says of a press. */
interface PressOutcome {
  readonly ok: boolean;
  readonly toast?: { readonly type?: string; readonly content?: string };
  readonly code?: number;
  /** The code in words. */
  readonly reason?: string;
}

export async function press(
  { messageId }: MessageSeen,
  me: Person,
  pressed: { readonly press: Press; readonly formValues: object | undefined },
): Promise<void> {
  const { index, url, confirm } = pressed.press;
  if (confirm !== undefined && !(await agrees(confirm.title, confirm.text))) return;
  if (url !== undefined) open(url, '_blank', 'noopener,noreferrer');
  if (index === undefined) return;
  const { formValues } = pressed;
  tell(
    await control<PressOutcome>('POST', '/press', {
      messageId,
      from: me.openId,
      index,
      ...(formValues !== undefined && { formValues }),
    }),
  );
}

export async function choose(
  { messageId }: MessageSeen,
  me: Person,
  { field, value }: { readonly field: FieldBlock; readonly value: FieldValue },
): Promise<void> {
  const { confirm, tag, name } = field;
  if (isEmpty(value) && field.input !== 'check') return;
  if (confirm !== undefined && !(await agrees(confirm.title, confirm.text))) return;
  const action = {
    tag,
    ...(name !== '' && { name }),
    ...(field.value !== undefined && { value: field.value }),
    ...chosen(field, sentValue(field, value)),
  };
  tell(await control<PressOutcome>('POST', '/press', { messageId, from: me.openId, action }));
}

/** The field of the action that holds the value. */
function chosen({ input }: FieldBlock, value: FieldValue): object {
  switch (input) {
    case 'text':
    case 'lines':
      return { input_value: value };
    case 'selects':
      return { options: value };
    case 'check':
      return { checked: value };
    case 'select':
    case 'menu':
    case 'date':
    case 'time':
    case 'datetime':
      return { option: value };
  }
}

function tell(outcome: PressOutcome | undefined): void {
  if (outcome === undefined) return;
  const { ok, toast, code = 0, reason = '' } = outcome;
  if (!ok) notice(`${code}: ${reason}`, 'error');
  else if (toast?.content !== undefined) notice(toast.content, toast.type);
}

/** What a person writes in a chat. */
export interface Written {
  readonly chatId: string;
  readonly me: Person;
  readonly replyTo: string | undefined;
  readonly isInThread: boolean;
}

export interface Content {
  readonly messageType?: string;
  readonly content?: object;
  readonly mentions?: readonly string[];
}

/** True if it was sent. */
export async function say(
  { chatId, me, replyTo, isInThread }: Written,
  content: Content,
): Promise<boolean> {
  const sent = await control('POST', '/say', {
    chat: chatId,
    from: me.openId,
    ...(replyTo !== undefined && { replyTo }),
    ...(isInThread && { inThread: true }),
    ...content,
  });
  return sent !== undefined;
}

/** What browsers can show. */
export const PICTURE_TYPES = 'image/png,image/jpeg,image/gif,image/webp,image/bmp';

/** The key of the picture for a message. */
export function uploadPicture({ me }: Written, file: File): Promise<string | undefined> {
  return uploaded({ from: me.openId, kind: 'image', file });
}

export async function sendFile(written: Written, file: File): Promise<void> {
  if (PICTURE_TYPES.split(',').includes(file.type)) {
    const imageKey = await uploadPicture(written, file);
    if (imageKey === undefined) return;
    await say(written, { messageType: 'image', content: { image_key: imageKey } });
    return;
  }
  const fileKey = await uploaded({ from: written.me.openId, kind: 'file', file });
  if (fileKey === undefined) return;
  const content = { file_key: fileKey, file_name: file.name };
  await say(written, { messageType: 'file', content });
}

/** A second reaction of the same kind takes the first one back. */
export async function react(message: MessageSeen, me: Person, emoji: string): Promise<void> {
  const { messageId, reactions } = message;
  const mine = reactions.find((one) => one.emoji === emoji && one.by.id === me.openId);
  if (mine === undefined) await control('POST', '/react', { messageId, from: me.openId, emoji });
  else await control('POST', '/unreact', { messageId, reactionId: mine.reactionId });
}

export async function recall({ messageId }: MessageSeen, me: Person): Promise<void> {
  if (!(await agrees('Recall this message?', 'Nobody can read it any more.'))) return;
  await control('POST', '/recall', { messageId, by: me.openId });
}

/** What the page says on top of everything: short notices, and questions. */
import { button, make } from './dom.ts';

const NOTICE_MS = 4_000;

type NoticeKind = 'info' | 'success' | 'warning' | 'error';

/** It goes away by itself. */
export function notice(words: string, kind: string = 'info'): void {
  const known: readonly string[] = ['info', 'success', 'warning', 'error'] satisfies NoticeKind[];
  const look = known.includes(kind) ? kind : 'info';
  const made = make('div', { class: `notice ${look}` }, words);
  document.querySelector('#notices')?.append(made);
  setTimeout(() => made.remove(), NOTICE_MS);
}

/** Resolves with true if the person agrees. */
export async function agrees(title: string, words: string): Promise<boolean> {
  const answer = await inDialog(title, [make('p', {}, words)]);
  return answer !== undefined;
}

/** Resolves with what the person writes; undefined if nothing. */
export async function askFor(title: string, label: string): Promise<string | undefined> {
  const input = make('input', { label, class: 'dialog-input' });
  input.required = true;
  const isOk =
    (await inDialog(title, [make('label', {}, make('span', {}, label), input)])) === 'ok';
  const words = input.value.trim();
  return isOk && words !== '' ? words : undefined;
}

/** Resolves with the key of what the person chooses; undefined if nothing. `draw`: a sign in the place of the label. */
export function chooseFrom(
  title: string,
  choices: ReadonlyMap<string, string>,
  draw?: (key: string) => HTMLElement,
): Promise<string | undefined> {
  const list = make('div', { class: draw === undefined ? 'choices' : 'choices signs' });
  const answer = inDialog(title, [list], { isAnswered: false });
  for (const [key, label] of choices) {
    const choose = () => list.closest('dialog')?.close(key);
    const choice = button(draw === undefined ? label : '', { class: 'choice', onClick: choose });
    if (draw !== undefined) choice.append(draw(key));
    list.append(choice);
  }
  return answer;
}

/** Closes with `ok`, a key, or nothing. */
function inDialog(
  title: string,
  content: readonly HTMLElement[],
  { isAnswered = true }: { readonly isAnswered?: boolean } = {},
): Promise<string | undefined> {
  const dialog = make('dialog', { label: title });
  const cancel = button('Cancel', { class: 'plain', onClick: () => dialog.close('') });
  const ok = make('button', { class: 'primary' }, 'OK');
  const buttons = make('div', { class: 'dialog-buttons' }, cancel, isAnswered ? ok : undefined);
  const form = make('form', {}, make('h2', {}, title), ...content, buttons);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    dialog.close('ok');
  });
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === '' ? undefined : dialog.returnValue);
    });
    dialog.showModal();
  });
}

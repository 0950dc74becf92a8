/** Draws the blocks of a message: text, lists, tables, pictures, and what can be pressed. */
import type {
  AttachmentBlock,
  Block,
  ButtonBlock,
  ContainerBlock,
  ListBlock,
  PanelBlock,
  TableBlock,
  TableCell,
  TextBlock,
} from '../view/nodes.ts';
import { addressOf, button, make, outerLink } from './dom.ts';
import { drawField, isEmpty, sentValue, valueOf } from './draw-fields.ts';
import { drawInlines, drawPicture } from './draw-texts.ts';
import type { Drawing } from './drawing.ts';
import { icon } from './icons.ts';
import { notice } from './notices.ts';

export function drawBlocks(blocks: readonly Block[], drawing: Drawing): HTMLElement[] {
  return blocks.map((block) => drawBlock(block, drawing));
}

function drawBlock(block: Block, drawing: Drawing): HTMLElement {
  switch (block.kind) {
    case 'text':
      return drawText(block, drawing);
    case 'code':
      return drawCode(block.text, block.language);
    case 'quote':
      return make('blockquote', {}, ...drawBlocks(block.blocks, drawing));
    case 'list':
      return drawList(block, drawing);
    case 'table':
      return drawTable(block, drawing);
    case 'rule':
      return make('hr');
    case 'image':
      return drawFigure(block);
    case 'columns':
      return drawColumns(block, drawing);
    case 'form':
      return make(
        'div',
        { class: 'form', role: 'form', label: 'Form' },
        ...drawForm(block, drawing),
      );
    case 'note':
      return make('div', { class: 'note' }, ...drawBlocks(block.blocks, drawing));
    case 'group':
      return make('div', { class: 'group' }, ...drawBlocks(block.blocks, drawing));
    case 'panel':
      return drawPanel(block, drawing);
    case 'container':
      return drawContainer(block, drawing);
    case 'button':
      return drawButton(block, drawing);
    case 'field':
      return drawField(block, drawing);
    case 'attachment':
      return drawAttachment(block);
    case 'other':
      return drawOther(block.tag, block.texts);
  }
}

function drawText({ inlines, level, size, align }: TextBlock, { myId }: Drawing): HTMLElement {
  const look = `text size-${size} align-${align}`;
  if (level === 0) return make('p', { class: look }, ...drawInlines(inlines, myId));
  const heading = make('p', { class: `${look} heading level-${level}`, role: 'heading' });
  heading.setAttribute('aria-level', String(Math.min(6, level + 2)));
  heading.append(...drawInlines(inlines, myId));
  return heading;
}

function drawCode(words: string, language: string): HTMLElement {
  const name = language === '' ? undefined : make('span', { class: 'code-language' }, language);
  const code = make('pre', {}, make('code', {}, words));
  // Long lines are scrolled, with the keyboard too.
  code.tabIndex = 0;
  return make('div', { class: 'code' }, name, code);
}

function drawList({ start, items }: ListBlock, drawing: Drawing): HTMLElement {
  const rows = items.map(({ isChecked, blocks }) => {
    if (isChecked === undefined) return make('li', {}, ...drawBlocks(blocks, drawing));
    const box = make('input', { label: isChecked ? 'done' : 'not done' });
    box.type = 'checkbox';
    box.checked = isChecked;
    box.disabled = true;
    return make('li', { class: 'task' }, box, make('div', {}, ...drawBlocks(blocks, drawing)));
  });
  if (start === undefined) return make('ul', {}, ...rows);
  const list = make('ol', {}, ...rows);
  list.start = start;
  return list;
}

function drawTable({ head, rows, pageSize }: TableBlock, drawing: Drawing): HTMLElement {
  const cells = (tag: 'th' | 'td', row: readonly TableCell[]) =>
    row.map(({ blocks, align }) =>
      make(tag, { class: `align-${align}` }, ...drawBlocks(blocks, drawing)),
    );
  const body = make('tbody');
  const table = make('table', {}, make('thead', {}, make('tr', {}, ...cells('th', head))), body);
  const wrap = make('div', { class: 'table', role: 'region', label: 'Table' }, table);
  wrap.tabIndex = 0;
  const lines = rows.map((row) => make('tr', {}, ...cells('td', row)));
  if (pageSize === undefined || lines.length <= pageSize) {
    body.append(...lines);
    return wrap;
  }
  const pages = Math.ceil(lines.length / pageSize);
  let page = 0;
  const where = make('span', {});
  const show = (next: number) => {
    page = Math.max(0, Math.min(pages - 1, next));
    body.replaceChildren(...lines.slice(page * pageSize, (page + 1) * pageSize));
    where.textContent = `${page + 1} / ${pages}`;
  };
  show(0);
  const pager = make(
    'div',
    { class: 'pager' },
    button('‹', { label: 'Previous page', onClick: () => show(page - 1) }),
    where,
    button('›', { label: 'Next page', onClick: () => show(page + 1) }),
  );
  return make('div', { class: 'paged' }, wrap, pager);
}

function drawFigure({ key, alt, title }: Extract<Block, { kind: 'image' }>): HTMLElement {
  const caption = title === '' ? undefined : make('figcaption', {}, title);
  return make('figure', {}, caption, drawPicture(key, alt));
}

function drawColumns(
  { columns, flow }: Extract<Block, { kind: 'columns' }>,
  drawing: Drawing,
): HTMLElement {
  const drawn = columns.map(({ blocks, weight }) => {
    const column = make('div', { class: 'column' }, ...drawBlocks(blocks, drawing));
    column.style.flex = weight === 0 ? '0 1 auto' : `${weight} 1 0`;
    return column;
  });
  return make('div', { class: flow ? 'columns flow' : 'columns' }, ...drawn);
}

function drawForm({ blocks }: Extract<Block, { kind: 'form' }>, drawing: Drawing): HTMLElement[] {
  return drawBlocks(blocks, { ...drawing, form: { fields: [] } });
}

function drawPanel(panel: PanelBlock, drawing: Drawing): HTMLElement {
  const { id, title, isOpen, blocks } = panel;
  const summary = make(
    'summary',
    { data: { focus: `panel ${id}` } },
    ...drawBlocks(title, drawing),
  );
  const details = make('details', { class: 'panel' }, summary, ...drawBlocks(blocks, drawing));
  details.open = drawing.panels.get(id) ?? isOpen;
  details.addEventListener('toggle', () => drawing.panels.set(id, details.open));
  return details;
}

function drawContainer(container: ContainerBlock, drawing: Drawing): HTMLElement {
  const { press, label, blocks } = container;
  const inside = drawBlocks(blocks, drawing);
  if (press === undefined) return make('div', { class: 'container' }, ...inside);
  const box = make('div', { class: 'container pressable', role: 'button', label }, ...inside);
  box.tabIndex = 0;
  box.addEventListener('click', () => drawing.press(press, undefined));
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target === box) drawing.press(press, undefined);
  });
  return box;
}

function drawButton({ label, look, isDisabled, press }: ButtonBlock, drawing: Drawing) {
  const { form } = drawing;
  return button(label, {
    class: `card-button ${look}`,
    isDisabled,
    data: { focus: `button ${label}` },
    ...(label === '' && { label: 'Button' }),
    onClick: () => {
      if (press.resets) {
        for (const { name } of form?.fields ?? []) drawing.values.delete(name);
        drawing.redraw();
      }
      if (!press.submits || form === undefined) return drawing.press(press, undefined);
      const missing = form.fields.find(
        (field) => field.isRequired && isEmpty(valueOf(field, drawing)),
      );
      if (missing !== undefined) {
        notice(`Fill in ${missing.label || missing.placeholder || missing.name}.`, 'warning');
        return undefined;
      }
      const named = form.fields.filter(({ name }) => name !== '');
      const entries = named.map((field) => {
        return [field.name, sentValue(field, valueOf(field, drawing))] as const;
      });
      return drawing.press(press, Object.fromEntries(entries));
    },
  });
}

function drawAttachment(attachment: AttachmentBlock): HTMLElement {
  const { what, key, imageKey, name, durationMs } = attachment;
  const seconds = durationMs === undefined ? undefined : `${Math.round(durationMs / 1000)}″`;
  switch (what) {
    case 'audio':
      return make('div', { class: 'voice' }, player('audio', key, 'Voice message'), seconds);
    case 'video': {
      const video = player('video', key, name || 'Video');
      if (imageKey !== '') video.setAttribute('poster', addressOf(imageKey));
      return make('div', { class: 'video' }, video, make('span', {}, name));
    }
    case 'sticker':
      return make('div', { class: 'sticker' }, drawPicture(key, 'Sticker'));
    case 'file':
    case 'folder': {
      const link = outerLink(addressOf(key), { class: 'file' });
      link.append(icon(what), make('span', { class: 'file-name' }, name || 'File'));
      return link;
    }
  }
}

function player(tag: 'audio' | 'video', key: string, label: string): HTMLElement {
  const made = make(tag, { label });
  made.controls = true;
  made.preload = 'none';
  made.src = addressOf(key);
  return made;
}

/** The page does not know this component: its name and its words are all that it can show. */
function drawOther(tag: string, texts: readonly string[]): HTMLElement {
  const lines = texts.map((words) => make('p', { class: 'text' }, words));
  return make('div', { class: 'other' }, make('span', { class: 'other-tag' }, tag), ...lines);
}

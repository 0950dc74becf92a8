/** What a message shows, as a tree: the page draws it, and tests read it. Nothing in it is HTML. */

/** A piece of a line. */
export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'styled'; readonly style: InlineStyle; readonly inlines: readonly Inline[] }
  | { readonly kind: 'colored'; readonly color: Color; readonly inlines: readonly Inline[] }
  | { readonly kind: 'link'; readonly href: string; readonly inlines: readonly Inline[] }
  | { readonly kind: 'mention'; readonly id: string; readonly name: string }
  | { readonly kind: 'emoji'; readonly name: string }
  | { readonly kind: 'tag'; readonly color: Color; readonly text: string }
  | { readonly kind: 'image'; readonly key: string; readonly alt: string };

export type InlineStyle = 'bold' | 'italic' | 'strike' | 'underline';

/** Of a card: a name from Lark's list, such as `blue`. Others are drawn as `grey`. */
type Color = string;

export type Align = 'left' | 'center' | 'right';

/** A piece below the one before. */
export type Block =
  | TextBlock
  | { readonly kind: 'code'; readonly language: string; readonly text: string }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | ListBlock
  | TableBlock
  | { readonly kind: 'rule' }
  | { readonly kind: 'image'; readonly key: string; readonly alt: string; readonly title: string }
  | { readonly kind: 'columns'; readonly columns: readonly Column[]; readonly flow: boolean }
  | { readonly kind: 'form'; readonly blocks: readonly Block[] }
  | { readonly kind: 'note'; readonly blocks: readonly Block[] }
  | PanelBlock
  | ContainerBlock
  | ButtonBlock
  | FieldBlock
  | AttachmentBlock
  | { readonly kind: 'group'; readonly blocks: readonly Block[] }
  /** A component that the page can't draw, with the texts in it. */
  | { readonly kind: 'other'; readonly tag: string; readonly texts: readonly string[] };

export interface TextBlock {
  readonly kind: 'text';
  readonly inlines: readonly Inline[];
  /** 0: no heading. */
  readonly level: number;
  readonly size: 'small' | 'normal' | 'large';
  readonly align: Align;
}

export interface ListBlock {
  readonly kind: 'list';
  /** The first number; undefined: not numbered. */
  readonly start: number | undefined;
  readonly items: readonly ListItem[];
}

export interface ListItem {
  /** Undefined: no box to check. */
  readonly isChecked: boolean | undefined;
  readonly blocks: readonly Block[];
}

export interface TableBlock {
  readonly kind: 'table';
  readonly head: readonly TableCell[];
  readonly rows: readonly (readonly TableCell[])[];
  /** How many rows are on a page; undefined: all. */
  readonly pageSize: number | undefined;
}

export interface TableCell {
  readonly blocks: readonly Block[];
  readonly align: Align;
}

export interface Column {
  readonly blocks: readonly Block[];
  /** Its share of the width; 0: as wide as what is in it. */
  readonly weight: number;
}

export interface PanelBlock {
  readonly kind: 'panel';
  /** The same at each drawing of the card, so that it stays open. */
  readonly id: string;
  readonly title: readonly Block[];
  readonly isOpen: boolean;
  readonly blocks: readonly Block[];
}

/** A box that is pressed as a whole. */
export interface ContainerBlock {
  readonly kind: 'container';
  /** Undefined: nothing happens at a press. */
  readonly press: Press | undefined;
  readonly label: string;
  readonly blocks: readonly Block[];
}

export interface Press {
  /** The number of the button in the card; undefined: the app hears nothing. */
  readonly index: number | undefined;
  readonly url: string | undefined;
  readonly confirm: Confirm | undefined;
  /** True: the fields of the form go with it. */
  readonly submits: boolean;
  /** True: it empties the form. */
  readonly resets: boolean;
}

export interface Confirm {
  readonly title: string;
  readonly text: string;
}

export interface ButtonBlock {
  readonly kind: 'button';
  readonly label: string;
  readonly look: 'default' | 'primary' | 'danger' | 'text';
  readonly isDisabled: boolean;
  readonly press: Press;
}

export interface FieldOption {
  readonly value: string;
  readonly label: string;
}

/** Something that a person fills in or chooses. */
export interface FieldBlock {
  readonly kind: 'field';
  readonly input: FieldInput;
  /** What the app gets as `tag`. */
  readonly tag: string;
  readonly name: string;
  readonly label: string;
  readonly placeholder: string;
  readonly initial: FieldValue;
  readonly options: readonly FieldOption[];
  readonly isRequired: boolean;
  readonly isDisabled: boolean;
  /** True: the value goes with the button of the form. False: the app is told at once. */
  readonly isInForm: boolean;
  /** `value` of the component, which the app gets with each choice. */
  readonly value: unknown;
  readonly confirm: Confirm | undefined;
}

export type FieldInput =
  | 'text'
  | 'lines'
  | 'select'
  | 'selects'
  | 'menu'
  | 'check'
  | 'date'
  | 'time'
  | 'datetime';

export type FieldValue = string | boolean | readonly string[];

/** What a message has beside words. */
export interface AttachmentBlock {
  readonly kind: 'attachment';
  readonly what: 'file' | 'folder' | 'audio' | 'video' | 'sticker';
  readonly key: string;
  /** The picture of a video; empty: none. */
  readonly imageKey: string;
  readonly name: string;
  /** Undefined: not said. */
  readonly durationMs: number | undefined;
}

export interface CardHeader {
  readonly title: readonly Inline[];
  readonly subtitle: readonly Inline[];
  readonly tags: readonly Inline[];
  readonly color: Color;
}

export interface CardView {
  readonly header: CardHeader | undefined;
  readonly blocks: readonly Block[];
  /** True while the app writes it. */
  readonly isStreaming: boolean;
}

export const text = (words: string): Inline => ({ kind: 'text', text: words });

export function textBlock(
  inlines: readonly Inline[],
  look: Partial<Pick<TextBlock, 'level' | 'size' | 'align'>> = {},
): TextBlock {
  return { kind: 'text', inlines, level: 0, size: 'normal', align: 'left', ...look };
}

/** An answer as a tree. It is plain data: the parser makes it, and everything that is shown is made from it. */
import type { Person } from '../../../core/content.ts';

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'strong' | 'emphasis' | 'strike'; readonly children: readonly Inline[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly address: string; readonly children: readonly Inline[] }
  /** An image that has a key, which Lark gave for it. */
  | { readonly kind: 'image'; readonly key: string; readonly label: string }
  | { readonly kind: 'mention'; readonly person: Person }
  | { readonly kind: 'break' };

export interface ListItem {
  /** For a task: whether it is done. */
  readonly done?: boolean;
  readonly children: readonly Block[];
}

export interface List {
  readonly kind: 'list';
  /** The first number. Undefined for a list without numbers. */
  readonly start?: number;
  readonly items: readonly ListItem[];
}

export interface Table {
  readonly kind: 'table';
  readonly align: readonly ('left' | 'center' | 'right')[];
  readonly head: readonly (readonly Inline[])[];
  readonly rows: readonly (readonly (readonly Inline[])[])[];
}

export interface Code {
  readonly kind: 'code_block';
  /** The first word after the fence, as the agent wrote it. */
  readonly language: string;
  readonly lines: readonly string[];
}

export interface Quote {
  readonly kind: 'quote';
  readonly children: readonly Block[];
}

export type Block =
  | { readonly kind: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly kind: 'heading'; readonly level: number; readonly children: readonly Inline[] }
  | { readonly kind: 'rule' }
  | { readonly kind: 'picture'; readonly key: string; readonly label: string }
  | Code
  | Quote
  | List
  | Table;

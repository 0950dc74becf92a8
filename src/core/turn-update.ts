import type { OpenId } from './ids.ts';

/** What an agent's runtime tells the bridge about a turn before the turn ends. It is only shown, so it may be lost. */
export type TurnUpdate =
  /** More of the answer. */
  | { readonly kind: 'text_added'; readonly text: string }
  /** All of the answer up to now, in place of what was told before. */
  | { readonly kind: 'text_replaced'; readonly text: string }
  /** What the agent is doing. */
  | { readonly kind: 'status'; readonly text: string }
  /** A part of the agent's work. A step with a known id changes that step. */
  | { readonly kind: 'step'; readonly step: TurnStep }
  /** The turn waits for a person, who chooses one of the options. Its time limits stand still meanwhile. */
  | {
      readonly kind: 'question';
      readonly id: string;
      readonly text: string;
      readonly options: readonly QuestionOption[];
      /** Nobody else may answer. */
      readonly only?: 'owner';
    };

export interface QuestionOption {
  readonly id: string;
  readonly label: string;
  readonly style: 'primary' | 'danger' | 'default';
}

/** `cancelled`: nobody will answer any more. */
export type QuestionAnswer =
  | { readonly kind: 'chosen'; readonly option: string; readonly by: OpenId }
  | { readonly kind: 'cancelled' };

export interface TurnStep {
  readonly id: string;
  readonly title: string;
  readonly status: 'running' | 'done' | 'failed';
}

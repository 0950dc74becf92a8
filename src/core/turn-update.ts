/** What a turn tells before it ends, from the agent's runtime up to the bridge. No runtime sends it yet. */
export type TurnUpdate =
  /** What is being done, for the eye: it may be lost. `step` names the step that `text` is about. */
  | { readonly kind: 'progress'; readonly text: string; readonly step?: string }
  /** Waits for a person. Without options the answer is free text. */
  | {
      readonly kind: 'question';
      readonly id: string;
      readonly text: string;
      readonly options: readonly { readonly id: string; readonly label: string }[];
    };

/** What an agent's runtime tells the bridge about a turn before the turn ends. No runtime sends it yet. */
export type TurnUpdate =
  /** What the agent is doing. It is only shown, so it may be lost. `step` names the step that `text` is about. */
  | { readonly kind: 'progress'; readonly text: string; readonly step?: string }
  /** The turn waits for a person. Without options the answer is free text. */
  | {
      readonly kind: 'question';
      readonly id: string;
      readonly text: string;
      readonly options: readonly { readonly id: string; readonly label: string }[];
    };

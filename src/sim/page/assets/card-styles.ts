/** Cards: header, components, and Lark's colours. */
export const CARD_STYLES = /* css */ `
.card {
  width: 560px;
  max-width: 100%;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--paper);
  overflow: hidden;
  overflow-wrap: anywhere;
}
.message.with-card .message-main { flex: 0 1 auto; width: 100%; }
.card-header { padding: 10px 14px; border-bottom: 1px solid var(--line); }
.card-title-line { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.card-title { font-size: 16px; font-weight: 600; line-height: 1.4; }
.card-subtitle { color: var(--dim); font-size: 13px; }
.card-body { padding: 12px 14px; }
.card.streaming { border-color: var(--accent); }
.streaming-sign { padding: 0 14px 10px; color: var(--faint); font-size: 12px; animation: breathe 1.2s ease-in-out infinite alternate; }
@keyframes breathe { from { opacity: 0.4; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { .streaming-sign { animation: none; } }
.columns { display: flex; gap: 10px; align-items: flex-start; }
.columns.flow { flex-wrap: wrap; }
.column { min-width: 0; }
.note { color: var(--faint); font-size: 12px; }
.bubble .note { color: inherit; font-size: inherit; }
.bubble .note > .text:first-child:not(:last-child) { color: var(--dim); font-size: 12px; }
.bubble > .note > * + * { margin-top: 0; }
.panel { border: 1px solid var(--line); border-radius: 8px; padding: 6px 12px; }
.panel > summary { cursor: pointer; font-weight: 500; }
.panel > summary > .text { display: inline; }
.container { border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; }
.container.pressable { cursor: pointer; }
.container.pressable:hover { background: var(--sunk); }
.card-button {
  display: block;
  width: fit-content;
  max-width: 100%;
  border: 1px solid var(--line);
  border-radius: 6px;
  background: var(--paper);
  padding: 4px 14px;
  overflow-wrap: anywhere;
}
.card-button:hover:not(:disabled) { background: var(--sunk); }
.card-button:active:not(:disabled) { filter: brightness(0.94); }
.card-button.primary { border-color: var(--accent); background: var(--accent); color: var(--accent-ink); }
.card-button.danger { border-color: var(--danger); color: var(--danger); }
.card-button.danger:hover:not(:disabled) { background: var(--danger-soft); }
.card-button.text { border-color: transparent; color: var(--accent); }
.field { display: grid; gap: 3px; min-width: 0; }
.caption, .hint { color: var(--dim); font-size: 13px; }
.field input, .field select, .field textarea { width: 100%; min-width: 120px; }
.field.menu select { width: auto; min-width: 0; }
.field textarea { min-height: 72px; resize: vertical; }
.check { display: flex; gap: 8px; align-items: baseline; }
.check input { width: auto; min-width: 0; }
.selects { display: grid; gap: 4px; }
.other { border: 1px dashed var(--line); border-radius: 8px; padding: 8px 12px; }
.other-tag { color: var(--faint); font: 12px ui-monospace, Menlo, Consolas, monospace; }
.tag { display: inline-block; border-radius: 4px; padding: 0 6px; font-size: 12px; line-height: 20px; }

.color-blue { --hue: #245bdb; --wash: #e1eaff; }
.color-wathet { --hue: #0b6f9c; --wash: #d9f3fd; }
.color-turquoise { --hue: #0a7a72; --wash: #d5f6f2; }
.color-green { --hue: #207a16; --wash: #d9f5d6; }
.color-lime { --hue: #55710a; --wash: #eef6c6; }
.color-yellow { --hue: #846000; --wash: #faf1d1; }
.color-orange { --hue: #9a4b00; --wash: #feead2; }
.color-red { --hue: #c0302a; --wash: #fde2e2; }
.color-carmine { --hue: #ae2055; --wash: #fde3ee; }
.color-violet { --hue: #9b2ba0; --wash: #f8def8; }
.color-purple { --hue: #5c2bc7; --wash: #ece2fe; }
.color-indigo { --hue: #3b3fc0; --wash: #e0e2fa; }
.color-grey, .color-neutral { --hue: #51565d; --wash: #eff0f1; }
.color-default { --hue: var(--ink); --wash: var(--sunk); }
@media (prefers-color-scheme: dark) {
  .color-blue { --hue: #8fb4ff; --wash: #1d2f57; }
  .color-wathet { --hue: #7fcdf0; --wash: #143847; }
  .color-turquoise { --hue: #62d2c8; --wash: #113a37; }
  .color-green { --hue: #7fd172; --wash: #1c3a18; }
  .color-lime { --hue: #b5cf5b; --wash: #323b12; }
  .color-yellow { --hue: #e6c45a; --wash: #40340e; }
  .color-orange { --hue: #f3a45c; --wash: #452b12; }
  .color-red { --hue: #f98e8b; --wash: #4a2322; }
  .color-carmine { --hue: #f58bb3; --wash: #48202f; }
  .color-violet { --hue: #dc94e0; --wash: #3f2241; }
  .color-purple { --hue: #b79bf5; --wash: #30244f; }
  .color-indigo { --hue: #a3a6f5; --wash: #28294d; }
  .color-grey, .color-neutral { --hue: #b8bbbf; --wash: #333435; }
}
.colored { color: var(--hue); }
.tag { background: var(--wash); color: var(--hue); }
.card-header { background: var(--wash); color: var(--hue); }
.card-header .tag { background: var(--paper); }
`;

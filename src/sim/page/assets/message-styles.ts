/** Messages: bubbles, quotes, reactions, and the text in them. */
export const MESSAGE_STYLES = /* css */ `
.day { margin: 14px 0 6px; color: var(--faint); font-size: 12px; text-align: center; }
.message {
  position: relative;
  display: flex;
  gap: 10px;
  align-items: flex-start;
  margin-top: 16px;
}
.message.own { flex-direction: row-reverse; }
.message.follows { margin-top: 6px; }
.message.follows.with-card, .with-card + .message.follows { margin-top: 12px; }
.message.follows > .avatar { visibility: hidden; height: 0; }
.message.follows .byline { display: none; }
.message-main { display: flex; flex-direction: column; align-items: flex-start; min-width: 0; max-width: min(78%, 720px); }
.thread .message-main { max-width: 84%; }
.own .message-main { align-items: flex-end; }
.byline { display: flex; gap: 8px; align-items: center; margin-bottom: 3px; color: var(--dim); font-size: 12px; }
.byline time { color: var(--faint); }
.bot-mark, .mark {
  border-radius: 4px;
  background: var(--accent-soft);
  padding: 0 5px;
  color: var(--accent);
  font-size: 11px;
  line-height: 16px;
}
.bubble {
  max-width: 100%;
  border-radius: 10px;
  background: var(--sunk);
  padding: 8px 12px;
  overflow-wrap: anywhere;
}
.own .bubble { background: var(--own); }
.bubble.bare { background: none; padding: 0; }
.recalled > .avatar { visibility: hidden; }
.recall-line { margin: 0 auto; color: var(--faint); font-size: 12px; }
.recalled .recall-line { flex: 1; text-align: center; }
.quoted {
  max-width: 100%;
  margin-bottom: 4px;
  border-left: 3px solid var(--line);
  padding: 0 8px;
  color: var(--dim);
  font-size: 12px;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.reactions { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 6px; }
.reaction {
  display: flex;
  gap: 5px;
  align-items: center;
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--paper);
  padding: 0 9px;
  color: var(--dim);
  font-size: 12px;
  line-height: 22px;
}
.reaction.mine { border-color: var(--accent); background: var(--accent-soft); color: var(--ink); }
.emoji { font-family: "Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif; }
.footer { display: flex; gap: 10px; align-items: center; margin-top: 3px; }
.thread-link { border: 0; background: none; padding: 0; color: var(--accent); font-size: 13px; }
.thread-link:hover { text-decoration: underline; }
.tools {
  display: flex;
  flex: none;
  align-self: flex-start;
  margin-top: 2px;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: var(--paper);
  opacity: 0;
}
.message:hover .tools, .message:focus-within .tools { opacity: 1; }
.recalled .tools { display: none; }
.message.with-card .tools, .thread .tools { position: absolute; top: -6px; right: 0; margin: 0; }
.message.own.with-card .tools, .thread .message.own .tools { right: auto; left: 0; }

.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.text:empty::after { content: "\\200b"; }
.align-center { text-align: center; }
.align-right { text-align: right; }
.size-small { color: var(--faint); font-size: 12px; }
.size-large { font-size: 16px; }
.heading { font-weight: 600; }
.level-1 { font-size: 20px; line-height: 1.4; }
.level-2 { font-size: 18px; line-height: 1.4; }
.level-3 { font-size: 16px; }
.mention { color: var(--accent); }
.own .bubble .text a, .own .mention:not(.of-me) { color: var(--own-accent); }
.mention.of-me { border-radius: 8px; background: var(--accent); padding: 0 6px; color: var(--accent-ink); }
.inline-code {
  border: 1px solid var(--line);
  border-radius: 4px;
  background: var(--sunk);
  padding: 0 4px;
  font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
.code { position: relative; max-width: 100%; border: 1px solid var(--line); border-radius: 8px; background: var(--sunk); }
.code pre { margin: 0; padding: 10px 12px; overflow-x: auto; }
.code code { font: 12.5px/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; white-space: pre; }
.code-language { display: block; border-bottom: 1px solid var(--line); padding: 2px 12px; color: var(--faint); font-size: 11px; }
.bubble blockquote, .card blockquote {
  margin: 0;
  border-left: 3px solid var(--line);
  padding-left: 10px;
  color: var(--dim);
}
.bubble > * + *, .card-body > * + *, .column > * + *, .form > * + *, .panel > * + *,
.container > * + *, blockquote > * + *, .group > * + *, .note > * + * { margin-top: 8px; }
.bubble > .text:not(.heading) + .text:not(.heading) { margin-top: 0; }
ul, ol { margin: 0; padding-left: 22px; }
li > ul, li > ol { margin-top: 2px; }
.task { display: flex; gap: 6px; margin-left: -18px; list-style: none; }
hr { width: 100%; border: 0; border-top: 1px solid var(--line); }
.own .bubble hr { border-color: var(--faint); }
.table { max-width: 100%; border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { background: var(--sunk); color: var(--dim); font-weight: 600; }
th, td { border-bottom: 1px solid var(--line); padding: 6px 12px; text-align: left; vertical-align: top; }
th + th, td + td { border-left: 1px solid var(--line); }
th.align-right, td.align-right { text-align: right; }
th.align-center, td.align-center { text-align: center; }
tbody tr:last-child td { border-bottom: 0; }
.pager { display: flex; gap: 8px; align-items: center; justify-content: flex-end; margin-top: 4px; color: var(--dim); font-size: 12px; }
.pager button { border: 0; background: none; padding: 0 8px; }
figcaption { color: var(--dim); font-size: 12px; }
.picture-link { display: inline-block; max-width: 100%; }
.picture { display: block; max-width: min(360px, 100%); max-height: 320px; min-width: 24px; min-height: 24px; border-radius: 8px; object-fit: contain; background: var(--sunk); }
.text .picture { display: inline-block; max-height: 120px; vertical-align: middle; }
.sticker .picture { max-width: 120px; }
.file { display: flex; gap: 10px; align-items: center; min-width: 200px; color: var(--ink); }
.file .icon { width: 24px; height: 24px; color: var(--accent); }
.voice { display: flex; gap: 8px; align-items: center; }
.voice audio { width: 240px; max-width: 100%; height: 36px; }
.video video { display: block; max-width: min(360px, 100%); border-radius: 8px; background: #000; }
.bundle { min-width: 240px; max-width: 100%; border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; overflow-wrap: anywhere; }
.bundle-title { margin-bottom: 6px; font-weight: 600; }
.bundle ul { padding: 0; list-style: none; }
.bundle li + li { margin-top: 8px; }
.bundle-name { color: var(--dim); font-size: 12px; }
`;

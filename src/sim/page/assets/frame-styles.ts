/** Colours, the three columns of the page, and what lies on top of it. */
export const FRAME_STYLES = /* css */ `
:root {
  color-scheme: light dark;
  --back: #f2f3f5;
  --paper: #ffffff;
  --sunk: #f5f6f7;
  --line: #dee0e3;
  --ink: #1f2329;
  --dim: #646a73;
  --faint: #8f959e;
  --accent: #3370ff;
  --accent-ink: #ffffff;
  --accent-soft: #e1eaff;
  --own: #d6e4ff;
  --own-accent: #1d54d6;
  --danger: #d83931;
  --danger-soft: #fde2e2;
  --good: #2ea121;
  --warn: #b36b00;
  --shadow: 0 1px 2px rgb(31 35 41 / 8%), 0 2px 8px rgb(31 35 41 / 6%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #141414;
    --paper: #1f1f1f;
    --sunk: #292929;
    --line: #393a3b;
    --ink: #ebebeb;
    --dim: #a6a6a6;
    --faint: #858585;
    --accent: #4c88ff;
    --accent-ink: #ffffff;
    --accent-soft: #1d2f57;
    --own: #1e3a6e;
    --own-accent: #a8c4ff;
    --danger: #f76964;
    --danger-soft: #4a2322;
    --good: #51ba43;
    --warn: #e0a23b;
    --shadow: 0 1px 3px rgb(0 0 0 / 50%);
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; margin: 0; }
body {
  background: var(--back);
  color: var(--ink);
  font: 14px/1.6 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "PingFang SC",
    "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
}
h1, h2, p, figure { margin: 0; }
button, select, input, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
button:disabled { cursor: not-allowed; opacity: 0.5; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.small { color: var(--faint); font-size: 12px; }
select, input, textarea {
  background: var(--paper);
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 5px 8px;
}
.plain, .primary {
  border: 1px solid var(--line);
  border-radius: 6px;
  background: var(--paper);
  padding: 4px 12px;
}
.plain:hover { background: var(--sunk); }
.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
.primary:hover { filter: brightness(1.07); }
.tool {
  border: 0;
  border-radius: 6px;
  background: none;
  padding: 2px 8px;
  color: var(--dim);
  line-height: 24px;
}
.icon {
  display: block;
  width: 18px;
  height: 18px;
  fill: none;
  stroke: currentcolor;
  stroke-width: 1.8;
  stroke-linecap: round;
  stroke-linejoin: round;
}
.tool { display: inline-grid; place-items: center; min-width: 30px; min-height: 28px; }
.tool:hover { background: var(--sunk); color: var(--ink); }

#page { display: flex; height: 100%; overflow: hidden; }
.sidebar {
  display: flex;
  flex: 0 0 264px;
  flex-direction: column;
  min-width: 0;
  background: var(--back);
  border-right: 1px solid var(--line);
}
.me { display: grid; gap: 8px; padding: 14px 12px; border-bottom: 1px solid var(--line); }
.me label { display: grid; gap: 2px; color: var(--dim); font-size: 12px; }
.me select { width: 100%; font-size: 14px; font-weight: 600; color: var(--ink); }
.chats { flex: 1 1 auto; overflow-y: auto; padding: 6px; }
.bots { display: grid; gap: 6px; padding: 10px 12px; }
.bots:empty { display: none; }
.chat {
  display: flex;
  gap: 10px;
  align-items: center;
  width: 100%;
  border: 0;
  border-radius: 8px;
  background: none;
  padding: 9px 8px;
  text-align: left;
}
.chat:hover { background: rgb(127 127 127 / 10%); }
.chat.open { background: var(--accent-soft); }
.chat-lines { flex: 1 1 auto; min-width: 0; }
.chat-line { display: flex; gap: 8px; align-items: baseline; justify-content: space-between; }
.chat-title { font-weight: 600; }
.chat-title, .chat-preview { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.chat-preview { color: var(--dim); font-size: 12px; }
.unread {
  flex: none;
  min-width: 18px;
  border-radius: 9px;
  background: #e34d59;
  padding: 0 5px;
  color: #fff;
  font-size: 11px;
  line-height: 18px;
  text-align: center;
}
.avatar {
  display: inline-grid;
  flex: none;
  width: 36px;
  height: 36px;
  place-items: center;
  border-radius: 50%;
  color: #fff;
  font-size: 13px;
  font-weight: 600;
}
.avatar.of-bot { border-radius: 10px; }
.tint-0 { background: #3370ff; }
.tint-1 { background: #7f3bf5; }
.tint-2 { background: #d136d1; }
.tint-3 { background: #c7352e; }
.tint-4 { background: #b8560b; }
.tint-5 { background: #2d7d1f; }
.tint-6 { background: #0b7d77; }
.tint-7 { background: #0f6fc0; }

.chat-panel { display: flex; flex: 1 1 auto; flex-direction: column; min-width: 0; background: var(--paper); }
.chat-panel > .plain { align-self: center; margin-top: 8px; }
.thread {
  display: flex;
  flex: 0 0 380px;
  flex-direction: column;
  min-width: 0;
  background: var(--paper);
  border-left: 1px solid var(--line);
}
.chat-head {
  display: flex;
  flex: none;
  gap: 12px;
  align-items: center;
  justify-content: space-between;
  min-height: 62px;
  border-bottom: 1px solid var(--line);
  padding: 8px 20px;
}
.chat-head h1 { font-size: 16px; line-height: 1.4; }
.chat-head > div { min-width: 0; }
.chat-head p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.empty { margin-top: 24vh; color: var(--faint); text-align: center; }
.messages { flex: 1 1 auto; overflow: hidden auto; padding: 12px 20px 20px; }

#notices {
  position: fixed;
  z-index: 20;
  top: 20px;
  left: 50%;
  display: grid;
  gap: 8px;
  transform: translateX(-50%);
  pointer-events: none;
}
.notice {
  max-width: min(560px, 90vw);
  border: 1px solid var(--line);
  border-left: 4px solid var(--accent);
  border-radius: 8px;
  background: var(--paper);
  padding: 9px 16px;
  box-shadow: var(--shadow);
}
.notice.success { border-left-color: var(--good); }
.notice.warning { border-left-color: var(--warn); }
.notice.error { border-left-color: var(--danger); }
dialog {
  width: min(360px, 90vw);
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--paper);
  padding: 20px;
  color: var(--ink);
  box-shadow: var(--shadow);
}
dialog::backdrop { background: rgb(0 0 0 / 40%); }
dialog h2 { margin-bottom: 10px; font-size: 16px; }
dialog label { display: grid; gap: 4px; }
.dialog-buttons { display: flex; gap: 8px; justify-content: flex-end; margin-top: 16px; }
.choices { display: grid; gap: 6px; max-height: 50vh; overflow-y: auto; }
.choice { border: 1px solid var(--line); border-radius: 6px; background: none; padding: 7px 12px; text-align: left; }
.choices.signs { grid-template-columns: repeat(6, 1fr); }
.choices.signs .choice { border-color: transparent; padding: 4px 0; font-size: 22px; text-align: center; }
.choice:hover { background: var(--accent-soft); }

@media (max-width: 1100px) {
  .sidebar { flex-basis: 220px; }
  .thread {
    position: fixed;
    z-index: 5;
    inset: 0 0 0 auto;
    width: min(420px, 88vw);
    box-shadow: -8px 0 24px rgb(0 0 0 / 18%);
  }
}
@media (max-width: 640px) {
  .sidebar { flex-basis: 64px; }
  .chat-lines, .me .plain, .bots { display: none; }
  .messages { padding: 12px; }
}
`;

/** Where the person writes. */
export const COMPOSER_STYLES = /* css */ `
.composer {
  flex: none;
  margin: 0 20px 16px;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--paper);
}
.composer:focus-within { border-color: var(--accent); }
.composer textarea {
  display: block;
  width: 100%;
  max-height: 30vh;
  border: 0;
  background: none;
  padding: 10px 14px 4px;
  outline: none;
  resize: none;
  field-sizing: content;
}
.composer-bar { display: flex; justify-content: space-between; padding: 4px 6px 0 14px; color: var(--dim); }
.composer-bar > span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; line-height: 28px; }
.composer-bar:empty { display: none; }
.composer-tools { display: flex; gap: 2px; align-items: center; padding: 4px 8px 8px; }
.composer-tools .primary { margin-left: auto; }
.file-tool { position: relative; cursor: pointer; }
.file-tool input { position: absolute; inset: 0; width: 100%; opacity: 0; cursor: pointer; }
.file-tool:focus-within { outline: 2px solid var(--accent); }
.tool[aria-pressed="true"] { background: var(--accent-soft); color: var(--accent); }
.rich-tools { display: flex; gap: 2px; border-bottom: 1px solid var(--line); padding: 4px 8px; }
.composer .rich-title {
  display: block;
  width: 100%;
  border: 0;
  background: none;
  padding: 8px 14px 0;
  outline: none;
  font-weight: 600;
}
.preview { max-height: 20vh; margin: 6px 14px; overflow-y: auto; }
@media (max-width: 640px) {
  .composer { margin: 0 12px 12px; }
}
`;

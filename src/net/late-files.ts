import { createRequire } from 'node:module';

const own = createRequire(import.meta.url);

/** The parser of answers, and the maker of forms. */
const FILES = ['../llhttp/llhttp_simd-wasm.js', '../web/fetch/body.js'];

/**
 * Loads what undici reads from the disk with its first connection and its first upload. They may come after an upgrade,
 * which has replaced the files by then, and undici would end the process. Node remembers where a name leads for
 * each folder that asks, so it is asked from undici's.
 */
export function loadLateFiles(): void {
  const load = createRequire(own.resolve('undici/lib/dispatcher/client-h1.js'));
  for (const file of FILES) load(file);
}

/**
 * Runs the `main` of a file in TypeScript beside the tests, such as `node test/launch.js e2e/soak.ts --minutes 5`:
 * Node 20 can't read TypeScript by itself, and Vitest brings what can.
 */
import { join } from 'node:path';
import { createViteServer } from 'vitest/node';

const [file = '', ...words] = process.argv.slice(2);
const server = await createViteServer({
  root: join(import.meta.dirname, '..'),
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
try {
  const { main } = await server.ssrLoadModule(join(import.meta.dirname, file));
  process.exitCode = await main(words);
} finally {
  await server.close();
}

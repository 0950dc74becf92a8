/** The limit of everything that listens: the official SDK with a handler that does nothing. */
import { createRequire } from 'node:module';

// As the bridge loads it: an import takes twice as long and 35 MB more.
const sdk = createRequire(import.meta.url)('@larksuiteoapi/node-sdk');
const silence = { error() {}, warn() {}, info() {}, debug() {}, trace() {} };
const logging = { logger: silence, loggerLevel: sdk.LoggerLevel.fatal };
const dispatcher = new sdk.EventDispatcher(logging);
dispatcher.register({ 'im.message.receive_v1': async () => {} });
const client = new sdk.WSClient({
  appId: process.env.LARK_APP_ID,
  appSecret: process.env.LARK_APP_SECRET,
  domain: process.env.LARK_OPEN_BASE_URL,
  ...logging,
  onReady: () => console.log('{"event":"ready"}'),
});
await client.start({ eventDispatcher: dispatcher });
process.on('SIGTERM', () => process.exit());

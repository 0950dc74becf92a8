/** `lark-bridge simulate`: a cloud of Lark on this machine, to point a bridge at. */
import { type LeafCommand, stopRequested } from '../command.ts';

export const simulateCommand: LeafCommand = {
  usage: 'simulate',
  describe: 'run a simulated Lark cloud and print the environment to point a bridge at it',
  run: async ({ output, signal }) => {
    const { startLarkCloud } = await import('../../sim/server.ts');
    const { createCast } = await import('../demo/stage.ts');
    const cloud = await startLarkCloud();
    try {
      const { app, user, group } = createCast(cloud);
      const { openBaseUrl, accountsBaseUrl, controlUrl } = cloud;
      const text = [
        `# The simulator is ready: ${openBaseUrl}, control ${controlUrl}`,
        `export LARK_APP_ID=${app.appId}`,
        `export LARK_APP_SECRET=${app.appSecret}`,
        `export LARK_BRAND=${app.brand}`,
        `export LARK_OPEN_BASE_URL=${openBaseUrl}`,
        `export LARK_ACCOUNTS_BASE_URL=${accountsBaseUrl}`,
      ];
      output.result(text.join('\n'), {
        event: 'ready',
        open_base_url: openBaseUrl,
        accounts_base_url: accountsBaseUrl,
        control_url: controlUrl,
        app_id: app.appId,
        app_secret: app.appSecret,
      });
      output.note(
        `In it: ${user.name}, a direct chat of hers with the bot, and the group ${group.name}.`,
      );
      await stopRequested(signal);
    } finally {
      await cloud.stop();
    }
  },
};

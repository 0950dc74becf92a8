/** The pages about health and metrics, which the process serves over HTTP. */
import type { PageAnswer, Pages } from '../net/pages.ts';
import type { Health, HealthReport } from './health/health.ts';
import type { Metrics } from './metrics/metrics.ts';

export function createMonitorPages(health: Health, metrics: Metrics): Pages {
  const healthPage = (isOk: (report: HealthReport) => boolean) => ({
    render: () => {
      const report = health.report();
      return healthAnswer(report, isOk(report));
    },
  });
  return {
    '/health': healthPage(({ ready }) => ready),
    '/health/live': healthPage(({ live }) => live),
    '/health/ready': healthPage(({ ready }) => ready),
    '/metrics': {
      // The counts show how much people talk with the bot, and when.
      local: true,
      render: async () => ({ status: 200, ...(await metrics.text()) }),
    },
  };
}

function healthAnswer(report: HealthReport, isOk: boolean): PageAnswer {
  return {
    status: isOk ? 200 : 503,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify({ status: isOk ? 'ok' : 'error', ...report }),
  };
}

/** What the process says about itself to whoever asks over HTTP. */
import type { PageAnswer, Pages } from '../core/pages.ts';
import type { Health, HealthReport } from './health/health.ts';
import type { Metrics } from './metrics/metrics.ts';

export function createMonitorPages(health: Health, metrics: Metrics): Pages {
  const told = (judge: (report: HealthReport) => boolean) => ({
    render: () => {
      const report = health.report();
      return healthAnswer(report, judge(report));
    },
  });
  return {
    '/health': told(({ ready }) => ready),
    '/health/live': told(({ live }) => live),
    '/health/ready': told(({ ready }) => ready),
    '/metrics': {
      // Counts tell a stranger how much is talked about and when.
      local: true,
      render: async () => ({ status: 200, ...(await metrics.text()) }),
    },
  };
}

function healthAnswer(report: HealthReport, fine: boolean): PageAnswer {
  return {
    status: fine ? 200 : 503,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify({ status: fine ? 'ok' : 'error', ...report }),
  };
}

/** HTTP calls by the way that the settings name: direct, or through a proxy. */
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { proxyFor, type ProxySettings } from './proxy.ts';

export interface HttpWays {
  readonly dispatcher: Dispatcher;
  /** Ends what is under way. */
  destroy(): Promise<void>;
}

/** In place of undici's EnvHttpProxyAgent, which knows neither ranges in NO_PROXY nor ALL_PROXY. */
export function createHttpWays(
  options: Agent.Options,
  settings: ProxySettings,
  interceptors: readonly Dispatcher.DispatcherComposeInterceptor[],
): HttpWays {
  const direct = new Agent(options);
  /** By address: the few that the settings name. */
  const proxies = new Map<string, ProxyAgent>();
  let isOver = false;

  function wayTo(origin: string | URL | undefined): Dispatcher {
    const proxy = origin === undefined ? undefined : proxyFor(new URL(origin), settings);
    // What is over refuses by itself.
    if (proxy === undefined || isOver) return direct;
    const agent = proxies.get(proxy.href) ?? new ProxyAgent({ ...options, uri: proxy.href });
    proxies.set(proxy.href, agent);
    return agent;
  }

  return {
    dispatcher: direct.compose([
      () => (request, handler) => wayTo(request.origin).dispatch(request, handler),
      ...interceptors,
    ]),
    async destroy() {
      isOver = true;
      await Promise.all([direct, ...proxies.values()].map((agent) => agent.destroy()));
    },
  };
}

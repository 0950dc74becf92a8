/** Sends each HTTP call directly or through a proxy, as the settings say. */
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { proxyFor, type ProxySettings } from './proxy.ts';

export interface HttpRoutes {
  readonly dispatcher: Dispatcher;
  /** Ends all calls that run. */
  destroy(): Promise<void>;
}

/** It replaces undici's EnvHttpProxyAgent, which supports neither ALL_PROXY nor ranges in NO_PROXY. */
export function createHttpRoutes(
  options: Agent.Options,
  settings: ProxySettings,
  interceptors: readonly Dispatcher.DispatcherComposeInterceptor[],
): HttpRoutes {
  const direct = new Agent(options);
  /** By address. The settings name only a few. */
  const proxies = new Map<string, ProxyAgent>();
  let isDestroyed = false;

  function routeTo(origin: string | URL | undefined): Dispatcher {
    const proxy = origin === undefined ? undefined : proxyFor(new URL(origin), settings);
    // After `destroy` the direct agent refuses the call.
    if (proxy === undefined || isDestroyed) return direct;
    const agent = proxies.get(proxy.href) ?? new ProxyAgent({ ...options, uri: proxy.href });
    proxies.set(proxy.href, agent);
    return agent;
  }

  return {
    dispatcher: direct.compose([
      () => (request, handler) => routeTo(request.origin).dispatch(request, handler),
      ...interceptors,
    ]),
    async destroy() {
      isDestroyed = true;
      await Promise.all([direct, ...proxies.values()].map((agent) => agent.destroy()));
    },
  };
}

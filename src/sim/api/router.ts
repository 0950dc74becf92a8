import type { Route } from './http.ts';

interface Entry {
  readonly route: Route;
  readonly parameters: readonly string[];
}

interface Node {
  readonly children: Map<string, Node>;
  parameter: Node | undefined;
  readonly entries: Map<string, Entry>;
}

interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Parts of the platform's paths that are in the place of an id. They are never ids, so that a route
 * that the simulator does not have is unknown, and not a route of an unknown message or chat.
 */
const NEVER_IDS: ReadonlySet<string> = new Set([
  'batch',
  'batch_get_id',
  'batch_message',
  'batch_query',
  'find_by_department',
  'merge_forward',
  'mget',
  'reactions',
  'search',
  'underauditlist',
]);

/** Finds the route of a path by its segments. A fixed segment is never the value of a parameter. */
export class Router {
  readonly #root = createNode();

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#add(route);
  }

  match(method: string, path: string): Match | undefined {
    const values: string[] = [];
    const entry = find(this.#root, path.split('/').slice(1), { method, values, at: 0 });
    if (entry === undefined) return undefined;
    const pairs = entry.parameters.map((name, at) => [name, values[at] ?? ''] as const);
    return { route: entry.route, params: Object.fromEntries(pairs) };
  }

  #add(route: Route): void {
    const parameters: string[] = [];
    let node = this.#root;
    for (const segment of route.path.split('/').slice(1)) {
      if (segment.startsWith(':')) {
        parameters.push(segment.slice(1));
        node.parameter ??= createNode();
        node = node.parameter;
      } else {
        const child: Node = node.children.get(segment) ?? createNode();
        node.children.set(segment, child);
        node = child;
      }
    }
    const existing = node.entries.get(route.method);
    if (existing !== undefined) {
      throw new Error(`${route.method} ${route.path} is the same as ${existing.route.path}`);
    }
    node.entries.set(route.method, { route, parameters });
  }
}

interface Search {
  readonly method: string;
  readonly values: string[];
  readonly at: number;
}

function find(node: Node, segments: readonly string[], search: Search): Entry | undefined {
  const segment = segments[search.at];
  if (segment === undefined) return node.entries.get(search.method);
  const next = { ...search, at: search.at + 1 };
  const child = node.children.get(segment);
  if (child !== undefined) return find(child, segments, next);
  if (node.parameter === undefined || segment === '' || NEVER_IDS.has(segment)) return undefined;
  search.values.push(segment);
  return find(node.parameter, segments, next);
}

function createNode(): Node {
  return { children: new Map(), parameter: undefined, entries: new Map() };
}

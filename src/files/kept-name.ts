/** The name under which something of `path` is kept beside it. `why` is a word for people. */
export function keptName(path: string, why: 'corrupt' | 'damaged' | 'foreign' | 'kept'): string {
  return `${path}.${why}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
}

/** Signs that cards, posts and texts have in common. */

/** Longer than every fence in the code itself. */
export function fenceFor(lines: readonly string[]): string {
  const longest = lines.reduce(
    (length, line) => Math.max(length, /^\s*(`{3,})/.exec(line)?.[1]?.length ?? 0),
    2,
  );
  return '`'.repeat(longest + 1);
}

export function listPrefix(start: number | undefined, at: number): string {
  return start === undefined ? '- ' : `${start + at}. `;
}

/** Lark's Markdown has no sign for tasks. */
export function taskSign(done: boolean | undefined): string {
  if (done === undefined) return '';
  return done ? '☑ ' : '☐ ';
}

/** Languages that Lark colours, as it names them: its document of the rich text component. */
const LANGUAGES: ReadonlySet<string> = new Set(
  (
    'plain_text abap ada apache apex assembly bash c_sharp cpp c cmake cobol css coffee_script d dart delphi diff ' +
    'django docker_file erlang fortran gherkin go graphql groovy html htmlbars http haskell json java javascript ' +
    'julia kotlin latex lisp lua matlab makefile markdown nginx objective_c opengl_shading_language php perl ' +
    'powershell prolog properties protobuf python r ruby rust sas scss sql scala scheme shell solidity swift toml ' +
    'thrift typescript vbscript visual_basic xml yaml'
  ).split(' '),
);
const OTHER_NAMES: Readonly<Record<string, string>> = {
  asm: 'assembly',
  'c#': 'c_sharp',
  'c++': 'cpp',
  cc: 'cpp',
  cjs: 'javascript',
  coffee: 'coffee_script',
  console: 'shell',
  cs: 'c_sharp',
  csharp: 'c_sharp',
  docker: 'docker_file',
  dockerfile: 'docker_file',
  glsl: 'opengl_shading_language',
  golang: 'go',
  gql: 'graphql',
  hs: 'haskell',
  ini: 'properties',
  js: 'javascript',
  json5: 'json',
  jsonc: 'json',
  jsx: 'javascript',
  kt: 'kotlin',
  make: 'makefile',
  math: 'latex',
  md: 'markdown',
  mjs: 'javascript',
  objc: 'objective_c',
  'objective-c': 'objective_c',
  patch: 'diff',
  pl: 'perl',
  proto: 'protobuf',
  ps1: 'powershell',
  py: 'python',
  python3: 'python',
  rb: 'ruby',
  rs: 'rust',
  sh: 'bash',
  svelte: 'html',
  svg: 'xml',
  tex: 'latex',
  ts: 'typescript',
  tsx: 'typescript',
  vb: 'visual_basic',
  vue: 'html',
  yml: 'yaml',
  zsh: 'bash',
};

/** Lark's name of a language. Empty for one that it does not have: such code is shown without colours. */
export function languageOf(word: string): string {
  const name = word.toLowerCase();
  const other = Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : undefined;
  return other ?? (LANGUAGES.has(name) ? name : '');
}

/**
 * Coding agents that speak the Agent Client Protocol, so that their name is enough to put one behind the bot. Where a
 * version is pinned, that version was run against the bridge's reading of the protocol.
 */

/** What an agent's makers, and whoever ran it, say about it. */
export interface KnownAgent {
  /** What people type. */
  readonly id: string;
  readonly name: string;
  /** The program on the PATH. */
  readonly program: string;
  /** Its arguments that make it speak the protocol. */
  readonly args: readonly string[];
  /** The npm package that holds the program. Undefined: it is installed in another way. */
  readonly npm?: NpmPackage;
  /** Its makers' document says how it is installed. Set where npm does not have it. */
  readonly home?: string;
  /** The lowest version of Node that it runs on; undefined if it needs none, or any will do. */
  readonly nodeMin?: string;
  /** Another program that it can't work without. */
  readonly needs?: string;
  /** Modes in which it asks the person before it acts, the best first. Undefined: nobody has found out. */
  readonly askModes?: readonly string[];
  /** Variables that make it ask, for an agent that has no mode for it. A person's own value stays. */
  readonly askVariables?: Readonly<Record<string, string>>;
  /** Variables that it always gets. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The arguments of its program that log in. Empty: its own screen does. */
  readonly login?: readonly string[];
  /** Any of these variables stands for a login. */
  readonly keys?: readonly string[];
  /** Where it keeps a login, if there is one. */
  readonly loginFile?: LoginFile;
  /** What people should know before they choose it. */
  readonly note?: string;
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** It was run at this version, so `--install` takes it. */
  readonly verified?: true;
  /**
   * Packages with the program for one kind of machine, the best first, as `{system}-{arch}`. Set where the program of
   * the package itself is put in place by an install script, which is not run.
   */
  readonly binaries?: readonly string[];
}

interface LoginFile {
  /** The variable that names the folder, if a person moved it. */
  readonly folderVariable?: string;
  /** The folder below HOME. */
  readonly folder: string;
  readonly file: string;
  /** It may also keep the login elsewhere, or need none: without the file nothing is known. */
  readonly elsewhereToo?: true;
}

export const KNOWN_AGENTS: readonly KnownAgent[] = [
  {
    id: 'claude',
    name: 'Claude Code',
    program: 'claude-agent-acp',
    args: [],
    npm: { name: '@agentclientprotocol/claude-agent-acp', version: '0.101.0', verified: true },
    nodeMin: '22.0.0',
    // It starts in `auto`, which runs commands without asking.
    askModes: ['default'],
    login: ['--cli', 'auth', 'login', '--claudeai'],
    keys: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
    loginFile: {
      folderVariable: 'CLAUDE_CONFIG_DIR',
      folder: '.claude',
      file: '.credentials.json',
    },
  },
  {
    id: 'codex',
    name: 'Codex',
    program: 'codex-acp',
    args: [],
    npm: { name: '@agentclientprotocol/codex-acp', version: '2.6.0', verified: true },
    // In `workspace-write` it changes files in the folder without asking.
    askModes: ['read-only', 'workspace-write'],
    login: ['cli', 'login', '--device-auth'],
    keys: ['CODEX_API_KEY', 'OPENAI_API_KEY'],
    loginFile: { folderVariable: 'CODEX_HOME', folder: '.codex', file: 'auth.json' },
    note: 'A refusal ends its turn.',
  },
  {
    id: 'gemini',
    name: 'Gemini CLI',
    program: 'gemini',
    args: ['--acp'],
    npm: { name: '@google/gemini-cli', version: '0.61.0', verified: true },
    nodeMin: '20.0.0',
    askModes: ['default'],
    login: [],
    keys: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    loginFile: { folder: '.gemini', file: 'oauth_creds.json', elsewhereToo: true },
    note: 'It needs about ten seconds to start.',
  },
  {
    id: 'opencode',
    name: 'OpenCode',
    program: 'opencode',
    args: ['acp'],
    npm: {
      name: 'opencode-ai',
      version: '1.18.33',
      verified: true,
      binaries: [
        'opencode-{system}-{arch}',
        'opencode-{system}-{arch}-baseline',
        'opencode-{system}-{arch}-musl',
        'opencode-{system}-{arch}-baseline-musl',
      ],
    },
    // Its modes say what kind of work it does. What it asks about is a matter of its configuration.
    askModes: ['build'],
    askVariables: {
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        permission: { edit: 'ask', bash: 'ask', webfetch: 'ask', external_directory: 'ask' },
      }),
    },
    login: ['auth', 'login'],
    keys: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY'],
    loginFile: {
      folder: '.local/share/opencode',
      file: 'auth.json',
      elsewhereToo: true,
    },
    note: 'Without a network it stays silent.',
  },
  {
    id: 'copilot',
    name: 'GitHub Copilot CLI',
    program: 'copilot',
    args: ['--acp', '--stdio'],
    npm: { name: '@github/copilot', version: '1.0.102', verified: true },
    login: ['login'],
    keys: ['COPILOT_GITHUB_TOKEN', 'GH_TOKEN', 'GITHUB_TOKEN'],
  },
  {
    id: 'qwen',
    name: 'Qwen Code',
    program: 'qwen',
    args: ['--acp'],
    npm: { name: '@qwen-code/qwen-code', version: '0.15.10', verified: true },
    nodeMin: '20.0.0',
    askModes: ['default'],
    login: [],
    keys: ['OPENAI_API_KEY', 'DASHSCOPE_API_KEY'],
    loginFile: { folder: '.qwen', file: 'oauth_creds.json', elsewhereToo: true },
  },
  {
    id: 'kimi',
    name: 'Kimi Code',
    program: 'kimi',
    args: ['acp'],
    npm: { name: '@moonshot-ai/kimi-code', version: '2.1.0', verified: true },
    nodeMin: '22.19.0',
    login: ['login'],
    note: 'It reads keys from its config.toml, not from variables.',
  },
  {
    id: 'cursor',
    name: 'Cursor CLI',
    program: 'cursor-agent',
    args: ['acp'],
    home: 'https://cursor.com/docs/cli',
    login: ['login'],
    keys: ['CURSOR_API_KEY'],
  },
  {
    id: 'qoder',
    name: 'Qoder CLI',
    program: 'qodercli',
    args: ['--acp'],
    npm: { name: '@qoder-ai/qodercli', version: '1.1.52' },
    nodeMin: '20.0.0',
    login: [],
  },
  {
    id: 'droid',
    name: 'Factory Droid',
    program: 'droid',
    args: ['exec', '--output-format', 'acp'],
    login: [],
    keys: ['FACTORY_API_KEY'],
  },
  {
    id: 'kilocode',
    name: 'Kilo Code',
    program: 'kilo',
    args: ['acp'],
    npm: { name: '@kilocode/cli', version: '7.8.1' },
    login: ['auth', 'login'],
  },
  {
    id: 'cline',
    name: 'Cline',
    program: 'cline',
    args: ['--acp'],
    npm: { name: 'cline', version: '3.0.65' },
    login: ['auth'],
  },
  {
    id: 'iflow',
    name: 'iFlow CLI',
    program: 'iflow',
    args: ['--experimental-acp'],
    login: [],
  },
  {
    id: 'pi',
    name: 'Pi',
    program: 'pi-acp',
    args: [],
    npm: { name: 'pi-acp', version: '0.0.34' },
    nodeMin: '20.0.0',
    needs: 'pi',
  },
  { id: 'openclaw', name: 'OpenClaw', program: 'openclaw', args: ['acp'] },
  { id: 'devin', name: 'Devin', program: 'devin', args: ['acp'] },
  { id: 'grok-build', name: 'Grok Build', program: 'grok', args: ['agent', 'stdio'] },
  { id: 'junie', name: 'JetBrains Junie', program: 'junie', args: ['--acp=true'] },
  { id: 'kiro', name: 'Kiro CLI', program: 'kiro-cli-chat', args: ['acp'] },
  { id: 'trae', name: 'Trae', program: 'traecli', args: ['acp', 'serve'] },
  { id: 'goose', name: 'goose', program: 'goose', args: ['acp'], login: ['configure'] },
  {
    id: 'auggie',
    name: 'Auggie (Augment Code)',
    program: 'auggie',
    args: ['--acp'],
    npm: { name: '@augmentcode/auggie', version: '0.36.0' },
    nodeMin: '20.0.0',
    variables: { AUGMENT_DISABLE_AUTO_UPDATE: '1' },
    login: ['login'],
  },
  {
    id: 'mistral-vibe',
    name: 'Mistral Vibe',
    program: 'vibe-acp',
    args: [],
    keys: ['MISTRAL_API_KEY'],
  },
  { id: 'cagent', name: 'cagent', program: 'cagent', args: ['acp'] },
  { id: 'stakpak', name: 'Stakpak', program: 'stakpak', args: ['acp'] },
];

export function knownAgent(id: string | undefined): KnownAgent | undefined {
  return KNOWN_AGENTS.find((agent) => agent.id === id);
}

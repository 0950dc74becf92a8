/** The files in .github: they can be read, name what exists, and may do no more than they need. */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, textOf } from './documents.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<
    Record<string, { readonly 'timeout-minutes'?: number; readonly steps: readonly Step[] }>
  >;
}

interface Element {
  readonly type: string;
  readonly id?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly validations?: { readonly required?: boolean };
}

interface Form {
  readonly name?: string;
  readonly description?: string;
  readonly body: readonly Element[];
}

// It has no types of its own.
const { load } = createRequire(import.meta.url)('js-yaml') as { load: (text: string) => unknown };
const yaml = (path: string) => load(textOf(path));

const WORKFLOWS = readdirSync(join(ROOT, '.github/workflows')).map(
  (name) => `.github/workflows/${name}`,
);
const FORMS = [
  '.github/ISSUE_TEMPLATE/bug.yml',
  '.github/ISSUE_TEMPLATE/feature.yml',
  '.github/DISCUSSION_TEMPLATE/q-a.yml',
];

test('some workflow runs .ci/run', () => {
  const runs = WORKFLOWS.flatMap((path) => Object.values((yaml(path) as Workflow).jobs)).flatMap(
    ({ steps }) => steps.map(({ run }) => run),
  );
  expect(runs).toContain('.ci/run');
});

test.each(WORKFLOWS)('%s reads only, keeps no token, ends, and pins its actions', (path) => {
  const { permissions, jobs } = yaml(path) as Workflow;
  expect(permissions).toEqual({ contents: 'read' });
  // What a title or a branch says must not become a command.
  expect(textOf(path)).not.toMatch(/run:.*\$\{\{/);
  for (const { steps, 'timeout-minutes': minutes } of Object.values(jobs)) {
    expect(minutes).toBeGreaterThan(0);
    for (const { uses, run, with: options } of steps) {
      expect([uses, run].filter((one) => one !== undefined)).toHaveLength(1);
      if (uses !== undefined) expect(uses).toMatch(/^actions\/[a-z-]+@v\d+$/);
      if (uses?.startsWith('actions/checkout@') === true) {
        expect(options).toMatchObject({ 'persist-credentials': false });
      }
      for (const file of run?.match(/(?<=-f )\S+|(?:^|(?<= ))\.[\w/-]+/g) ?? []) {
        expect(existsSync(join(ROOT, file)), file).toBe(true);
      }
    }
  }
});

test('the tests run on the oldest Node that we support', () => {
  const { jobs } = yaml('.github/workflows/ci.yml') as Workflow;
  const setup = jobs['tests']?.steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'));
  const { engines } = JSON.parse(textOf('package.json')) as { engines: { node: string } };
  expect(engines.node).toBe(`>=${String(setup?.with?.['node-version'])}.0`);
  expect(existsSync(join(ROOT, String(setup?.with?.['cache-dependency-path'])))).toBe(true);
});

test.each(FORMS)('%s is a form of GitHub', (path) => {
  const { name, description, body } = yaml(path) as Form;
  if (path.includes('ISSUE'))
    expect([typeof name, typeof description]).toEqual(['string', 'string']);
  const ids = body.flatMap(({ id }) => id ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  expect(body.some(({ validations }) => validations?.required === true)).toBe(true);
  for (const { type, attributes } of body) {
    expect(['markdown', 'textarea', 'input', 'dropdown', 'checkboxes']).toContain(type);
    expect(typeof attributes[type === 'markdown' ? 'value' : 'label']).toBe('string');
  }
});

test('a report of a bug comes with what the doctor says, and without what nobody may read', () => {
  const text = textOf('.github/ISSUE_TEMPLATE/bug.yml');
  expect(text).toContain('lark-bridge doctor --json');
  for (const path of text.match(/\bdocs\/[\w.-]+\.md|\b[A-Z]+\.md/g) ?? []) {
    expect(existsSync(join(ROOT, path)), path).toBe(true);
  }
});

test('what dependabot watches is here, and what it must leave alone is a dependency', () => {
  const { updates } = yaml('.github/dependabot.yml') as {
    updates: {
      'package-ecosystem': string;
      directory: string;
      ignore?: { 'dependency-name': string }[];
    }[];
  };
  const files: Readonly<Record<string, string>> = {
    npm: 'package.json',
    'github-actions': '.github/workflows',
    docker: 'Dockerfile',
  };
  for (const { 'package-ecosystem': kind } of updates) {
    expect(existsSync(join(ROOT, files[kind] ?? 'none')), kind).toBe(true);
  }
  const { dependencies, devDependencies } = JSON.parse(textOf('package.json')) as Record<
    string,
    Record<string, string>
  >;
  const names = updates.flatMap(({ ignore = [] }) => ignore.map((one) => one['dependency-name']));
  expect(names.filter((name) => !(name in { ...dependencies, ...devDependencies }))).toEqual([]);
});

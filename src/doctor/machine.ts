/** This machine: Node.js, and the folder with everything that the bridge keeps. */
import { accessSync, constants, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from '../core/errors.ts';
import { inEveryLanguage, type Text } from '../core/language.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

/** With less, the journal of a busy week may not fit. */
const DOCTOR_FREE_BYTES_LOW = 200 * 1024 * 1024;
/** With less, a commit may fail at any moment. */
const DOCTOR_FREE_BYTES_NONE = 10 * 1024 * 1024;

/** `wanted` has the form that package.json has: `>=20.19.0`. */
export function checkNode(version: string, wanted: string): Finding<Text> {
  const has = partsOf(version);
  const least = partsOf(wanted);
  const at = has.findIndex((part, index) => part !== least[index]);
  if (at < 0 || (has[at] ?? 0) > (least[at] ?? 0)) return ok('node', `Node.js ${version}.`);
  const finding = {
    en: `Node.js ${version} is too old.`,
    zh: `Node.js ${version} 的版本太旧。`,
  };
  return problem('node', finding, {
    reason: `lark-bridge needs Node.js ${wanted.replace('>=', '')} or newer.`,
    next: {
      en: 'Install a newer one, as from https://nodejs.org.',
      zh: '请安装更新的版本，例如从 https://nodejs.org 下载。',
    },
    error: 'failed',
  });
}

function partsOf(version: string): number[] {
  return (/\d+\.\d+\.\d+/.exec(version)?.[0] ?? '').split('.').map(Number);
}

export type StateDirectory =
  | { readonly kind: 'missing'; readonly canBeMade: boolean }
  | { readonly kind: 'unusable'; readonly detail: Text }
  | {
      readonly kind: 'there';
      readonly isWritable: boolean;
      readonly isOurs: boolean;
      /** Other users may read the folder. */
      readonly isOpen: boolean;
      /** Files with secrets or messages whose rights let other users read them. */
      readonly openFiles: readonly string[];
      readonly freeBytes: number;
    };

/** Files that no other user may read. */
const PRIVATE_FILE =
  /^(?:credentials\.json|config\.json|provision-token|workspace-token\.json|bridge\.db(?:-wal)?)$/;
const OTHERS = 0o077;

const NO_FOLDER: Text = { en: 'it is not a folder', zh: '它不是文件夹' };

export function readStateDirectory(path: string): StateDirectory {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return { kind: 'missing', canBeMade: canBeMade(path) };
    if (!stat.isDirectory()) return { kind: 'unusable', detail: NO_FOLDER };
    const files = readdirSync(path).filter((name) => PRIVATE_FILE.test(name));
    const { bavail, bsize } = statfsSync(path);
    return {
      kind: 'there',
      isWritable: isWritable(path),
      isOurs: process.getuid === undefined || stat.uid === process.getuid(),
      isOpen: isOpenToOthers(stat.mode),
      openFiles: files.filter((name) => isOpenToOthers(statSync(join(path, name)).mode)),
      freeBytes: bavail * bsize,
    };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { kind: 'unusable', detail: inEveryLanguage(error.message) };
  }
}

/** On Windows the mode says nothing about rights. */
function isOpenToOthers(mode: number): boolean {
  return process.platform !== 'win32' && (mode & OTHERS) !== 0;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

function canBeMade(path: string): boolean {
  const parent = dirname(path);
  if (statSync(parent, { throwIfNoEntry: false }) !== undefined) return isWritable(parent);
  return parent !== path && canBeMade(parent);
}

const CHECK = 'state_directory';
const ELSEWHERE: Text = {
  en: 'or choose another with --state-dir',
  zh: '或用 --state-dir 选择另一个文件夹',
};

export function checkStateDirectory(path: string, fact: StateDirectory): Finding<Text>[] {
  switch (fact.kind) {
    case 'missing':
      if (fact.canBeMade) {
        return [
          note(CHECK, `${path} does not exist yet.`, { reason: 'The first start creates it.' }),
        ];
      }
      return [
        unusable({
          en: `${path} does not exist, and can't be created.`,
          zh: `${path} 不存在，也无法创建。`,
        }),
      ];
    case 'unusable':
      return [
        unusable({
          en: `${path} can't be used: ${fact.detail.en}.`,
          zh: `${path} 无法使用：${fact.detail.zh}。`,
        }),
      ];
    case 'there': {
      const found = [...rightsOf(path, fact), ...spaceOf(path, fact.freeBytes)];
      return found.length > 0
        ? found
        : [ok(CHECK, `${path} is closed to other users and has free space.`)];
    }
  }
}

function unusable(finding: Text): Finding<Text> {
  return problem(CHECK, finding, {
    reason: 'Credentials, settings and every message are kept there.',
    next: {
      en: `Correct the rights of the folder, ${ELSEWHERE.en}.`,
      zh: `请修改这个文件夹的权限，${ELSEWHERE.zh}。`,
    },
    error: 'store_unavailable',
  });
}

type There = Extract<StateDirectory, { kind: 'there' }>;

function rightsOf(path: string, { isWritable: writable, isOurs, isOpen, openFiles }: There) {
  const found: Finding<Text>[] = [];
  if (!writable) {
    found.push(unusable({ en: `${path} can't be written to.`, zh: `${path} 无法写入。` }));
  } else if (!isOurs) {
    found.push(
      warning(
        CHECK,
        { en: `${path} belongs to another user.`, zh: `${path} 属于另一个用户。` },
        {
          reason: 'The other user may not be able to read the files that this user creates there.',
          next: {
            en: 'Run lark-bridge as the user who owns the folder.',
            zh: '请以这个文件夹的所有者运行 lark-bridge。',
          },
        },
      ),
    );
  }
  const open = [...(isOpen ? [path] : []), ...openFiles.map((name) => join(path, name))];
  if (open.length > 0) {
    const command = `chmod go= ${open.join(' ')}`;
    const finding = {
      en: `Other users may read ${open.join(', ')}.`,
      zh: `其他用户可以读取 ${open.join('、')}。`,
    };
    found.push(
      warning(CHECK, finding, {
        reason: 'The app secret, tokens and messages are stored there.',
        next: {
          en: `Remove the rights of other users: ${command}`,
          zh: `请去掉其他用户的权限：${command}`,
        },
      }),
    );
  }
  return found;
}

function spaceOf(path: string, freeBytes: number): Finding<Text>[] {
  if (freeBytes >= DOCTOR_FREE_BYTES_LOW) return [];
  const free = Math.floor(freeBytes / 1024 ** 2);
  const finding = {
    en: `The disk of ${path} has ${free} MB left.`,
    zh: `${path} 所在的磁盘只剩 ${free} MB。`,
  };
  const advice = {
    reason: 'When it is full, no message is taken. Lark delivers them again for some hours.',
    next: { en: `Make room, ${ELSEWHERE.en}.`, zh: `请腾出空间，${ELSEWHERE.zh}。` },
  };
  return freeBytes < DOCTOR_FREE_BYTES_NONE
    ? [problem(CHECK, finding, { ...advice, error: 'store_unavailable' })]
    : [warning(CHECK, finding, advice)];
}

/**
 * Loaded before the program with `--import`: a keyring in place of the package that need not be installed. It keeps
 * its secrets in the file KEYRING_FILE, and is locked while there is KEYRING_LOCKED.
 */
import { register } from 'node:module';

const source = `
  import { existsSync, readFileSync, writeFileSync } from 'node:fs';
  const { KEYRING_FILE: file, KEYRING_LOCKED: locked } = process.env;
  const all = () => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});
  export class Entry {
    constructor(service, name, options) {
      if (locked) throw new Error('the collection is locked');
      this.key = [service, name, options.linux.store].join(' ');
    }
    getPassword() {
      return all()[this.key] ?? null;
    }
    setPassword(password) {
      writeFileSync(file, JSON.stringify({ ...all(), [this.key]: password }));
    }
    deletePassword() {
      const { [this.key]: found, ...others } = all();
      writeFileSync(file, JSON.stringify(others));
      return found !== undefined;
    }
  }
`;
const url = `data:text/javascript,${encodeURIComponent(source)}`;
const hooks = `
  export const resolve = (name, context, next) =>
    name === '@napi-rs/keyring'
      ? { url: ${JSON.stringify(url)}, shortCircuit: true }
      : next(name, context);
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

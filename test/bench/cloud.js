/** The simulator in a process of its own, as the scenarios hold it. See `cloud-process.js`. */
import { fork } from 'node:child_process';
import { cpuUs } from './processes.js';

export class Cloud {
  #child;
  #calls = new Map();
  #number = 0;

  static async start(options = {}) {
    const cloud = new Cloud();
    cloud.#child = fork(new URL('cloud-process.js', import.meta.url));
    cloud.#child.on('message', (answer) => cloud.#answered(answer));
    cloud.#child.on('exit', (code) => cloud.#ended(code));
    cloud.url = await cloud.call('start', options);
    return cloud;
  }

  /** Runs a method of the `Load` in that process. */
  call(method, ...args) {
    return new Promise((resolve, reject) => {
      this.#number += 1;
      this.#calls.set(this.#number, { resolve, reject });
      this.#child.send({ number: this.#number, method, args });
    });
  }

  cpuUs() {
    return cpuUs(this.#child.pid);
  }

  async stop() {
    await this.call('stop');
    this.#child.disconnect();
  }

  #answered({ number, value, error }) {
    const { resolve, reject } = this.#calls.get(number);
    this.#calls.delete(number);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  }

  #ended(code) {
    for (const { reject } of this.#calls.values()) {
      reject(new Error(`the simulator's process ended with ${code}`));
    }
  }
}

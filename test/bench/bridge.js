/** The program as built and as users run it: `lark-bridge run` with its own folder, on the simulator. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fsyncsIn, fsyncTracer, Program, tracedPid } from './processes.js';

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');
const RUN = [BIN, 'run', '--json'];
const LIMIT_SDK = join(import.meta.dirname, 'limit-sdk.js');

/** A home folder, an app at the simulator, and the programs that run with them. */
export class Site {
  home = mkdtempSync(join(tmpdir(), 'lark-bridge-bench-'));
  app;
  #cloud;

  static async open(cloud) {
    const site = new Site();
    site.#cloud = cloud;
    site.app = await cloud.call('addApp');
    return site;
  }

  /** Opens a site, hands it to `work` and clears it away. */
  static async with(cloud, work) {
    const site = await Site.open(cloud);
    try {
      return await work(site);
    } finally {
      rmSync(site.home, { recursive: true, force: true });
    }
  }

  get env() {
    return {
      PATH: process.env.PATH,
      HOME: this.home,
      NO_PROXY: '127.0.0.1',
      LARK_CHANNEL_STATE_DIR: join(this.home, 'state'),
      LARK_APP_ID: this.app.appId,
      LARK_APP_SECRET: this.app.appSecret,
      LARK_OPEN_BASE_URL: this.#cloud.url.open,
      LARK_PORT: '0',
      // By default nobody but the owner is answered.
      LARK_BRIDGE_ACCESS: 'open',
      // Lifted at the simulator too; with them a bot answers 1,000 times a minute and no more.
      LARK_BRIDGE_CALL_LIMITS: 'off',
    };
  }

  /** The bridge on the hub of the bench, whose agent can be watched and slowed down. */
  get remoteEnv() {
    return {
      PLATFORM_URL: this.#cloud.url.hub,
      WORKSPACE_ID: 'bench',
      MOLECULE_WORKSPACE_TOKEN: 'bench-token',
      MOLECULE_TARGET_WORKSPACE_ID: 'agent',
    };
  }

  get log() {
    return join(this.home, 'log');
  }

  async run({ env = {}, node = [], tracer } = {}) {
    const options = { env: { ...this.env, ...env }, log: this.log, tracer };
    const program = await Program.start([...node, ...RUN], options);
    await this.#cloud.call('online', this.app.appId);
    return program;
  }

  async runSdk() {
    const program = await Program.start([LIMIT_SDK], { env: this.env, log: this.log });
    await this.#cloud.call('online', this.app.appId);
    return program;
  }

  /** Starts the bridge, does `work`, stops it; returns the fsyncs, or nothing where strace is missing. */
  async fsyncsOf(work, env = {}) {
    const table = join(this.home, 'strace');
    const tracer = fsyncTracer(table);
    if (tracer === undefined) return undefined;
    const traced = await this.run({ env, tracer });
    await work();
    process.kill(tracedPid(traced.pid), 'SIGTERM');
    await traced.ended;
    return fsyncsIn(table);
  }

  command(...words) {
    const { status, stderr } = spawnSync(process.execPath, [BIN, ...words], { env: this.env });
    if (status !== 0) throw new Error(String(stderr));
  }
}

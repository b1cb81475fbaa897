// The example server as a process: started, killed without warning, started again on the same files and port.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const READY = /listening on (http:\/\/\S+)/;

export class Server {
  #folder;
  #child;
  #flags;
  /** Where it listens, kept across restarts: the origin is part of every token. */
  origin;

  static async start(flags = []) {
    const server = new Server();
    server.#flags = flags;
    server.#folder = await mkdtemp(join(tmpdir(), 'countersign-browser-'));
    await server.#spawn('127.0.0.1:0');
    return server;
  }

  /** kill -9: nothing is flushed, nobody is told. */
  async crash() {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async startAgain(flags = this.#flags) {
    this.#flags = flags;
    await this.#spawn(new URL(this.origin).host);
  }

  async remove() {
    await this.crash();
    await rm(this.#folder, { recursive: true });
  }

  async #spawn(listen) {
    const files = ['--registry', `file:${join(this.#folder, 'registry.redb')}`, '--keys', join(this.#folder, 'keys.json')];
    this.#child = spawn(program(), ['--listen', listen, ...files, ...this.#flags], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { RUST_LOG: 'warn', ...process.env },
    });
    this.origin = await this.#ready();
  }

  #ready() {
    return new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => reject(new Error(`the server ended at start: ${code ?? signal}`)));
      // Reads on after the line, too: a full pipe would stop the server.
      createInterface(this.#child.stdout).on('line', (line) => {
        const found = READY.exec(line);
        if (found) resolve(found[1]);
      });
    });
  }
}

function program() {
  const named = process.env.COUNTERSIGN_SPA;
  const built = ['debug', 'release'].map((profile) => `../../target/${profile}/countersign-example-spa`);
  const found = named ?? built.map((path) => join(import.meta.dirname, path)).find(existsSync);
  if (!found || !existsSync(found)) {
    throw new Error(`no example server at ${named ?? built}: run \`cargo build -p countersign-example-spa\``);
  }
  return found;
}

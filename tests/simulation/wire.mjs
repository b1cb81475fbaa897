// The real connection between the simulated network and the real server: HTTP/1.1, kept alive, one request at a time.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The server of all worlds, as a process that ends with this one. */
export class SimulationServer {
  #child;
  #address;

  static async start() {
    const server = new SimulationServer();
    server.#child = spawn(program(), { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface(server.#child.stdout);
    server.#address = await new Promise((resolve, reject) => {
      server.#child.once('error', reject);
      server.#child.once('exit', (code) => reject(new Error(`the server ended at start: ${code}`)));
      lines.once('line', (line) => resolve(new URL(/http:\/\/\S+/.exec(line)[0])));
    });
    return server;
  }

  open() {
    return new Wire(this.#address);
  }

  stop() {
    this.#child.stdin.end();
  }
}

/** One connection. */
export class Wire {
  #socket;
  #received = Buffer.alloc(0);
  #waiting = null;

  constructor(address) {
    this.#socket = connect({ host: address.hostname, port: Number(address.port), noDelay: true });
    this.#socket.on('data', (data) => this.#hear(data));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** Sends a request and waits for its answer: `{status, headers: [[name, value]…], body}`. */
  exchange(method, target, headers, body = '') {
    if (this.#waiting) throw new Error('one request at a time');
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const length = Buffer.byteLength(body);
    if (length > 0 || method !== 'GET') lines.push(`content-length: ${length}\r\n`);
    const answered = new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#socket.write(`${method} ${target} HTTP/1.1\r\nhost: shop.test\r\n${lines.join('')}\r\n${body}`);
    return answered;
  }

  close() {
    this.#waiting = null;
    this.#socket.destroy();
  }

  #hear(data) {
    this.#received = this.#received.length ? Buffer.concat([this.#received, data]) : data;
    const answer = parse(this.#received);
    if (!answer) return;
    this.#received = this.#received.subarray(answer.size);
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(answer);
  }

  #fail(error) {
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}

/** The answer at the start of the bytes, if it is all there. Of a body without a length (a stream), only the head. */
function parse(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [first, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const length = Number(headers.find(([name]) => name === 'content-length')?.[1] ?? 0);
  const size = end + 4 + length;
  if (bytes.length < size) return null;
  return { status: Number(first.split(' ')[1]), headers, body: bytes.toString('utf8', end + 4, size), size };
}

function program() {
  const named = process.env.COUNTERSIGN_SIM;
  const found = named ?? join(import.meta.dirname, '../../target/debug/countersign-sim');
  if (!existsSync(found)) throw new Error(`no server at ${found}: run \`cargo build -p countersign-tests --bins\``);
  return found;
}

// The network between browser and server, when it is not at its best: a small proxy that can lose, hold, replace and
// count what passes. Without orders it passes everything on as it is, streams included.

import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { PATIENCE_MS } from './patience.mjs';

export class Weather {
  #server;
  #upstream;
  #fates = [];
  #watchers = new Set();
  #port = 0;
  /** Every request that arrived: `what` is "METHOD /path"; `status` is there once it was answered. */
  seen = [];

  static async start() {
    const weather = new Weather();
    await weather.clear();
    return weather;
  }

  /** Where the browser goes: kept while the network is gone. */
  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Requests go to this server from now on. */
  leadTo(origin) {
    this.#upstream = new URL(origin);
  }

  /**
   * What happens to the next requests (or all) of this method and path, in the order in which it was ordered.
   * A standing order outlives this weather.
   */
  order(what, fate, { times = Infinity, who = () => true, standing = false } = {}) {
    const ordered = { what, fate, times, who, standing };
    this.#fates.push(ordered);
    return { cancel: () => { ordered.times = 0; } };
  }

  /** From here on the network is as it should be. */
  async clear() {
    this.#fates = this.#fates.filter(({ standing }) => standing);
    if (this.#server) return;
    this.#server = createServer((request, response) => this.#pass(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = this.#server.address().port;
  }

  /** Cuts every connection, and refuses new ones. */
  async gone() {
    const closed = this.#server && once(this.#server, 'close');
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = undefined;
    await closed;
  }

  of(what) {
    return this.seen.filter((exchange) => exchange.what === what);
  }

  count(what) {
    return this.of(what).length;
  }

  /** The next request of this method and path to arrive, or to end. */
  next(what, moment = 'arrived') {
    return new Promise((resolve, reject) => {
      const tooLong = setTimeout(() => reject(new Error(`no ${what} has ${moment}`)), PATIENCE_MS);
      const watch = (happened, exchange) => {
        if (happened !== moment || exchange.what !== what) return;
        clearTimeout(tooLong);
        this.#watchers.delete(watch);
        resolve(exchange);
      };
      this.#watchers.add(watch);
    });
  }

  async #pass(request, response) {
    const exchange = new Exchange(request, response, this.#upstream);
    this.seen.push(exchange);
    this.#tell('arrived', exchange);
    response.once('close', () => {
      exchange.ended = Date.now();
      this.#tell('ended', exchange);
    });
    const ordered = this.#fates.find(({ what, times, who }) => times > 0 && what === exchange.what && who(exchange));
    if (ordered) ordered.times -= 1;
    // A server that is not there is bad weather too: the browser must see a broken connection, not a crashed proxy.
    await (ordered?.fate ?? passed)(exchange).catch(() => exchange.hangUp());
  }

  #tell(moment, exchange) {
    for (const watch of this.#watchers) watch(moment, exchange);
  }
}

/** One request and what becomes of it. */
export class Exchange {
  #request;
  #response;
  #upstream;
  arrived = Date.now();
  ended;
  status;

  constructor(request, response, upstream) {
    this.#request = request;
    this.#response = response;
    this.#upstream = upstream;
    this.url = request.url;
    this.what = `${request.method} ${request.url.split('?')[0]}`;
    this.headers = request.headers;
  }

  /** The server's answer as it comes in. */
  async open() {
    const { method, url, headers } = this.#request;
    const upward = ask({ host: this.#upstream.hostname, port: this.#upstream.port, method, path: url, headers });
    // Whoever leaves, the other side hears of it: a closed tab ends its stream at the server.
    this.#response.once('close', () => upward.destroy());
    // Once the answer has begun, that it broke off is told by the answer.
    upward.on('error', () => {});
    this.#request.pipe(upward);
    const [answer] = await once(upward, 'response');
    return answer;
  }

  /** Carries the request out, and reads all of the answer. */
  async ask() {
    const answer = await this.open();
    return { status: answer.statusCode, headers: answer.headers, body: await buffer(answer) };
  }

  reply({ status, headers = {}, body = '' }) {
    this.#head(status, headers);
    this.#response.end(body);
  }

  /** Passes an answer on as it comes in, after these words of our own. */
  async stream(answer, before = '') {
    this.#head(answer.statusCode, answer.headers);
    this.#response.flushHeaders();
    if (before) this.#response.write(before);
    answer.pipe(this.#response);
    await Promise.race([once(answer, 'close'), once(this.#response, 'close')]);
    // An answer that broke off must not look like one that came to its end.
    if (!answer.complete) this.hangUp();
  }

  hangUp() {
    // A reset, not a mere end: nobody may take what came so far for all of it.
    this.#response.socket?.resetAndDestroy();
  }

  #head(status, headers) {
    this.status = status;
    const { connection, 'keep-alive': _, 'transfer-encoding': __, ...kept } = headers;
    // A browser repeats a request by itself if a connection that it used before breaks: it may use each only once.
    this.#response.writeHead(status, { ...kept, connection: 'close' });
  }
}

const passed = async (exchange) => exchange.stream(await exchange.open());

/** The server has done it, and nobody hears of it. */
export const answerLost = async (exchange) => {
  await exchange.ask();
  exchange.hangUp();
};

/** It never reached the server. */
export const requestLost = async (exchange) => exchange.hangUp();

/** A page of some machine on the way, which speaks no JSON. */
export const badGateway = async (exchange) => exchange.reply({
  status: 502,
  headers: { 'content-type': 'text/html' },
  body: '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>',
});

export const replaced = (answer) => async (exchange) => exchange.reply(answer);

/** The server's answer, changed on its way. */
export const rewritten = (change) => async (exchange) => {
  const answer = await exchange.ask();
  const { 'content-length': _, ...headers } = answer.headers;
  exchange.reply({ ...answer, headers, ...await change({ ...answer, headers }) });
};

/** The server has done it, and the answer waits until it is let go. */
export const answerHeld = (gate) => async (exchange) => {
  const answer = await exchange.ask();
  await gate.opened;
  exchange.reply(answer);
};

/** Something that opens once. */
export function closedGate() {
  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  return { open, opened };
}

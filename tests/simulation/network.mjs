// The network between browsers and the server: it delays, drops, repeats and reorders; proxies answer in its stead.
//
// One rule of the design is its limit (see design.md, Rotation): a request is under way for less than 0.55 of the race
// window A. An answer may take any time, since a client gives its exchange up after A/3.

import { openStream } from './stream.mjs';

const PROXY_PAGE = '<!doctype html><title>Bad Gateway</title><h1>502 Bad Gateway</h1><hr>nginx';
const PORTAL_PAGE = '<!doctype html><title>Welcome to our Wi-Fi</title><form>Please accept our terms</form>';

/** What may become of a request in each weather, and how often. */
const FATES = {
  fine: { carried: 1 },
  lossy: { carried: 8, requestLost: 3, answerLost: 3, reset: 2, repeated: 2, slow: 3 },
  slow: { slow: 5, carried: 1, repeated: 1 },
  refused: { reset: 1 },
  proxy: { badGateway: 4, badGatewayAfter: 1, overload: 2 },
  portal: { portal: 1 },
};

export class Network {
  #world;
  #chance;

  constructor(world, chance) {
    this.#world = world;
    this.#chance = chance;
  }

  /** `fetch` as a tab sees it. */
  async fetch(tab, input, init = {}) {
    const request = await read(tab, input, init);
    request.signal?.throwIfAborted();
    if (!tab.browser.isOnline) throw new TypeError('Failed to fetch');
    return new Promise((resolve, reject) => new Exchange(this.#world, this.#chance, request, resolve, reject).depart());
  }
}

/** What leaves the browser, with the cookies of this moment. */
async function read(tab, input, init) {
  const isRequest = typeof input === 'object' && 'url' in input;
  const of = isRequest ? new Request(input, init) : null;
  const url = new URL(isRequest ? of.url : input, 'https://shop.test/');
  const headers = Object.fromEntries(new Headers(isRequest ? of.headers : init.headers));
  const body = isRequest ? await of.text() : (init.body ?? '');
  if (typeof body !== 'string') throw new TypeError('only texts travel in the simulation');
  const { browser } = tab;
  const cookie = browser.jar.header(browser.now());
  if (cookie) headers.cookie = cookie;
  headers['sec-fetch-site'] = 'same-origin';
  if (!isRequest && body && !headers['content-type']) headers['content-type'] = 'text/plain;charset=UTF-8';
  const method = (isRequest ? of.method : (init.method ?? 'GET')).toUpperCase();
  const signal = isRequest ? of.signal : init.signal;
  return { tab, method, departed: browser.world.scheduler.now, path: url.pathname, target: url.pathname + url.search, headers, body, signal };
}

/** One request and what becomes of it. */
class Exchange {
  #world;
  #chance;
  #request;
  #resolve;
  #reject;
  #state = 'open';
  #givenUpAt = -Infinity;

  constructor(world, chance, request, resolve, reject) {
    this.#world = world;
    this.#chance = chance;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  depart() {
    const { tab, signal } = this.#request;
    tab.underWay.add(this);
    signal?.addEventListener('abort', () => {
      this.#givenUpAt = this.#world.scheduler.now;
      this.#end(() => this.#reject(signal.reason));
    });
    const fate = this.#chance.weighted(FATES[this.#world.weather.of(tab.browser)]);
    this.#world.trace(tab, `${this.#request.method} ${this.#request.target}${fate === 'carried' ? '' : `: ${fate}`}`);
    this.#suffer(fate);
  }

  /** The browser lost its network, or slept. */
  cut() {
    this.#end(() => this.#reject(new TypeError('Failed to fetch')));
  }

  #suffer(fate) {
    const chance = this.#chance;
    const window = this.#world.wishes.race_window * 1000;
    const brief = () => chance.between(10, 150);
    const held = () => chance.between(100, 0.55 * window);
    switch (fate) {
      case 'carried':
        return this.#carry(brief(), brief());
      case 'slow':
        return this.#carry(chance.chance(0.5) ? held() : brief(), chance.chance(0.5) ? chance.between(100, 3 * window) : brief());
      case 'repeated':
        this.#carry(brief(), brief());
        return this.#carry(held(), brief());
      case 'requestLost':
        return this.#breakAfter(chance.between(100, 300_000));
      case 'reset':
        return this.#breakAfter(brief());
      case 'answerLost':
        this.#serveAfter(chance.chance(0.5) ? brief() : held(), () => {});
        return this.#breakAfter(chance.between(100, 300_000));
      case 'badGateway':
        return this.#answerAfter(brief(), page(502, PROXY_PAGE));
      case 'overload':
        return this.#answerAfter(brief(), page(503, PROXY_PAGE, chance.chance(0.5) ? [['retry-after', '5']] : []));
      case 'badGatewayAfter':
        this.#serveAfter(brief(), () => {});
        return this.#answerAfter(chance.between(150, 30_000), page(504, PROXY_PAGE));
      default:
        return this.#answerAfter(brief(), page(200, PORTAL_PAGE));
    }
  }

  #carry(there, back) {
    this.#serveAfter(there, (answer) => this.#answerAfter(back, answer));
  }

  /** The request reaches the server, unless it was given up before it left the browser. */
  #serveAfter(delay, then) {
    const { scheduler } = this.#world;
    const leaves = this.#chance.chance(0.5);
    scheduler.after(delay, async () => {
      if (this.#state === 'ended' && !leaves) return;
      if (this.#request.path === '/session/events') return this.#stream();
      const answer = await this.#world.serve(this.#request);
      then(answer);
    });
  }

  #answerAfter(delay, answer) {
    const { scheduler } = this.#world;
    scheduler.after(delay, () => this.#request.tab.browser.isAsleep || this.#arrive(answer));
  }

  #breakAfter(delay) {
    this.#world.scheduler.after(delay, () => this.cut());
  }

  #arrive(answer) {
    const { tab, path } = this.#request;
    const { now } = this.#world.scheduler;
    // An exchange that was given up this moment may still set its cookies.
    const justMissed = path.endsWith('/refresh') && now - this.#givenUpAt < 1000 && this.#chance.chance(0.3);
    if (this.#state === 'ended' && !justMissed) return;
    for (const [name, value] of answer.headers) {
      if (name === 'set-cookie') tab.browser.jar.receive(value, tab.browser.now());
    }
    this.#world.oracle.delivered(this.#request, answer);
    this.#end(() => this.#resolve(response(answer)));
  }

  async #stream() {
    // Some proxies hold back whatever does not end.
    if (!this.#world.carriesStreams) return;
    const answer = await this.#world.serve({ ...this.#request, target: '/session' });
    if (answer.status !== 200 || this.#state === 'ended') return this.#answerAfter(50, answer);
    const { tab, signal } = this.#request;
    this.#end(() => this.#resolve(openStream(this.#world, tab, signal)));
  }

  #end(settle) {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#request.tab.underWay.delete(this);
    this.#request.tab.now(settle);
  }
}

function page(status, text, headers = []) {
  return { status, headers: [['content-type', 'text/html'], ...headers], body: text };
}

/** An answer as a script sees it. */
function response({ status, headers, body }) {
  const visible = headers.filter(([name]) => name !== 'set-cookie' && !name.startsWith('sim-'));
  const isEmpty = status === 204 || status === 304;
  return new Response(isEmpty ? null : body, { status, headers: visible });
}

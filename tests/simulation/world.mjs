// One seed, lived through: a site, browsers, people, weather; and what the oracle says of it.

import { Browser } from './browser.mjs';
import { Network } from './network.mjs';
import { Oracle } from './oracle.mjs';
import { Person } from './person.mjs';
import { Random } from './random.mjs';
import { Scheduler } from './scheduler.mjs';
import { Weather } from './weather.mjs';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Within this, after the weather has cleared, every client has found its way back by itself. */
const RECOVERY = 5 * MINUTE;

export class World {
  seed;
  wishes;
  scheduler;
  chance;
  network;
  weather;
  oracle;
  /** Event streams that are open, and whether the way lets them through. */
  streams = new Set();
  carriesStreams;
  begun;
  requests = 0;
  /** Every update has a number of its own. */
  updates = 0;
  #server;
  #wire;
  #client;
  #id;
  #length;
  #browsers = [];
  #people = [];
  #lines = [];

  /** `client` is a module with `createSession`, and perhaps `loadDpop(tab)`. */
  constructor(seed, server, client) {
    this.seed = seed;
    this.#server = server;
    this.#client = client;
    this.chance = new Random(seed);
    this.wishes = wishes(this.chance);
    this.begun = this.wishes.start * SECOND;
    this.scheduler = new Scheduler(this.begun);
    this.network = new Network(this, this.chance.fork());
    this.#length = this.chance.between(0.4, 1.7) * HOUR;
    this.carriesStreams = this.chance.chance(0.4);
    this.weather = new Weather(this, this.chance.fork(), this.#length);
    this.oracle = new Oracle(this);
  }

  /** Lives, and returns the violations that were seen. */
  async live() {
    this.#wire = this.#server.open();
    try {
      const made = await this.#wire.exchange('POST', '/sim/worlds', {}, JSON.stringify(this.wishes));
      if (made.status !== 201) throw new Error(`no such world: ${made.status}`);
      this.#id = JSON.parse(made.body).world;
      this.#populate();
      this.weather.begin();
      for (const person of this.#people) person.begin();
      await this.scheduler.until(this.begun + this.#length);
      await this.#recover();
      await this.#control('DELETE', '');
    } finally {
      this.#wire.close();
      for (const browser of this.#browsers) for (const tab of browser.tabs) tab.session?.close();
    }
    return this.oracle.violations;
  }

  createSession(options) {
    return this.#client.createSession(options);
  }

  loadDpop(tab) {
    return this.#client.loadDpop(tab);
  }

  /** Lets the server answer a request, now. */
  async serve(request) {
    this.requests++;
    const headers = { ...request.headers, 'sim-world': this.#id, 'sim-time': Math.floor(this.scheduler.now) };
    const answer = await this.#wire.exchange(request.method, request.target, headers, request.body);
    const events = answer.headers.find(([name]) => name === 'sim-events')?.[1] ?? '[]';
    this.oracle.served(request, answer, JSON.parse(events));
    return answer;
  }

  failRegistry(fault) {
    return this.#control('POST', '/registry', JSON.stringify({ fault }));
  }

  trace(tab, text) {
    this.#lines.push([this.scheduler.now - this.begun, tab?.id ?? '', text]);
  }

  /** What happened, for people. */
  story() {
    return [`seed ${this.seed}: ${JSON.stringify(this.wishes)}`, ...this.#lines.map(told)].join('\n');
  }

  #control(method, path, body) {
    return this.#wire.exchange(method, `/sim/worlds/${this.#id}${path}`, {}, body);
  }

  #populate() {
    const { chance } = this;
    const browsers = chance.whole(1, 3);
    for (let index = 0; index < browsers; index++) {
      const browser = new Browser('ABC'[index], this, chance.fork(), traits(chance, this.wishes));
      browser.truth = { session: null };
      this.#browsers.push(browser);
      // Two devices of one person, now and then.
      const name = index > 0 && chance.chance(0.5) ? this.#people[0].name : `person-${index}`;
      this.#people.push(new Person(this, browser, name, chance.fork()));
    }
    this.trace(null, this.#browsers.map(({ id, traits: own }) => `${id} ${JSON.stringify(own)}`).join('  '));
  }

  /** The weather clears, everyone wakes up and does nothing; then each tab is asked whether it is well. */
  async #recover() {
    for (const person of this.#people) person.rest();
    await this.weather.clear();
    await this.scheduler.until(this.scheduler.now + RECOVERY);
    for (const browser of this.#browsers) for (const tab of browser.tabs) this.oracle.judgeRecovered(tab);
    for (const person of this.#people) person.lookEverywhere();
    await this.scheduler.until(this.scheduler.now + RECOVERY);
    for (const browser of this.#browsers) {
      this.oracle.judgeLogin(browser);
      for (const tab of browser.tabs) this.oracle.judgeFinally(tab);
    }
  }
}

function told([since, who, what]) {
  return `${new Date(since).toISOString().slice(11, 23)}  ${who.padEnd(3)} ${what}`;
}

/** The site of a world. */
function wishes(chance) {
  const isShort = chance.chance(0.2);
  const limit = chance.weighted({ none: 6, refuse: 1, 'end-least-recent': 1, 'end-oldest': 1, ask: 1 });
  const transport = chance.weighted({ cookies: 3, bearer: 2 });
  return {
    start: 1_800_000_000 + chance.whole(0, 86_400),
    transport,
    dpop: transport === 'bearer' && chance.chance(0.25),
    algorithm: chance.weighted({ HS256: 9, EdDSA: 1 }),
    access_ttl: Number(chance.weighted({ 300: 6, 60: 1, 120: 1, 900: 1 })) - chance.whole(0, 5),
    race_window: Number(chance.weighted({ 60: 6, 30: 1, 120: 1 })),
    idle: isShort ? 3600 : 86_400,
    lifetime: isShort ? 3 * 3600 : 14 * 86_400,
    dangling_after: 1800,
    ...(limit === 'none' ? {} : { user_limit: chance.whole(1, 3), on_full: limit }),
  };
}

/** A device of a world. */
function traits(chance, { lifetime }) {
  // A clock that jumps by hours makes a browser forget cookies that live for hours.
  const isSkewed = lifetime > 86_400 && chance.chance(0.3);
  return {
    locks: chance.chance(0.8),
    channel: chance.weighted({ open: 7, blocked: 1, missing: 1 }),
    skew: isSkewed ? Math.round(chance.between(-3, 3) * HOUR) : chance.whole(-2000, 2000),
    steps: isSkewed,
    timersSleep: chance.chance(0.7),
  };
}

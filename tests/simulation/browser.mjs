// One browser on one device: tabs that share cookies, locks and channels; it sleeps, loses its network, and has a
// clock of its own.

import { Jar } from './jar.mjs';
import { Locks } from './locks.mjs';
import { Tab } from './tab.mjs';

export class Browser {
  id;
  world;
  chance;
  /** `{locks, channel: 'open' | 'blocked' | 'missing', skew (ms), timersSleep}`. */
  traits;
  jar = new Jar();
  locks;
  tabs = [];
  isOnline = true;
  isAsleep = false;
  #asleepSince = 0;
  #opened = 0;
  #channels = new Set();

  constructor(id, world, chance, traits) {
    Object.assign(this, { id, world, chance, traits });
    this.locks = new Locks(world.scheduler);
  }

  /** The clock of this device. */
  now() {
    return Math.floor(this.world.scheduler.now + this.traits.skew);
  }

  open() {
    const tab = new Tab(`${this.id}${++this.#opened}`, this);
    this.tabs.push(tab);
    tab.session = this.world.createSession({ environment: tab.environment() });
    this.world.oracle.watch(tab);
    return tab;
  }

  close(tab) {
    tab.close();
    this.tabs = this.tabs.filter((other) => other !== tab);
  }

  get awake() {
    return this.isAsleep ? [] : this.tabs.filter((tab) => !tab.isFrozen);
  }

  goOffline() {
    this.isOnline = false;
    for (const tab of this.tabs) {
      tab.cutNetwork();
      tab.tell('offline');
    }
  }

  goOnline() {
    this.isOnline = true;
    for (const tab of this.tabs) tab.tell('online');
  }

  sleep() {
    this.isAsleep = true;
    this.#asleepSince = this.world.scheduler.now;
    // Nothing survives a nap on the wire.
    for (const tab of this.tabs) tab.cutNetwork();
  }

  wake() {
    this.isAsleep = false;
    const slept = this.world.scheduler.now - this.#asleepSince;
    for (const tab of this.tabs) {
      if (this.traits.timersSleep) tab.postponeTimers(slept);
      tab.catchUp();
    }
  }

  /** The factory of a tab's channels, as a browser with these traits offers it. */
  openChannelFor(tab) {
    if (this.traits.channel === 'missing') return undefined;
    if (this.traits.channel === 'blocked') {
      return () => {
        throw new DOMException('storage is blocked', 'SecurityError');
      };
    }
    return (name) => {
      const channel = { name, tab, onmessage: null, postMessage: (message) => this.#post(channel, message) };
      channel.close = () => this.#channels.delete(channel);
      this.#channels.add(channel);
      tab.keepChannel(channel);
      return channel;
    };
  }

  #post(from, message) {
    const data = structuredClone(message);
    for (const channel of this.#channels) {
      if (channel === from || channel.name !== from.name) continue;
      // Sooner or later, but in the order in which they were sent.
      const { now } = this.world.scheduler;
      channel.due = Math.max(channel.due ?? 0, now + this.chance.whole(0, 4));
      channel.tab.after(channel.due - now, () => {
        if (this.#channels.has(channel)) channel.onmessage?.({ data });
      });
    }
  }

  loadDpop(tab) {
    return this.world.loadDpop(tab);
  }
}

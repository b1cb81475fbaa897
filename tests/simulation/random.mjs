// Chance that can be replayed: the same seed, the same draws. (Marsaglia's xorshift with 128 bits of state.)

export class Random {
  #state;

  constructor(seed) {
    // Neighbouring seeds must not begin alike.
    let mixed = seed >>> 0;
    const mix = () => {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let word = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
      word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
      return (word ^ (word >>> 16)) >>> 0;
    };
    this.#state = [mix(), mix(), mix(), mix() | 1];
  }

  /** A number from 0 up to 1. */
  next() {
    let [t, y, z, w] = this.#state;
    t ^= t << 11;
    t ^= t >>> 8;
    const drawn = (w ^ (w >>> 19) ^ t) >>> 0;
    this.#state = [y, z, w, drawn];
    return drawn / 2 ** 32;
  }

  between(low, high) {
    return low + this.next() * (high - low);
  }

  /** A whole number from low to high, both included. */
  whole(low, high) {
    return Math.floor(this.between(low, high + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  /** One of a list. */
  of(list) {
    return list[this.whole(0, list.length - 1)];
  }

  /** One of the keys of an object, whose values say how often. */
  weighted(weights) {
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    let drawn = this.next() * total;
    for (const [key, weight] of Object.entries(weights)) {
      drawn -= weight;
      if (drawn < 0) return key;
    }
    return Object.keys(weights)[0];
  }

  /** A stream of its own, so that more draws here change nothing there. */
  fork() {
    return new Random(Math.floor(this.next() * 2 ** 32));
  }
}

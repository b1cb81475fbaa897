// When the weather is how: for everyone, and for each browser.

const MINUTE = 60_000;

export class Weather {
  #world;
  #spans = [];
  #cleared = false;

  constructor(world, chance, end) {
    this.#world = world;
    for (let time = 0; time < end; ) {
      time += chance.between(2, 40) * MINUTE;
      const kind = chance.weighted({ lossy: 4, slow: 3, refused: 1, proxy: 2, portal: 0.5, registry: 1 });
      const length = (chance.chance(0.1) ? chance.between(15, 50) : chance.between(0.3, 8)) * MINUTE;
      this.#spans.push({ from: time, to: time + length, kind });
      time += length;
    }
  }

  /** Arranges for what does not happen on the network. */
  begin() {
    const { scheduler } = this.#world;
    for (const { from, to, kind } of this.#spans) {
      scheduler.after(from, () => this.#world.trace(null, `the weather is ${kind}`));
      scheduler.after(to, () => this.#world.trace(null, 'the weather is fine'));
      if (kind !== 'registry') continue;
      const fault = this.#world.chance.of(['down', 'lose-rotation', 'lose-update']);
      scheduler.after(from, () => this.#cleared || this.#world.failRegistry(fault));
      scheduler.after(to, () => this.#world.failRegistry('none'));
    }
  }

  async clear() {
    this.#cleared = true;
    this.#world.trace(null, 'the weather has cleared for good');
    await this.#world.failRegistry('none');
  }

  /** What a request of this browser meets now. */
  of(browser) {
    if (this.#cleared) return 'fine';
    const since = this.#world.scheduler.now - this.#world.begun;
    const span = this.#spans.find(({ from, to }) => from <= since && since < to);
    const kind = span && span.kind !== 'registry' ? span.kind : 'fine';
    return kind === 'fine' && browser.weather ? browser.weather : kind;
  }
}

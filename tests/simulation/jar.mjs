// A browser's cookies for one origin, as far as answers can change them: name, value, Max-Age. The order of arrival
// decides.

export class Jar {
  #cookies = new Map();

  /** The value of a Cookie header at an instant of the browser's own clock, or undefined. */
  header(now) {
    const pairs = [];
    for (const [name, { value, until }] of this.#cookies) {
      if (until > now) pairs.push(`${name}=${value}`);
      else this.#cookies.delete(name);
    }
    return pairs.length > 0 ? pairs.join('; ') : undefined;
  }

  /** Takes a Set-Cookie line in. */
  receive(line, now) {
    const [pair, ...attributes] = line.split(';');
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    const age = attributes.map((attribute) => /^\s*max-age=(-?\d+)/i.exec(attribute)).find(Boolean);
    const until = age ? now + Number(age[1]) * 1000 : Infinity;
    if (until <= now) this.#cookies.delete(name);
    else this.#cookies.set(name, { value: pair.slice(equals + 1).trim(), until });
  }

  forget(name) {
    this.#cookies.delete(name);
  }

  clear() {
    this.#cookies.clear();
  }
}

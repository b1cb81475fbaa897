// The network simulation: the real client against the real server, through a thousand worlds.
//
//   node simulation.mjs                    1,000 seeds; with COUNTERSIGN_LONG=1, 20,000
//   node simulation.mjs --seed 17          one of them, with its story
//   node simulation.mjs --client ./naive.mjs

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { SimulationServer } from './wire.mjs';
import { World } from './world.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: process.env.COUNTERSIGN_LONG ? '20000' : '1000' },
    from: { type: 'string', default: '1' },
    most: { type: 'string', default: '10' },
    client: { type: 'string', default: 'client.mjs' },
  },
});
/** So many worlds wait for the server at a time. */
const ABREAST = 8;

// Stacks of errors are long, many, and read by nobody but who replays one world.
if (!values.seed) Error.stackTraceLimit = 0;

const client = await import(pathToFileURL(resolve(import.meta.dirname, values.client)));
const server = await SimulationServer.start();
const began = performance.now();
const outcome = values.seed ? await replay(Number(values.seed)) : await all(Number(values.from), Number(values.seeds));
const seconds = ((performance.now() - began) / 1000).toFixed(1);
console.log(`${outcome.worlds} worlds, ${outcome.requests} requests, ${outcome.failed} failed, in ${seconds} s`);
server.stop();
process.exitCode = outcome.failed > 0 ? 1 : 0;

async function replay(seed) {
  const world = new World(seed, server, client);
  const violations = await world.live();
  console.log(world.story());
  return { worlds: 1, requests: world.requests, failed: violations.length > 0 ? 1 : 0 };
}

async function all(from, count) {
  const outcome = { worlds: 0, requests: 0, failed: 0 };
  let next = from;
  async function line() {
    while (next < from + count && outcome.failed < Number(values.most)) {
      const world = new World(next++, server, client);
      const violations = await world.live();
      outcome.worlds++;
      outcome.requests += world.requests;
      if (violations.length > 0) report(world, violations, outcome.failed++);
    }
  }
  await Promise.all(Array.from({ length: ABREAST }, line));
  return outcome;
}

/** The first in full, the others by their seed. */
function report(world, violations, earlier) {
  if (earlier === 0) console.log(`${world.story()}\n`);
  console.log(`seed ${world.seed} failed: ${violations[0]}`);
  console.log(`  replay it with: node tests/simulation/simulation.mjs --seed ${world.seed}`);
}

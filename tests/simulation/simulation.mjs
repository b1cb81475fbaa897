// The network simulation: the real client against the real server, through a thousand worlds.
//
//   node simulation.mjs                    1,000 seeds; with COUNTERSIGN_LONG=1, 20,000
//   node simulation.mjs --seed 17          one of them, with its story
//   node simulation.mjs --client ./naive.mjs

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

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
/** So many worlds of a thread wait for its server at a time. */
const ABREAST = 8;
/** What the threads share: how many worlds were begun, and how many failed. */
const [BEGUN, FAILED] = [0, 1];

// Stacks of errors are long, many, and read by nobody but who replays one world.
if (!values.seed) Error.stackTraceLimit = 0;

if (isMainThread && !values.seed) {
  const began = performance.now();
  const outcome = await onAllCores();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${outcome.worlds} worlds, ${outcome.requests} requests, ${outcome.failed} failed, in ${seconds} s`);
  process.exitCode = outcome.failed > 0 ? 1 : 0;
} else {
  const client = await import(pathToFileURL(resolve(import.meta.dirname, values.client)));
  const server = await SimulationServer.start();
  if (values.seed) {
    await replay(Number(values.seed), server, client);
  } else {
    parentPort.postMessage(await live(workerData, server, client));
  }
  server.stop();
}

/** A thread for each core, with a server of its own; a thread that breaks off fails all. */
async function onAllCores() {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const threads = Array.from({ length: availableParallelism() }, () => new Promise((done, broken) => {
    const worker = new Worker(import.meta.filename, { argv: process.argv.slice(2), workerData: shared });
    worker.once('message', done).once('error', broken);
    worker.once('exit', () => broken(new Error('a thread ended without a word')));
  }));
  const outcomes = await Promise.all(threads);
  const sum = (what) => outcomes.reduce((total, outcome) => total + outcome[what], 0);
  return { worlds: sum('worlds'), requests: sum('requests'), failed: Atomics.load(shared, FAILED) };
}

async function replay(seed, server, client) {
  const world = new World(seed, server, client);
  const violations = await world.live();
  console.log(world.story());
  process.exitCode = violations.length > 0 ? 1 : 0;
}

/** One thread's part of the worlds: whichever is next when it has a place free. */
async function live(shared, server, client) {
  const outcome = { worlds: 0, requests: 0 };
  async function line() {
    while (Atomics.load(shared, FAILED) < Number(values.most)) {
      const begun = Atomics.add(shared, BEGUN, 1);
      if (begun >= Number(values.seeds)) return;
      const world = new World(Number(values.from) + begun, server, client);
      const violations = await world.live();
      outcome.worlds++;
      outcome.requests += world.requests;
      if (violations.length > 0) report(world, violations, Atomics.add(shared, FAILED, 1));
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

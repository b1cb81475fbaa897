// The proxy of the browser tests keeps to its orders: what it loses, holds or changes is what the stories say.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Weather, answerHeld, answerLost, badGateway, closedGate, requestLost, rewritten } from './weather.mjs';

describe('the weather', { timeout: 300_000 }, () => {
  let server;
  let weather;
  let effects;

  before(async () => {
    server = createServer((request, response) => {
      effects.push(`${request.method} ${request.url}`);
      if (request.url === '/stream') return response.write('first\n');
      response.setHeader('content-type', 'application/json');
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      request.on('data', (chunk) => effects.push(String(chunk)));
      request.on('end', () => response.end('{"made": "here"}'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    weather = await Weather.start();
    weather.leadTo(`http://127.0.0.1:${server.address().port}`);
  });

  beforeEach(async () => {
    effects = [];
    weather.seen = [];
    await weather.clear();
  });

  after(async () => {
    await weather.gone();
    server.close();
    server.closeAllConnections();
  });

  const post = (path = '/a') => fetch(weather.origin + path, { method: 'POST', body: 'words' });

  test('passes everything on without orders', async () => {
    const answer = await post('/a?b=1');
    assert.deepEqual(await answer.json(), { made: 'here' });
    assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.deepEqual(effects, ['POST /a?b=1', 'words']);
    assert.deepEqual([weather.count('POST /a'), weather.count('GET /a'), weather.seen[0].status], [1, 0, 200]);
  });

  test('loses an answer after its effect, and a request before it', async () => {
    weather.order('POST /a', answerLost, { times: 1 });
    weather.order('POST /a', requestLost, { times: 1 });
    await assert.rejects(post());
    assert.deepEqual(effects, ['POST /a', 'words']);
    await assert.rejects(post());
    assert.deepEqual(effects, ['POST /a', 'words']);
    assert.equal((await post()).status, 200);
    assert.equal(weather.count('POST /a'), 3);
  });

  test('an order concerns its method, its path, and those it names', async () => {
    weather.order('POST /a', badGateway, { who: ({ headers }) => headers['x-name'] === 'eve' });
    assert.equal((await post()).status, 200);
    const refused = await fetch(`${weather.origin}/a`, { method: 'POST', headers: { 'x-name': 'eve' } });
    assert.deepEqual([refused.status, refused.headers.get('content-type')], [502, 'text/html']);
    assert.deepEqual(effects, ['POST /a', 'words']);
  });

  test('holds an answer until it is let go', async () => {
    const gate = closedGate();
    weather.order('POST /a', answerHeld(gate), { times: 1 });
    let heard = false;
    const answer = post().then((given) => { heard = true; return given; });
    assert.equal((await post()).status, 200);
    assert.equal(heard, false);
    gate.open();
    assert.deepEqual(await (await answer).json(), { made: 'here' });
  });

  test('changes an answer', async () => {
    weather.order('POST /a', rewritten(({ body }) => ({ body: JSON.stringify({ ...JSON.parse(body), more: 1 }) })));
    assert.deepEqual(await (await post()).json(), { made: 'here', more: 1 });
  });

  test('goes, and comes back where it was', async () => {
    const { origin } = weather;
    await weather.gone();
    await assert.rejects(post());
    await weather.clear();
    assert.equal(weather.origin, origin);
    assert.equal((await post()).status, 200);
  });

  test('a stream ends on both sides, whoever leaves', async () => {
    const atServer = new Promise((resolve) => server.once('request', (_, response) => response.once('close', resolve)));
    const [arrived, ended] = [weather.next('GET /stream'), weather.next('GET /stream', 'ended')];
    const leaving = new AbortController();
    const stream = await fetch(`${weather.origin}/stream`, { signal: leaving.signal });
    const { value } = await stream.body.getReader().read();
    assert.equal(new TextDecoder().decode(value), 'first\n');
    leaving.abort();
    assert.equal(await ended, await arrived);
    await atServer;

    // Not by fetch: Node's takes a broken answer for a whole one.
    const other = get(`${weather.origin}/stream`);
    const [answer] = await once(other, 'response');
    server.closeAllConnections();
    await assert.rejects(Promise.all([once(other, 'close'), text(answer)]), { code: 'ECONNRESET' });
  });

  test('without a server it breaks off', async () => {
    weather.leadTo('http://127.0.0.1:1');
    await assert.rejects(post());
    weather.leadTo(`http://127.0.0.1:${server.address().port}`);
    assert.equal((await post()).status, 200);
  });
});

// The cases of tests/vectors/dpop.json: each is a proof, what it is held against, and which check it fails, if any.

import {
  beyondEd25519Order, beyondOrder, der, headerOf, hmac, otherS, publicJwk, resigned, sha256, signJson, signText,
  signatureOf, thumbprint, url,
} from './prover.mjs';

export const NOW = 1_800_000_000;
export const TOKEN = 'eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl';
const NONCES = { current: 'bm9uY2Ugb2YgdGhlIGN1cnJlbnQgc2xvdCAgICAgICE', previous: 'bm9uY2Ugb2YgdGhlIHNsb3QgYmVmb3JlIHRoaXMgISE' };
const HTU = 'https://shop.example/session/refresh';

const claims = () => ({ jti: 'proof-1', htm: 'POST', htu: HTU, iat: NOW, nonce: NONCES.current });
const bound = () => ({ ...claims(), ath: sha256(TOKEN) });
const without = (object, member) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== member));

const REQUEST = { method: 'POST', origin: 'https://shop.example', path: '/session/refresh' };

function held(name, proof, more) {
  return { name, proof, request: REQUEST, now: NOW, window: 60, nonces: NONCES, token: null, bound_to: null, ...more };
}

/** A proof that is good; `more` is what it is held against besides. */
export const good = (name, proof, { key = 'ES256', nonce = 'current', ...more } = {}) =>
  ({ ...held(name, proof, more), expect: { ok: true, thumbprint: thumbprint(key), nonce } });

/** A proof that fails this check. */
export const bad = (check, name, proof, more = {}) =>
  ({ ...held(name, proof, more), expect: { ok: false, check, code: check === 9 ? 'use-dpop-nonce' : 'dpop-invalid' } });

export const claiming = (change, key = 'ES256') => signJson(key, headerOf(key), { ...claims(), ...change });
const lacking = (member) => signJson('ES256', headerOf('ES256'), without(claims(), member));
const heading = (change, key = 'ES256') => signJson(key, { ...headerOf(key), ...change }, claims());
const holding = (change, key = 'ES256') => heading({ jwk: { ...publicJwk(key), ...change } }, key);
const PLAIN = claiming({});
const BOUND = { token: TOKEN, bound_to: thumbprint('ES256') };
const at = (path) => ({ request: { ...REQUEST, path } });

export const accepted = [
  good('ES256', PLAIN),
  good('Ed25519, called EdDSA', claiming({}, 'Ed25519'), { key: 'Ed25519' }),
  good('Ed25519, called Ed25519', heading({ alg: 'Ed25519' }, 'Ed25519'), { key: 'Ed25519' }),
  good('with an access token', signJson('ES256', headerOf('ES256'), bound()), BOUND),
  good('of a bound refresh token', PLAIN, { bound_to: thumbprint('ES256') }),
  good('with ath where no token came', signJson('ES256', headerOf('ES256'), bound())),
  good('the nonce of the slot before', claiming({ nonce: NONCES.previous }), { nonce: 'previous' }),
  good('typ in other letters', heading({ typ: 'application/DPoP+JWT' })),
  good('unknown members', signJson('ES256', { ...headerOf('ES256'), kid: 'mine' }, { ...claims(), exp: 1, aud: ['x'] })),
  good('a key that says what it is for', holding({ use: 'sig', key_ops: ['verify'], alg: 'ES256', ext: true, kid: 'k' })),
  good('made a minute ago', claiming({ iat: NOW - 60 })),
  good('made in a minute', claiming({ iat: NOW + 60 })),
  good('made at a fraction of a second', claiming({ iat: NOW - 0.25 })),
  good('an id of 128 bytes', claiming({ jti: 'é'.repeat(64) })),
  good('the other s', resigned(PLAIN, otherS)),
  good('blanks in the JSON', signText('ES256', ` ${JSON.stringify(headerOf('ES256'), null, 2)}\n`, JSON.stringify(claims(), null, '\t'))),
  good('htu in capitals, with the port', claiming({ htu: 'HTTPS://Shop.Example:443/session/refresh' })),
  good('htu with dots', claiming({ htu: 'https://shop.example/a/../session/./refresh' })),
  good('htu percent-encoded', claiming({ htu: 'https://shop.example/%73ession/refresh' })),
  good('htu without a path', claiming({ htu: 'https://shop.example' }), at('/')),
  good('htu in other hex digits', claiming({ htu: 'https://shop.example/caf%c3%a9' }), at('/caf%C3%A9')),
];

const [H, P, S] = PLAIN.split('.');
const headerText = JSON.stringify(headerOf('ES256'));
const claimsText = JSON.stringify(claims());
const raw = (header, payload) => signText('ES256', header, payload);

export const misshapen = [
  bad(1, 'nothing', ''),
  bad(1, 'one part', H),
  bad(1, 'two parts', `${H}.${P}`),
  bad(1, 'four parts', `${PLAIN}.${S}`),
  bad(1, 'two proofs in one header', `${PLAIN}, ${PLAIN}`),
  bad(1, 'a blank before it', ` ${PLAIN}`),
  bad(1, 'padding', `${PLAIN}==`),
  bad(1, 'unused bits set', PLAIN.slice(0, -1) + String.fromCharCode(PLAIN.charCodeAt(PLAIN.length - 1) + 1)),
  bad(1, 'another alphabet', `${H}.${P}.${S.slice(0, -2)}+/`),
  bad(1, 'too long', claiming({ pad: 'x'.repeat(4096) })),
  bad(1, 'a header that is no object', raw('[]', claimsText)),
  bad(1, 'claims that are no object', raw(headerText, '"claims"')),
  bad(1, 'claims that are not UTF-8', raw(headerText, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))),
  bad(1, 'a byte order mark', raw(headerText, `\ufeff${claimsText}`)),
  bad(1, 'something after the claims', raw(headerText, `${claimsText} {}`)),
  bad(1, 'a comma too many', raw(headerText, claimsText.replace('}', ',}'))),
  bad(1, 'alg twice', raw(headerText.replace('{', '{"alg":"none",'), claimsText)),
  bad(1, 'alg twice, once escaped', raw(headerText.replace('{', '{"\\u0061lg":"none",'), claimsText)),
  bad(1, 'x twice in the key', raw(headerText.replace('"kty"', '"x":"AA","kty"'), claimsText)),
  bad(1, 'jti twice', raw(headerText, claimsText.replace('{', '{"jti":"other",'))),
  bad(1, 'an unknown member twice', raw(headerText, claimsText.replace('{', '{"a":1,"a":2,'))),
  bad(1, 'nested too deep', raw(headerText, claimsText.replace('{', `{"a":${'['.repeat(64)}${']'.repeat(64)},`))),
  bad(1, 'crit', heading({ crit: ['exp'], exp: 1 })),
  bad(1, 'b64', heading({ b64: true })),
  bad(1, 'zip', heading({ zip: 'DEF' })),
  bad(1, 'jku', heading({ jku: 'https://attacker.example/keys' })),
  bad(1, 'x5c', heading({ x5c: [] })),
];

const untyped = signJson('ES256', without(headerOf('ES256'), 'typ'), claims());
const secret = Buffer.from(publicJwk('ES256').x, 'base64url');
const symmetric = `${url(JSON.stringify({ ...headerOf('ES256'), alg: 'HS256' }))}.${P}`;
const keyless = signJson('ES256', without(headerOf('ES256'), 'jwk'), claims());
const anyone = (x) => `${url(JSON.stringify({ ...headerOf('Ed25519'), jwk: { ...publicJwk('Ed25519'), x: url(x) } }))}.${P}`;
const ONE = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);
// With a key of small order, this signature is good for an eighth of all messages, or for all.
const forAnyone = (x) => `${anyone(x)}.${url(Buffer.concat([ONE, Buffer.alloc(32)]))}`;
const hex = (text) => Buffer.from(text, 'hex');
const SMALL = {
  1: '01'.padEnd(64, '0'), 2: `ec${'ff'.repeat(30)}7f`, 4: ''.padEnd(64, '0'),
  8: '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '8, the other': 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '8, negative': '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  '1, misspelt': `ee${'ff'.repeat(30)}7f`, '1, with a sign': `01${'00'.repeat(30)}80`,
};

export const wrongHeaders = [
  bad(2, 'no typ', untyped),
  bad(2, 'typ of an access token', heading({ typ: 'at+jwt' })),
  bad(2, 'typ JWT', heading({ typ: 'JWT' })),
  bad(2, 'typ a number', heading({ typ: 1 })),
  bad(3, 'alg none', `${url(JSON.stringify({ ...headerOf('ES256'), alg: 'none' }))}.${P}.`),
  bad(3, 'alg none, signed', heading({ alg: 'none' })),
  bad(3, 'HS256 under the public key', `${symmetric}.${hmac(secret, symmetric)}`),
  bad(3, 'alg of an RSA key', heading({ alg: 'RS256' })),
  bad(3, 'alg of a larger curve', heading({ alg: 'ES384' })),
  bad(3, 'alg in small letters', heading({ alg: 'es256' })),
  bad(3, 'no alg', signJson('ES256', without(headerOf('ES256'), 'alg'), claims())),
  bad(3, 'EdDSA with an EC key', heading({ alg: 'EdDSA' })),
  bad(3, 'ES256 with an Ed25519 key', heading({ alg: 'ES256' }, 'Ed25519')),
  bad(4, 'no jwk', keyless),
  bad(4, 'jwk a string', heading({ jwk: 'key' })),
  bad(4, 'a private key', holding({ d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' })),
  bad(4, 'a private key of Ed25519', holding({ d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' }, 'Ed25519')),
  bad(4, 'an empty private member', holding({ d: '' })),
  bad(4, 'a prime', holding({ p: 'AQAB' })),
  bad(4, 'a symmetric key', heading({ jwk: { kty: 'oct', k: 'AAAA' } })),
  bad(4, 'a key with k', holding({ k: 'AAAA' })),
  bad(4, 'an RSA key', heading({ jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } })),
  bad(4, 'another curve', holding({ crv: 'P-384' })),
  bad(4, 'a curve for key agreement', holding({ crv: 'X25519' }, 'Ed25519')),
  bad(4, 'no curve', holding({ crv: undefined })),
  bad(4, 'no y', holding({ y: undefined })),
  bad(4, 'a y that is none', holding({ y: 'AAAA' }, 'Ed25519')),
  bad(4, 'x of 31 bytes', holding({ x: url(Buffer.alloc(31, 1)) })),
  bad(4, 'x of 33 bytes', holding({ x: url(Buffer.concat([Buffer.alloc(1), secret])) })),
  bad(4, 'x with unused bits set', holding({ x: publicJwk('ES256').x.replace(/U$/, 'V') })),
  bad(4, 'x with padding', holding({ x: `${publicJwk('ES256').x}=` })),
  bad(4, 'x a number', holding({ x: 1 })),
  bad(4, 'for encryption', holding({ use: 'enc' })),
  bad(4, 'for signing alone', holding({ key_ops: ['sign'] })),
  bad(4, 'for another algorithm', holding({ alg: 'ES384' })),
  ...Object.entries(SMALL).map(([order, x]) => bad(4, `an Ed25519 point of order ${order}`, forAnyone(hex(x)))),
  bad(4, 'an Ed25519 point beyond the field', forAnyone(hex(`f0${'ff'.repeat(30)}7f`))),
];

const moved = Buffer.from(publicJwk('ES256').y, 'base64url').map((byte, index) => (index === 31 ? byte ^ 1 : byte));
const edwards = claiming({}, 'Ed25519');

export const wrongSignatures = [
  bad(5, 'of another key', `${H}.${P}.${signatureOf('thief', `${H}.${P}`).toString('base64url')}`),
  bad(5, 'of another payload', `${H}.${url(JSON.stringify({ ...claims(), jti: 'proof-2' }))}.${S}`),
  bad(5, 'of another header', `${url(JSON.stringify({ ...headerOf('ES256'), kid: 'x' }))}.${P}.${S}`),
  bad(5, 'none', `${H}.${P}.`),
  bad(5, 'cut short', resigned(PLAIN, (signature) => signature.subarray(0, 63))),
  bad(5, 'a byte too many', resigned(PLAIN, (signature) => Buffer.concat([signature, Buffer.alloc(1)]))),
  bad(5, 'zeros', resigned(PLAIN, () => Buffer.alloc(64))),
  bad(5, 's beyond the order', resigned(PLAIN, beyondOrder)),
  bad(5, 'in DER', resigned(PLAIN, der)),
  bad(5, 'S beyond the order', resigned(edwards, beyondEd25519Order)),
  bad(5, 'a bit of Ed25519 turned', resigned(edwards, (signature) => signature.map((byte, at) => (at ? byte : byte ^ 1)))),
  bad(5, 'a point off the curve', holding({ y: url(moved) })),
  bad(5, 'a point at zero', holding({ x: url(Buffer.alloc(32)), y: url(Buffer.alloc(32)) })),
];

const elsewhere = (htu) => claiming({ htu });

export const wrongClaims = [
  ...['jti', 'htm', 'htu', 'iat'].map((member) => bad(6, `no ${member}`, lacking(member))),
  bad(6, 'an empty id', claiming({ jti: '' })),
  bad(6, 'an id of 129 bytes', claiming({ jti: `${'é'.repeat(64)}x` })),
  bad(6, 'an id that is a number', claiming({ jti: 1 })),
  bad(6, 'htm null', claiming({ htm: null })),
  bad(6, 'htu an array', claiming({ htu: [HTU] })),
  bad(6, 'iat a string', claiming({ iat: `${NOW}` })),
  bad(6, 'iat negative', claiming({ iat: -1 })),
  bad(6, 'iat beyond all numbers', raw(headerText, claimsText.replace(`${NOW}`, '1e400'))),
  bad(6, 'iat after the year 9999', claiming({ iat: 253_402_300_800 })),
  bad(7, 'another method', claiming({ htm: 'GET' })),
  bad(7, 'the method in small letters', claiming({ htm: 'post' })),
  bad(8, 'another path', elsewhere('https://shop.example/session')),
  bad(8, 'a slash more', elsewhere(`${HTU}/`)),
  bad(8, 'another host', elsewhere('https://attacker.example/session/refresh')),
  bad(8, 'a host that begins alike', elsewhere('https://shop.example.attacker.example/session/refresh')),
  bad(8, 'a user before the host', elsewhere('https://shop.example@attacker.example/session/refresh')),
  bad(8, 'a user', elsewhere('https://alice@shop.example/session/refresh')),
  bad(8, 'another scheme', elsewhere('http://shop.example/session/refresh')),
  bad(8, 'another port', elsewhere('https://shop.example:8443/session/refresh')),
  bad(8, 'a query', elsewhere(`${HTU}?a=b`)),
  bad(8, 'an empty query', elsewhere(`${HTU}?`)),
  bad(8, 'a fragment', elsewhere(`${HTU}#a`)),
  bad(8, 'a path alone', elsewhere('/session/refresh')),
  bad(8, 'a backslash', elsewhere('https://shop.example\\session\\refresh')),
  bad(8, 'a slash that was encoded', elsewhere('https://shop.example/session%2Frefresh')),
  bad(8, 'no URI at all', elsewhere('')),
  bad(9, 'no nonce', lacking('nonce')),
  bad(9, 'an unknown nonce', claiming({ nonce: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })),
  bad(9, 'an empty nonce', claiming({ nonce: '' })),
  bad(9, 'a nonce that is a number', claiming({ nonce: 1 })),
  bad(9, 'a part of the nonce', claiming({ nonce: NONCES.current.slice(0, 42) })),
  bad(10, 'made too long ago', claiming({ iat: NOW - 61 })),
  bad(10, 'made in the future', claiming({ iat: NOW + 61 })),
  bad(10, 'made a fraction too long ago', claiming({ iat: NOW - 60.001 })),
  bad(10, 'made in 1970', claiming({ iat: 0 })),
  bad(11, 'no ath', PLAIN, BOUND),
  bad(11, 'of another token', claiming({ ath: sha256('another token') }), BOUND),
  bad(11, 'ath in hex', claiming({ ath: Buffer.from(sha256(TOKEN), 'base64url').toString('hex') }), BOUND),
  bad(11, 'ath with padding', claiming({ ath: `${sha256(TOKEN)}=` }), BOUND),
  bad(11, 'ath a number', claiming({ ath: 1 }), BOUND),
  bad(12, 'another key for the token', claiming({ ath: sha256(TOKEN) }, 'thief'), BOUND),
  bad(12, 'another key for the refresh token', claiming({}, 'Ed25519'), { bound_to: thumbprint('ES256') }),
];

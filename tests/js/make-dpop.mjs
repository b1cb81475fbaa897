// Writes tests/vectors/dpop.json: proofs of a client's key (RFC 9449) as they should be and should not, with the check
// that each fails. Run by hand (`npm run vectors`) when the cases change; the file is committed, and read by Rust,
// by the client's tests and by dpop.test.mjs.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepted, bad, misshapen, wrongClaims, wrongHeaders, wrongSignatures } from './dpop-cases.mjs';
import { thumbprint } from './prover.mjs';
import { KEYS } from './published.mjs';

// The sample of RFC 9449 (figure 2), which no server that issues nonces accepts: it has none.
const SAMPLE = [
  'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19',
  'eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ',
  '2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg',
].join('.');

const sample = bad(9, 'the sample of RFC 9449', SAMPLE, {
  request: { method: 'POST', origin: 'https://server.example.com', path: '/token' }, now: 1_562_262_616,
});

const cases = [...accepted, ...misshapen, ...wrongHeaders, ...wrongSignatures, ...wrongClaims, sample];
const keys = Object.fromEntries(Object.entries(KEYS).map(([name, jwk]) => [name, { jwk, thumbprint: thumbprint(name) }]));
const path = join(import.meta.dirname, '../vectors/dpop.json');
writeFileSync(path, `${JSON.stringify({ keys, cases }, null, 1)}\n`);

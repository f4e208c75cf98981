import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { modelArrivals } from '../../../src/embedded/link/link-model.ts';
import { suite } from '../../support/suite.ts';

const test = suite('link model');
const link = { rateBytesPerSecond: 1_000_000, latencyMs: 10, maxConnections: 2 };

test('a first request costs two round trips and its bytes, a second one only one round trip more', () => {
  const [arrivals] = modelArrivals(link, [
    { startMs: 0, requests: [{ responseBytes: 5000 }, { responseBytes: 5000 }] },
  ]);
  assert.deepEqual(arrivals, [
    { sentMs: 20, firstByteMs: 40, lastByteMs: 45 },
    { sentMs: 45, firstByteMs: 65, lastByteMs: 70 },
  ]);
});

test('two answers at once get half the rate each, and the longer one all of it when it is alone', () => {
  const [short, long] = modelArrivals(link, [
    { startMs: 0, requests: [{ responseBytes: 10_000 }] },
    { startMs: 0, requests: [{ responseBytes: 30_000 }] },
  ]);
  assert.equal(short?.[0]?.lastByteMs, 40 + 20);
  assert.equal(long?.[0]?.lastByteMs, 40 + 40);
});

test('a connection beyond the limit starts its handshake when another has closed', () => {
  const connection = { startMs: 0, requests: [{ responseBytes: 10_000 }] };
  const arrivals = modelArrivals(link, [connection, connection, connection]);
  assert.equal(arrivals[0]?.[0]?.lastByteMs, 60);
  assert.deepEqual(arrivals[2], [{ sentMs: 60 + 20, firstByteMs: 60 + 40, lastByteMs: 60 + 40 + 10 }]);
});

test('think time delays a request and costs nothing else', () => {
  const [arrivals] = modelArrivals(link, [{ startMs: 5, requests: [{ responseBytes: 0, thinkMs: 7 }] }]);
  assert.deepEqual(arrivals, [{ sentMs: 32, firstByteMs: 52, lastByteMs: 52 }]);
});

test('whatever is asked, the link is never faster than its rate and never idle while an answer waits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 5,
      }),
      (sizes) => {
        const arrivals = modelArrivals(
          { rateBytesPerSecond: 1_000_000, latencyMs: 0, maxConnections: 100 },
          sizes.map((requests) => ({
            startMs: 0,
            requests: requests.map((responseBytes) => ({ responseBytes })),
          })),
        );
        const totalMs = sizes.flat().reduce((sum, size) => sum + size, 0) / 1000;
        const lastMs = Math.max(...arrivals.flat().map(({ lastByteMs }) => lastByteMs));
        assert.equal(arrivals.flat().length, sizes.flat().length);
        assert.ok(Math.abs(lastMs - totalMs) < 0.01, `${lastMs} ms for ${totalMs} ms of bytes`);
      },
    ),
  );
});

import assert from 'node:assert/strict';
import { ContainerLog } from '../../../src/embedded/api/container-log.ts';
import { keyOf } from '../../../src/embedded/api/kube-object.ts';
import { applyStrategicPatch } from '../../../src/embedded/api/merge-patch.ts';
import { ObjectStore } from '../../../src/embedded/api/object-store.ts';
import { configMaps } from '../../../src/embedded/api/resources.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { suite } from '../../support/suite.ts';

const test = suite('object-store');
const map = (name: string) => ({ metadata: { name, namespace: 'default' } });

test('tells every listener the changes in one order, also those a listener makes itself', () => {
  const store = new ObjectStore({ clock: new ManualClock() });
  const seen: [string[], string[]] = [[], []];
  store.watch(configMaps, store.version, (change) => {
    seen[0].push(change.object.metadata.name);
    if (change.object.metadata.name === 'a') store.create(configMaps, map('b'));
  });
  store.watch(configMaps, store.version, (change) => {
    seen[1].push(change.object.metadata.name);
  });
  store.create(configMaps, map('a'));
  assert.deepEqual(seen, [
    ['a', 'b'],
    ['a', 'b'],
  ]);
});

test('a listener that starts while a change is on its way gets it exactly once', () => {
  const store = new ObjectStore({ clock: new ManualClock() });
  const from = store.version;
  const late: string[] = [];
  store.watch(configMaps, from, (change) => {
    if (change.object.metadata.name !== 'a') return;
    store.create(configMaps, map('b'));
    store.watch(configMaps, from, ({ object }) => {
      late.push(object.metadata.name);
    });
  });
  store.create(configMaps, map('a'));
  assert.deepEqual(late, ['a', 'b']);
});

test('an update that changes nothing is no change, and an old uid removes nothing', () => {
  const store = new ObjectStore({ clock: new ManualClock() });
  const made = store.create(configMaps, map('a'));
  const { version } = store;
  store.update(configMaps, keyOf(made), (current) => ({ ...current }));
  assert.equal(store.remove(configMaps, keyOf(made), 'another'), undefined);
  assert.equal(store.version, version);
});

test('a strategic patch merges lists by their key and obeys $patch', () => {
  const target = { conditions: [{ type: 'A', status: 'x' }, { type: 'B' }], tolerations: [{ key: 'a' }] };
  const patch = {
    '$setElementOrder/conditions': [],
    conditions: [{ type: 'A', status: 'y' }, { type: 'B', $patch: 'delete' }, { type: 'C' }],
    tolerations: [{ key: 'b' }],
  };
  assert.deepEqual(applyStrategicPatch(target, patch), {
    conditions: [{ type: 'A', status: 'y' }, { type: 'C' }],
    tolerations: [{ key: 'b' }],
  });
});

test('a log beyond its limit loses its oldest lines and keeps its numbers', () => {
  const log = new ContainerLog();
  const text = 'x'.repeat(1_000_000);
  for (let i = 0n; i < 12n; i += 1n) log.append({ atNs: i, text });
  assert.equal(log.end, 12);
  assert.ok(log.start > 0 && log.start < 12);
  assert.equal(log.line(log.start - 1), undefined);
  assert.equal(log.line(11)?.atNs, 11n);
});

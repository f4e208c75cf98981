// What convert.ts times, process start included: node convert-once.ts TAR WORK_DIRECTORY
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { layerEntries } from '../../src/image/layer-entries.ts';
import { convertLayers } from '../../src/image/rafs/convert-layers.ts';

const [, , tar = '', workDirectory = ''] = process.argv;
const stream = createReadStream(tar, { highWaterMark: 2 ** 20 });
const image = await convertLayers([layerEntries(stream, 'application/vnd.oci.image.layer.v1.tar')], {
  workDirectory,
});
await writeFile(path.join(workDirectory, 'image.boot'), image.bootstrap);
console.error(`peak memory ${String(Math.round(process.resourceUsage().maxRSS / 1024))} MiB`);

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';

/** What a tar header of a layer says. */
export interface TestLayerEntry {
  readonly type: string;
  readonly name: string;
  /** Empty unless the entry is a link. */
  readonly linkname: string;
  readonly sizeBytes: number;
}

/** The headers of a gzip-compressed layer, read with tar-stream: a second opinion beside lazybench's own tar reader. */
export async function readTestLayer(file: string): Promise<readonly TestLayerEntry[]> {
  const entries: TestLayerEntry[] = [];
  const reader = extract();
  reader.on('entry', (header, stream, next) => {
    const { type, name, linkname, size } = header;
    entries.push({
      type,
      name,
      linkname: type === 'link' || type === 'symlink' ? linkname : '',
      sizeBytes: size,
    });
    stream.on('end', () => next());
    stream.resume();
  });
  await pipeline(createReadStream(file), createGunzip(), reader);
  return entries;
}

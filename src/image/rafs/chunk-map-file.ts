import { open, type FileHandle } from 'node:fs/promises';
import { HarnessError } from '../../errors/harness-error.ts';
import { ChunkMap, chunkMapFileBytes } from './chunk-map.ts';

/**
 * A chunk map on disk, in nydusd's format. Open it to read what a (perhaps running) nydusd has local, or to keep
 * a cache of one's own. Dispose of it to close the file.
 */
export class ChunkMapFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  #map: ChunkMap;

  private constructor(handle: FileHandle, map: ChunkMap) {
    this.#handle = handle;
    this.#map = map;
  }

  /** Opens a map; with `create`, makes an empty one where there is none. Throws CHUNK_MAP_INVALID, ENOENT. */
  static async open(
    file: string,
    { chunkCount, create = false }: { readonly chunkCount: number; readonly create?: boolean },
  ): Promise<ChunkMapFile> {
    const handle = create ? await openOrCreate(file, chunkCount) : await open(file, 'r');
    try {
      return new ChunkMapFile(handle, await read(handle, chunkCount));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** What was on disk at the last {@link open} or {@link refresh}, with what was marked since. */
  get map(): ChunkMap {
    return this.#map;
  }

  /** Reads again what another process has written since. */
  async refresh(): Promise<ChunkMap> {
    this.#map = await read(this.#handle, this.#map.chunkCount);
    return this.#map;
  }

  /** Marks chunks in memory and on disk; writes only bytes that change, and the header when all are there. */
  async markReady(chunkIds: Iterable<number>): Promise<void> {
    const map = this.#map;
    const changed = new Set<number>();
    for (const id of chunkIds) if (!map.isReady(id)) changed.add(map.setReady(id));
    for (const [first, last] of runs([...changed].sort((a, b) => a - b)))
      await this.#handle.write(map.bytes, first, last - first + 1, first);
    if (changed.size > 0 && map.isComplete) await this.#handle.write(map.bytes, 0, 16, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

async function openOrCreate(file: string, chunkCount: number): Promise<FileHandle> {
  try {
    const handle = await open(file, 'wx+');
    await handle.write(ChunkMap.empty(chunkCount).bytes, 0, undefined, 0);
    return handle;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return open(file, 'r+');
    throw error;
  }
}

async function read(handle: FileHandle, chunkCount: number): Promise<ChunkMap> {
  const { size } = await handle.stat();
  const expectedBytes = chunkMapFileBytes(chunkCount);
  if (size !== expectedBytes)
    throw new HarnessError(
      'CHUNK_MAP_INVALID',
      `chunk map: ${String(size)} bytes instead of ${String(expectedBytes)} for ${String(chunkCount)} chunks`,
    );
  const bytes = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return ChunkMap.parse(bytes, chunkCount);
}

/** Neighbouring numbers as inclusive runs. */
function runs(sorted: readonly number[]): [first: number, last: number][] {
  const found: [number, number][] = [];
  for (const value of sorted) {
    const current = found.at(-1);
    if (current !== undefined && current[1] + 1 === value) current[1] = value;
    else found.push([value, value]);
  }
  return found;
}

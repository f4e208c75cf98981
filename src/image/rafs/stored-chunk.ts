/** A chunk that a conversion has put into a blob. */
export interface StoredChunk {
  /** Which blob writer stored it (the layer's number), until blobs get their index in the bootstrap. */
  readonly blobKey: number;
  readonly chunkId: number;
  /** sha256 of the content. */
  readonly digest: Uint8Array;
  readonly uncompressedOffset: number;
  readonly uncompressedSizeBytes: number;
  /** Known only when the chunk has been compressed and written. */
  compressedOffset: number;
  compressedSizeBytes: number;
}

/** Chunks stored so far by digest, over all layers: the same content is never stored twice. */
export class ChunkDictionary {
  readonly #chunks = new Map<string, StoredChunk>();

  find(digest: Buffer): StoredChunk | undefined {
    return this.#chunks.get(digest.toString('latin1'));
  }

  add(digest: Buffer, chunk: StoredChunk): void {
    this.#chunks.set(digest.toString('latin1'), chunk);
  }
}

import { hash } from 'node:crypto';
import { createBLAKE3 } from 'hash-wasm';
import { HarnessError } from '../../errors/harness-error.ts';
import type { ChunkRef } from './chunk-table.ts';
import type { Digester } from './layout.ts';

/** Throws DIGEST_MISMATCH unless `content` is what the bootstrap's digest of the chunk promises. */
export type ChunkVerifier = (chunk: Pick<ChunkRef, 'chunkId' | 'digest'>, content: Uint8Array) => void;

/** Makes a verifier for an image's digester (blake3 is nydus' default, and has to be loaded first). */
export async function createChunkVerifier(digester: Digester): Promise<ChunkVerifier> {
  const digestOf = await digestFunction(digester);
  return ({ chunkId, digest }, content) => {
    if (Buffer.compare(digestOf(content), digest) !== 0)
      throw new HarnessError(
        'DIGEST_MISMATCH',
        `chunk ${String(chunkId)} does not have the ${digester} of the bootstrap`,
      );
  };
}

async function digestFunction(digester: Digester): Promise<(content: Uint8Array) => Uint8Array> {
  switch (digester) {
    case 'sha256':
      return (content) => hash('sha256', content, 'buffer');
    case 'blake3': {
      const blake3 = await createBLAKE3();
      return (content) => blake3.init().update(content).digest('binary');
    }
  }
}

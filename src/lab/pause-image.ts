import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { mediaTypes } from '../image/manifest.ts';

/** A small image in memory: what a registry needs to have pushed. */
export interface SmallImage {
  readonly blobs: readonly { readonly digest: string; readonly bytes: Uint8Array }[];
  readonly manifest: Uint8Array;
  readonly mediaType: string;
}

/**
 * The sandbox's image: one static x86-64 ELF file of 132 bytes that waits for ever. Building it here saves the lab
 * from a download: it is `for (;;) pause();`.
 */
export async function pauseImage(): Promise<SmallImage> {
  const tar = pack();
  tar.entry({ name: 'pause', mode: 0o755, mtime: new Date(0) }, Buffer.from(pauseProgram()));
  tar.finalize();
  const layerTar = await buffer(tar);
  const layer = gzipSync(layerTar);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Entrypoint: ['/pause'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(layerTar)] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: mediaTypes.ociLayerGzip, digest: digestOf(layer), size: layer.length }],
    }),
  );
  return {
    blobs: [config, layer].map((bytes) => ({ digest: digestOf(bytes), bytes })),
    manifest,
    mediaType: mediaTypes.ociManifest,
  };
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** ELF64 header, one program header, and the loop (System V ABI; x86-64 system call 34 is pause). */
function pauseProgram(): Uint8Array {
  const loadAddress = 0x400000n;
  const headerSize = 64 + 56;
  const code = Uint8Array.of(0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7); // mov eax,34; syscall; jmp -9
  const file = new Uint8Array(headerSize + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64 bit, little-endian, version 1
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true);
  view.setBigUint64(24, loadAddress + BigInt(headerSize), true); // entry point
  view.setBigUint64(32, 64n, true); // program header follows
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true); // read, execute
  view.setBigUint64(80, loadAddress, true);
  view.setBigUint64(88, loadAddress, true);
  view.setBigUint64(96, BigInt(file.length), true);
  view.setBigUint64(104, BigInt(file.length), true);
  view.setBigUint64(112, 0x1000n, true);
  file.set(code, headerSize);
  return file;
}

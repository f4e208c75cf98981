import { request } from 'undici';
import { HarnessError } from '../errors/harness-error.ts';
import { labRegistryAddress, type LabLayout } from './lab-layout.ts';
import type { SmallImage } from './pause-image.ts';

/** Pushes an image that is in memory to the lab's registry, as soon as that answers. */
export async function pushSmallImage(
  layout: LabLayout,
  repository: string,
  tag: string,
  image: SmallImage,
  signal?: AbortSignal,
): Promise<void> {
  const base = `http://${labRegistryAddress(layout)}/v2/${repository}`;
  const put = async (url: string, body: Uint8Array, contentType: string): Promise<void> => {
    const answer = await request(url, {
      method: 'PUT',
      body,
      headers: { 'content-type': contentType },
      ...(signal === undefined ? {} : { signal }),
    });
    await answer.body.dump();
    if (answer.statusCode >= 300) {
      throw new HarnessError(
        'LAB_FAILED',
        `the lab's registry refused ${repository}:${tag} (HTTP ${String(answer.statusCode)})`,
      );
    }
  };
  for (const { digest, bytes } of image.blobs) {
    const opened = await request(`${base}/blobs/uploads/`, { method: 'POST' });
    await opened.body.dump();
    const location = opened.headers['location'];
    if (typeof location !== 'string')
      throw new HarnessError('LAB_FAILED', "the lab's registry opened no upload");
    const upload = new URL(location, base);
    upload.searchParams.set('digest', digest);
    await put(upload.href, bytes, 'application/octet-stream');
  }
  await put(`${base}/manifests/${tag}`, image.manifest, image.mediaType);
}

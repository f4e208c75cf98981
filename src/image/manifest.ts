import { z } from 'zod';

/** sha256 digest as OCI writes it. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/u);

/** OCI content descriptor (image-spec, descriptor.md); other keys are kept by reading the raw bytes, not this. */
export const descriptor = z.looseObject({
  mediaType: z.string(),
  digest,
  size: z.number().int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Descriptor = z.infer<typeof descriptor>;

/** OCI image manifest or Docker schema 2 manifest: the parts lazybench reads. */
export const imageManifest = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type ImageManifest = z.infer<typeof imageManifest>;

/** OCI image index or Docker manifest list. */
export const imageIndex = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(
    descriptor.extend({
      artifactType: z.string().optional(),
      platform: z
        .looseObject({
          os: z.string(),
          architecture: z.string(),
          variant: z.string().optional(),
          'os.features': z.array(z.string()).optional(),
        })
        .optional(),
    }),
  ),
});
export type ImageIndex = z.infer<typeof imageIndex>;

/** OCI image config: the parts lazybench reads. */
export const imageConfig = z.looseObject({
  architecture: z.string().optional(),
  os: z.string().optional(),
  config: z
    .looseObject({
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      Env: z.array(z.string()).nullish(),
      WorkingDir: z.string().nullish(),
    })
    .nullish(),
  rootfs: z.looseObject({ type: z.string(), diff_ids: z.array(digest) }),
});
export type ImageConfig = z.infer<typeof imageConfig>;

/** Media types and annotation keys, with the specification each comes from. */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  /** A Nydus data blob (nydus-snapshotter, pkg/converter). */
  nydusBlob: 'application/vnd.oci.image.layer.nydus.blob.v1',
} as const;

/** Annotations that mark Nydus layers (nydus-snapshotter, pkg/label and pkg/converter). */
export const nydusAnnotations = {
  blob: 'containerd.io/snapshot/nydus-blob',
  bootstrap: 'containerd.io/snapshot/nydus-bootstrap',
  fsVersion: 'containerd.io/snapshot/nydus-fs-version',
  sourceDigest: 'containerd.io/snapshot/nydus-source-digest',
  sourceReference: 'containerd.io/snapshot/nydus-source-reference',
  builderVersion: 'containerd.io/snapshot/nydus-builder-version',
  uncompressed: 'containerd.io/uncompressed',
} as const;

/** What a trial's evidence is held against: facts of the plan and of the arm's image. */
export interface ArmExpectation {
  /** `lazy` = one RAFS lower directory and a nydusd for the image; `eager` = unpacked layers and none. */
  readonly expect: 'lazy' | 'eager';
  /** State of the node's cache that the trial was to start from. */
  readonly cache: 'cold' | 'layer-warm' | 'warm';
  readonly image: {
    /** As the pod spec has it. */
    readonly reference: string;
    readonly digest: string | undefined;
    /** Compressed bytes of manifest, config and layers; undefined = not known. */
    readonly sizeBytes: number | undefined;
  };
}

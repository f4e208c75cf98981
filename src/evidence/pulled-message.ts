/** What a kubelet's `Pulled` event says. Durations in milliseconds; undefined where that version says nothing. */
export type PulledMessage =
  | {
      readonly kind: 'pulled';
      readonly image: string;
      /** The CRI pull alone (1.26 and newer), or pull and queue together (1.20 to 1.25). */
      readonly pullMs: number | undefined;
      /** Pull and time in the kubelet's queue; undefined when the message does not tell them apart. */
      readonly waitingMs: number | undefined;
      /** Compressed size that the manifest declares: not what was transferred. */
      readonly sizeBytes: number | undefined;
    }
  | { readonly kind: 'already-present'; readonly image: string };

const goDuration = String.raw`(?:\d+(?:\.\d+)?(?:h|ms|m|s|µs|μs|us|ns))+`;
const quoted = String.raw`"((?:[^"\\]|\\.)*)"`;
const pulled = new RegExp(
  String.raw`Successfully pulled image ${quoted}(?: in (${goDuration}))?` +
    String.raw`(?:\s*\((${goDuration}) including waiting\))?(?:\. Image size: (\d+) bytes\.)?`,
  'u',
);
const present = new RegExp(String.raw`Container image ${quoted} already present on machine`, 'u');

/**
 * Reads the message of a `Pulled` event in all the forms that kubelets from 1.19 to 1.35 write
 * (pkg/kubelet/images/image_manager.go). Undefined for any other text.
 */
export function parsePulledMessage(message: string): PulledMessage | undefined {
  const [, presentImage] = present.exec(message) ?? [];
  if (presentImage !== undefined) return { kind: 'already-present', image: unquote(presentImage) };
  const [, image, pull, waiting, size] = pulled.exec(message) ?? [];
  if (image === undefined) return undefined;
  return {
    kind: 'pulled',
    image: unquote(image),
    pullMs: goDurationMs(pull),
    waitingMs: goDurationMs(waiting),
    sizeBytes: size === undefined ? undefined : Number(size),
  };
}

/** Undoes Go's %q for what an image reference can hold. */
const unquote = (text: string): string => text.replaceAll(/\\(.)/gu, '$1');

const msPerUnit: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3, // U+00B5 micro sign: what Go prints
  μs: 1e-3, // U+03BC Greek mu: what Go also reads
  ns: 1e-6,
};

const goDurationMs = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  let totalMs = 0;
  // `ms` before `m`, or "873ms" would be read as 873 minutes.
  for (const [, digits, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|µs|μs|us|ns)/gu))
    totalMs += Number(digits) * (msPerUnit[unit ?? ''] ?? Number.NaN);
  return totalMs;
};

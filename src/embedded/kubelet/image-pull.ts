import type { Clock } from '../../units/clock.ts';
import type { PodContainer } from '../api/pod.ts';
import type { ContainerRuntime } from '../container-runtime.ts';
import type { PodEvent } from './event-recorder.ts';
import { goDuration } from './go-duration.ts';

/** How it ended: the image is there, or the container has to wait for `reason`. */
export type PullOutcome =
  | { readonly kind: 'present' }
  | {
      readonly kind: 'failed';
      readonly reason: 'ErrImagePull' | 'ErrImageNeverPull';
      readonly message: string;
    };

/** Makes the image present as the pull policy says (pkg/kubelet/images, EnsureImageExists), with the kubelet's events. */
export async function ensureImage(
  container: PodContainer,
  runtimeHandler: string,
  runtime: ContainerRuntime,
  options: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly record: (event: Omit<PodEvent, 'container'>) => void;
  },
): Promise<PullOutcome> {
  const { image, imagePullPolicy } = container;
  const { clock, signal, record } = options;
  const quoted = JSON.stringify(image);
  const present = imagePullPolicy !== 'Always' && (await runtime.hasImage(image));
  if (present) {
    record({
      type: 'Normal',
      reason: 'Pulled',
      message: `Container image ${quoted} already present on machine`,
    });
    return { kind: 'present' };
  }
  if (imagePullPolicy === 'Never') {
    const message = `Container image ${quoted} is not present with pull policy of Never`;
    record({ type: 'Warning', reason: 'ErrImageNeverPull', message });
    record({ type: 'Warning', reason: 'Failed', message: 'Error: ErrImageNeverPull' });
    return { kind: 'failed', reason: 'ErrImageNeverPull', message };
  }
  record({ type: 'Normal', reason: 'Pulling', message: `Pulling image ${quoted}` });
  const startedNs = clock.monotonicNs();
  try {
    const { sizeBytes } = await runtime.pullImage(image, runtimeHandler, signal);
    // Pulls do not queue here, so both durations are the same.
    const took = goDuration(clock.monotonicNs() - startedNs);
    record({
      type: 'Normal',
      reason: 'Pulled',
      message: `Successfully pulled image ${quoted} in ${took} (${took} including waiting). Image size: ${sizeBytes} bytes.`,
    });
    return { kind: 'present' };
  } catch (error) {
    signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    record({ type: 'Warning', reason: 'Failed', message: `Failed to pull image ${quoted}: ${message}` });
    record({ type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull' });
    return { kind: 'failed', reason: 'ErrImagePull', message };
  }
}

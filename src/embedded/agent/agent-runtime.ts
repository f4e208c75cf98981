import { randomBytes } from 'node:crypto';
import type { Container, ContainerExit, ContainerRuntime } from '../container-runtime.ts';

/** Image of the embedded agents' pods: nothing is pulled for it, it comes with the node. */
export const agentImage = 'lazybench.local/agent:embedded';

/**
 * A node's runtime with the agent on board: its image counts as present, and its container does nothing, because
 * the agent is a handler in this process. So the agent's pod looks like any other, and moves no byte.
 */
export function withAgent(runtime: ContainerRuntime): ContainerRuntime {
  return {
    hasImage: (reference) => (reference === agentImage ? Promise.resolve(true) : runtime.hasImage(reference)),
    pullImage: (reference, runtimeHandler, signal) => runtime.pullImage(reference, runtimeHandler, signal),
    createContainer: (spec, signal) =>
      spec.image === agentImage ? Promise.resolve(idleContainer()) : runtime.createContainer(spec, signal),
  };
}

function idleContainer(): Container {
  const { promise, resolve } = Promise.withResolvers<ContainerExit>();
  return {
    id: randomBytes(32).toString('hex'),
    start: () => Promise.resolve(),
    exited: promise,
    remove: () => {
      resolve({ exitCode: 0, reason: 'Completed' });
      return Promise.resolve();
    },
  };
}

/** A pod that may be an agent. */
export interface AgentPod {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
  readonly spec?:
    | {
        readonly nodeName?: string | undefined;
        readonly containers?:
          | readonly {
              readonly ports?:
                readonly { readonly name?: string | undefined; readonly containerPort: number }[] | undefined;
            }[]
          | undefined;
      }
    | undefined;
}

/** What the agent's client needs of a cluster: finding pods, one Secret, and the pod proxy. */
export interface AgentHost {
  listPods(
    query: { readonly namespace: string | undefined; readonly labelSelector: string },
    signal?: AbortSignal,
  ): Promise<readonly AgentPod[]>;
  readSecret(
    namespace: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, string>> | undefined>;
  proxyPod(request: {
    readonly namespace: string;
    readonly pod: string;
    readonly port: number;
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly signal?: AbortSignal | undefined;
  }): Promise<{ readonly status: number; readonly text: string }>;
}

/**
 * The program in the quickstart's image: a small service that checks pod descriptions. At its start it does what such
 * services do: read its configuration, build its schema, index its objects; then it listens, and says `ready`. The
 * Kubernetes client, by far its largest dependency, is loaded by the first request that needs it: part of the image,
 * not of the start. scenarios/quickstart.trace.jsonl is the record of this program.
 */
export const quickstartApp = `#!/usr/local/bin/node
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { JSONPath } from 'jsonpath-plus';
import { Agent } from 'undici';
import { WebSocketServer } from 'ws';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';

const settings = parse(\`
server: https://127.0.0.1:6443
namespaces: [default, training, inference]
images: { base: 12, node: 24, cuda: 13 }
podsPerNamespace: 20
\`);
console.log('configuration read: ' + settings.namespaces.length + ' namespaces');

const podSchema = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('Pod'),
  metadata: z.object({ name: z.string().regex(/^[a-z][a-z0-9-]*$/), namespace: z.string() }),
  spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string() })).min(1) }),
});
const documents = settings.namespaces.flatMap((namespace) =>
  Array.from({ length: settings.podsPerNamespace }, (_, index) => {
    const [image, version] = Object.entries(settings.images)[index % 3];
    return stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: image + '-' + index, namespace },
      spec: { containers: [{ name: 'main', image: 'registry.local/' + image + ':' + version }] },
    });
  }),
);
const pods = parseAllDocuments(documents.join('---\\n')).map((document) => podSchema.parse(document.toJS()));
const index = new Map(
  pods.map((pod) => [createHash('sha256').update(JSON.stringify(pod)).digest('hex').slice(0, 12), pod]),
);
const images = new Set(JSONPath({ path: '$..image', json: pods }));
console.log('indexed ' + index.size + ' pods of ' + images.size + ' images');

const upstream = new Agent({ connections: 4 });
const clusterPods = async () => {
  const { KubeConfig, CoreV1Api } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'main', server: settings.server }, { name: 'reader' });
  return (await config.makeApiClient(CoreV1Api).listPodForAllNamespaces()).items.length;
};
const server = createServer(async (request, response) => {
  const pod = index.get((request.url ?? '/').slice(1));
  const cluster = request.url === '/cluster' ? await clusterPods().catch((error) => error.message) : undefined;
  const isFound = pod !== undefined || request.url === '/health' || request.url === '/cluster';
  response.writeHead(isFound ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(pod ?? { pods: index.size, cluster }));
});
const sockets = new WebSocketServer({ server, path: '/watch' });
sockets.on('connection', (socket) => socket.send(JSON.stringify([...index.keys()])));
server.listen(Number(process.env.PORT ?? 8080), () => console.log('ready'));
process.on('SIGTERM', () => server.close(() => upstream.close()));
`;

import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from './command.ts';
import type { LabLayout } from './lab-layout.ts';

/** One identity of the lab: a certificate that the lab's CA signs. */
interface Identity {
  readonly name: string;
  readonly subject: string;
  readonly alternativeNames: string;
}

/** Makes the CA, the service-account key and every certificate that is not there yet, and a kubeconfig for each user. */
export async function makePki(layout: LabLayout, signal?: AbortSignal): Promise<void> {
  const directory = layout.pkiDirectory;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const openssl = (...args: string[]): Promise<string> =>
    runCommand(['openssl', ...args], { cwd: directory, signal });

  await openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '365',
    '-subj',
    '/CN=lazybench-lab-ca',
  );
  await openssl('genrsa', '-out', 'sa.key', '2048');
  await openssl('rsa', '-in', 'sa.key', '-pubout', '-out', 'sa.pub');

  const api = `https://${layout.controlAddress}:${String(layout.apiPort)}`;
  for (const identity of identities(layout)) {
    const { name } = identity;
    await openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      identity.subject,
    );
    await writeFile(
      path.join(directory, `${name}.ext`),
      `subjectAltName=${identity.alternativeNames}\nextendedKeyUsage=serverAuth,clientAuth\n`,
    );
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${name}.crt`,
      '-days',
      '365',
      '-extfile',
      `${name}.ext`,
    );
    await writeKubeconfig(directory, name, api);
  }
}

function identities(layout: LabLayout): readonly Identity[] {
  const user = (name: string, subject: string): Identity => ({
    name,
    subject,
    alternativeNames: `DNS:${name}`,
  });
  return [
    {
      name: 'apiserver',
      subject: '/CN=kube-apiserver',
      alternativeNames: `DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:${layout.controlAddress},IP:10.96.0.1`,
    },
    user('admin', '/O=system:masters/CN=admin'),
    user('controller-manager', '/CN=system:kube-controller-manager'),
    user('scheduler', '/CN=system:kube-scheduler'),
    user('kubelet-client', '/O=system:masters/CN=kubelet-client'),
    // The harness has a name of its own and only the rights that deploy/ gives it.
    user('lazybench', '/O=lazybench/CN=lazybench'),
    ...layout.nodes.map((node) => ({
      name: node.name,
      subject: `/O=system:nodes/CN=system:node:${node.name}`,
      alternativeNames: `DNS:${node.name},IP:${node.address}`,
    })),
  ];
}

async function writeKubeconfig(directory: string, name: string, server: string): Promise<void> {
  const encoded = async (file: string): Promise<string> =>
    (await readFile(path.join(directory, file))).toString('base64');
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'lazybench-lab', cluster: { server, 'certificate-authority-data': await encoded('ca.crt') } },
    ],
    users: [
      {
        name,
        user: {
          'client-certificate-data': await encoded(`${name}.crt`),
          'client-key-data': await encoded(`${name}.key`),
        },
      },
    ],
    contexts: [
      { name: 'lazybench-lab', context: { cluster: 'lazybench-lab', user: name, namespace: 'lazybench' } },
    ],
    'current-context': 'lazybench-lab',
  };
  // JSON is YAML: every reader of kubeconfigs takes it.
  const file = path.join(directory, `${name}.kubeconfig`);
  await writeFile(file, `${JSON.stringify(kubeconfig, undefined, 2)}\n`);
  await chmod(file, 0o600);
}

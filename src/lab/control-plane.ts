import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LabLayout } from './lab-layout.ts';
import { labRegistryAddress } from './lab-layout.ts';
import type { ProcessTable } from './process-table.ts';

/** Starts etcd, the API server and the registry; the rest waits until the API answers ({@link startControllers}). */
export async function startApi(
  layout: LabLayout,
  binDirectory: string,
  processes: ProcessTable,
): Promise<void> {
  const pki = (file: string): string => path.join(layout.pkiDirectory, file);
  const etcdClient = `http://127.0.0.1:${String(layout.etcdPort)}`;
  const etcdPeer = `http://127.0.0.1:${String(layout.etcdPort + 1)}`;
  await processes.start('etcd', [
    'etcd',
    '--data-dir',
    path.join(layout.directory, 'etcd'),
    '--listen-client-urls',
    etcdClient,
    '--advertise-client-urls',
    etcdClient,
    '--listen-peer-urls',
    etcdPeer,
    '--initial-advertise-peer-urls',
    etcdPeer,
    '--initial-cluster',
    `default=${etcdPeer}`,
    // A lab is thrown away: losing its last writes on a power cut is fine.
    '--unsafe-no-fsync',
  ]);
  await processes.start('apiserver', [
    path.join(binDirectory, 'kube-apiserver'),
    `--etcd-servers=${etcdClient}`,
    `--bind-address=${layout.controlAddress}`,
    `--secure-port=${String(layout.apiPort)}`,
    `--advertise-address=${layout.controlAddress}`,
    `--service-cluster-ip-range=${layout.serviceSubnet}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--service-account-key-file=${pki('sa.pub')}`,
    `--service-account-signing-key-file=${pki('sa.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--kubelet-client-certificate=${pki('kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('kubelet-client.key')}`,
    `--kubelet-certificate-authority=${pki('ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    '--profiling=false',
    '--shutdown-delay-duration=0s',
  ]);
  const registryConfig = path.join(layout.directory, 'registry.json');
  await mkdir(path.join(layout.directory, 'registry'), { recursive: true });
  await writeFile(
    registryConfig,
    JSON.stringify({
      version: 0.1,
      storage: {
        filesystem: { rootdirectory: path.join(layout.directory, 'registry') },
        delete: { enabled: true },
      },
      http: { addr: labRegistryAddress(layout) },
      log: { level: 'info' },
    }),
  );
  await processes.start('registry', ['docker-registry', 'serve', registryConfig]);
}

/** Starts the controller manager and the scheduler. */
export async function startControllers(
  layout: LabLayout,
  binDirectory: string,
  processes: ProcessTable,
): Promise<void> {
  const pki = (file: string): string => path.join(layout.pkiDirectory, file);
  await processes.start('controller-manager', [
    path.join(binDirectory, 'kube-controller-manager'),
    `--kubeconfig=${pki('controller-manager.kubeconfig')}`,
    `--service-account-private-key-file=${pki('sa.key')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    '--use-service-account-credentials',
    '--controllers=*,-node-ipam-controller,-service-lb-controller,-node-route-controller',
    '--leader-elect=false',
    `--bind-address=127.0.0.1`,
  ]);
  await processes.start('scheduler', [
    path.join(binDirectory, 'kube-scheduler'),
    `--kubeconfig=${pki('scheduler.kubeconfig')}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
  ]);
}

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand as tryCommand } from '../image/run-command.ts';
import { runCommand } from './command.ts';
import type { LabLayout, LabNodeLayout } from './lab-layout.ts';

const forwarding = '/proc/sys/net/ipv4/ip_forward';
const rememberedForwarding = (layout: LabLayout): string => path.join(layout.directory, 'ip-forward-before');

/** Makes the lab's bridge and one network namespace with a link to it for each node. */
export async function makeNetwork(layout: LabLayout, signal?: AbortSignal): Promise<void> {
  const ip = (...args: string[]): Promise<string> => runCommand(['ip', ...args], { signal });
  await ip('link', 'add', layout.bridge, 'type', 'bridge');
  await ip('addr', 'add', `${layout.controlAddress}/24`, 'dev', layout.bridge);
  await ip('link', 'set', layout.bridge, 'up');
  await writeFile(rememberedForwarding(layout), await readFile(forwarding));
  await writeFile(forwarding, '1');
  for (const node of layout.nodes) {
    const inside = (...args: string[]): Promise<string> => ip('-n', node.networkNamespace, ...args);
    await ip('netns', 'add', node.networkNamespace);
    await ip(
      'link',
      'add',
      node.hostLink,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      node.networkNamespace,
    );
    await ip('link', 'set', node.hostLink, 'master', layout.bridge, 'up');
    await inside('link', 'set', 'lo', 'up');
    await inside('link', 'set', 'eth0', 'up');
    await inside('addr', 'add', `${node.address}/24`, 'dev', 'eth0');
    await inside('route', 'add', 'default', 'via', layout.controlAddress);
    await ip('route', 'replace', node.podSubnet, 'via', node.address);
    await runCommand(
      ['nsenter', `--net=/run/netns/${node.networkNamespace}`, 'sysctl', '-qw', 'net.ipv4.ip_forward=1'],
      { signal },
    );
  }
}

/** Takes the network away again: links, namespaces, routes (they go with the links) and the forwarding switch. */
export async function removeNetwork(layout: LabLayout): Promise<void> {
  for (const node of layout.nodes) {
    await tryCommand(['ip', 'link', 'del', node.hostLink]);
    await tryCommand(['ip', 'netns', 'del', node.networkNamespace]);
  }
  await tryCommand(['ip', 'link', 'del', layout.bridge]);
  const before = await readFile(rememberedForwarding(layout), 'utf8').catch(() => undefined);
  if (before !== undefined) await writeFile(forwarding, before.trim());
}

/**
 * Shapes what the node receives (undefined = unshaped). A token bucket on the bridge's end of the link: kernels
 * without netem have tbf, so bandwidth can be shaped everywhere and latency only where netem is.
 */
export async function shapeNodeLink(
  node: LabNodeLayout,
  rateBytesPerSecond: number | undefined,
  signal?: AbortSignal,
): Promise<void> {
  await tryCommand(['tc', 'qdisc', 'del', 'dev', node.hostLink, 'root'], { signal });
  if (rateBytesPerSecond === undefined) return;
  const rate = `${String(Math.round(rateBytesPerSecond * 8))}bit`;
  await runCommand(
    [
      'tc',
      'qdisc',
      'add',
      'dev',
      node.hostLink,
      'root',
      'tbf',
      'rate',
      rate,
      'burst',
      '256kb',
      'latency',
      '200ms',
    ],
    { signal },
  );
}

/** What the kernel says of the node's shaping, e.g. `tbf rate 400Mbit`; undefined when unshaped. */
export async function describeShaping(node: LabNodeLayout): Promise<string | undefined> {
  const { stdout } = await tryCommand(['tc', 'qdisc', 'show', 'dev', node.hostLink]);
  return /tbf .*?rate (\S+)/u.exec(stdout)?.[1];
}

import { HarnessError } from '../../errors/harness-error.ts';
import type { EntryMetadata } from '../layer-entry.ts';
import { maxNameBytes } from './layout.ts';
import type { StoredChunk } from './stored-chunk.ts';

/** What a node of the merged tree is. */
export type NodeBody =
  | { readonly kind: 'file'; readonly sizeBytes: number; readonly chunks: readonly StoredChunk[] }
  | { readonly kind: 'directory'; readonly children: Map<string, TreeName> }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'character' | 'block'; readonly major: number; readonly minor: number }
  | { readonly kind: 'fifo' };

export type NodeAttributes = Pick<EntryMetadata, 'mode' | 'uid' | 'gid' | 'mtimeS' | 'mtimeNs' | 'xattrs'>;

/** A file-system object; hard links are several names of one node. */
export interface TreeNode {
  attributes: NodeAttributes;
  readonly body: NodeBody;
}

export interface DirectoryNode extends TreeNode {
  readonly body: Extract<NodeBody, { kind: 'directory' }>;
}

/** A name in a directory, and the layer that gave it: whiteouts of a layer spare the layer's own names. */
export interface TreeName {
  readonly node: TreeNode;
  readonly layerIndex: number;
}

/** As Linux: ELOOP after 40 symlinks on one path. */
const maxLinksFollowed = 40;
const maxPathBytes = 4095;
/** PATH_MAX allows no deeper path, and every walk over the tree may recurse. */
const maxDepth = 2048;

/** What containerd gives a directory that a layer uses without announcing it. */
const impliedDirectory: NodeAttributes = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtimeS: 0,
  mtimeNs: 0,
  xattrs: new Map(),
};

const newDirectory = (attributes: NodeAttributes): DirectoryNode => ({
  attributes,
  body: { kind: 'directory', children: new Map() },
});

export const isDirectory = (node: TreeNode): node is DirectoryNode => node.body.kind === 'directory';

const corrupt = (message: string): HarnessError => new HarnessError('IMAGE_CORRUPT', message);

function segmentsOf(path: string): string[] {
  if (Buffer.byteLength(path) > maxPathBytes)
    throw new HarnessError(
      'IMAGE_UNSUPPORTED',
      `a layer has a path of ${String(Buffer.byteLength(path))} bytes`,
    );
  return path.split('/').filter((segment) => segment !== '' && segment !== '.');
}

function requireName(name: string, path: string): void {
  if (name === '..' || name.includes('\0'))
    throw new HarnessError('LAYER_UNSAFE', `a layer has the path '${path}'`);
  if (Buffer.byteLength(name) > maxNameBytes)
    throw new HarnessError(
      'IMAGE_UNSUPPORTED',
      `a layer has a name of ${String(Buffer.byteLength(name))} bytes; file systems end at ${String(maxNameBytes)}`,
    );
}

/**
 * The root file system that layers make up when applied in order, by the rules of the OCI image specification
 * (layer.md) and, where it is silent, as containerd unpacks: parents that are symlinks are followed inside the
 * root, a directory over a directory keeps its children, anything else is replaced.
 */
export class FileTree {
  readonly root: DirectoryNode = newDirectory(impliedDirectory);

  /** Puts a node at `path`. Throws IMAGE_CORRUPT where a parent is no directory. */
  place(path: string, layerIndex: number, attributes: NodeAttributes, body: NodeBody): void {
    const segments = segmentsOf(path);
    const name = segments.pop();
    if (name === undefined) {
      if (body.kind !== 'directory') throw corrupt(`a layer makes the root a ${body.kind}`);
      this.root.attributes = attributes;
      return;
    }
    requireName(name, path);
    const { children } = this.#parent(segments, path, layerIndex).body;
    const present = children.get(name)?.node;
    if (body.kind === 'directory' && present !== undefined && isDirectory(present)) {
      present.attributes = attributes;
      children.set(name, { node: present, layerIndex });
      return;
    }
    children.set(name, { node: { attributes, body }, layerIndex });
  }

  /** Gives the file `target` another name. Throws IMAGE_CORRUPT when it is not there, or a directory. */
  link(path: string, target: string, layerIndex: number): void {
    const node = this.find(target, { followLast: false });
    if (node === undefined || isDirectory(node))
      throw corrupt(
        `a layer has '${path}' as a hard link to '${target}', which ${node === undefined ? 'does not exist' : 'is a directory'}`,
      );
    const segments = segmentsOf(path);
    const name = segments.pop();
    if (name === undefined) throw corrupt('a layer makes the root a hard link');
    requireName(name, path);
    // RAFS links regular files only; of anything else a copy is the same to everyone but st_ino and st_nlink.
    const linked = node.body.kind === 'file' ? node : { ...node };
    this.#parent(segments, path, layerIndex).body.children.set(name, { node: linked, layerIndex });
  }

  /** A whiteout: `path` of the lower layers goes, what layer `layerIndex` itself put there stays. */
  remove(path: string, layerIndex: number): void {
    const segments = segmentsOf(path);
    const name = segments.pop();
    if (name === undefined) throw corrupt('a layer removes the root');
    const parent = this.find(segments.join('/'));
    const present = parent !== undefined && isDirectory(parent) ? parent.body.children.get(name) : undefined;
    if (parent === undefined || present === undefined || !isDirectory(parent)) return;
    if (!survives(present, layerIndex)) parent.body.children.delete(name);
  }

  /** An opaque directory: everything lower layers have in it goes. */
  removeChildren(path: string, layerIndex: number): void {
    const directory = this.find(path);
    if (directory !== undefined && isDirectory(directory)) prune(directory, layerIndex);
  }

  /** Resolves a path inside the root; symlinks are followed (the last only on demand). */
  find(path: string, { followLast = true }: { readonly followLast?: boolean } = {}): TreeNode | undefined {
    return this.#resolve(segmentsOf(path), { followLast }, () => undefined)?.at(-1);
  }

  #parent(segments: readonly string[], path: string, layerIndex: number): DirectoryNode {
    for (const segment of segments) requireName(segment, path);
    const trail = this.#resolve(segments, { followLast: true }, (directory, name) => {
      const node = newDirectory(impliedDirectory);
      directory.body.children.set(name, { node, layerIndex });
      return node;
    });
    const parent = trail?.at(-1);
    if (parent === undefined || !isDirectory(parent))
      throw corrupt(`a layer has '${path}', but a parent of it is not a directory`);
    if ((trail?.length ?? 0) > maxDepth)
      throw new HarnessError('IMAGE_UNSUPPORTED', 'a layer has directories deeper than any path can name');
    return parent;
  }

  /** Nodes from the root to the end of the path; undefined where it leads nowhere. */
  #resolve(
    segments: readonly string[],
    { followLast }: { readonly followLast: boolean },
    missing: (directory: DirectoryNode, name: string) => TreeNode | undefined,
  ): TreeNode[] | undefined {
    const trail: TreeNode[] = [this.root];
    const pending = [...segments].reverse();
    let linksFollowed = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const here = trail.at(-1);
      if (here === undefined || !isDirectory(here)) return undefined;
      if (name === '..') {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const node = here.body.children.get(name)?.node ?? missing(here, name);
      if (node === undefined) return undefined;
      if (node.body.kind !== 'symlink' || (pending.length === 0 && !followLast)) {
        trail.push(node);
        continue;
      }
      linksFollowed += 1;
      if (linksFollowed > maxLinksFollowed) return undefined;
      if (node.body.target.startsWith('/')) trail.splice(1);
      pending.push(...segmentsOf(node.body.target).reverse());
    }
    return trail;
  }
}

/** Whether anything of layer `layerIndex` is at this name; lower content below it goes. */
function survives(entry: TreeName, layerIndex: number): boolean {
  const keepsChildren = isDirectory(entry.node) && prune(entry.node, layerIndex);
  return entry.layerIndex >= layerIndex || keepsChildren;
}

/** Removes what lower layers have below `directory`; true when something is left. */
function prune(directory: DirectoryNode, layerIndex: number): boolean {
  for (const [name, entry] of directory.body.children)
    if (!survives(entry, layerIndex)) directory.body.children.delete(name);
  return directory.body.children.size > 0;
}

import { HarnessError } from '../../errors/harness-error.ts';
import { isDirectory, type DirectoryNode, type FileTree, type TreeNode } from './file-tree.ts';
import {
  alignUp,
  blockSizeBytes,
  chunkIndexBytes,
  direntBytes,
  maxLinkTargetBytes,
  nidUnitBytes,
} from './layout.ts';
import { encodeXattrs } from './xattr.ts';

/** A node with its place in the metadata area. */
export interface PlacedNode {
  readonly node: TreeNode;
  readonly nid: number;
  readonly inodeNumber: number;
  readonly linkCount: number;
  readonly sizeBytes: number;
  readonly layout: 'plain' | 'inline' | 'chunked';
  /** Byte offset of the inode in the bootstrap. */
  readonly offset: number;
  readonly xattrs: Uint8Array;
  /** Full blocks of a directory or symlink; 0 when there are none. */
  readonly firstBlock: number;
  /** Directory: its names, cut into blocks. */
  readonly blocks: readonly (readonly DirectoryName[])[];
}

export interface DirectoryName {
  readonly name: Buffer;
  readonly node: TreeNode;
}

/** Extended inodes only: compact ones have no time of their own. */
export const inodeBytes = 64;

/** Nodes in the order they are written, found again by node. */
export interface PlacedTree {
  readonly nodes: ReadonlyMap<TreeNode, PlacedNode>;
  readonly endOffset: number;
}

interface Listed {
  readonly node: TreeNode;
  readonly parent: DirectoryNode;
  linkCount: number;
}

/** Every node once, parents before children, names in byte order; counts the links of files. */
function listNodes(root: DirectoryNode): Map<TreeNode, Listed> {
  const listed = new Map<TreeNode, Listed>();
  const add = (node: TreeNode, parent: DirectoryNode): void => {
    const known = listed.get(node);
    if (known !== undefined) {
      known.linkCount += 1;
      return;
    }
    listed.set(node, { node, parent, linkCount: 1 });
    if (isDirectory(node)) for (const child of sortedNames(node)) add(child.node, node);
  };
  add(root, root);
  return listed;
}

const sortedCache = new WeakMap<DirectoryNode, readonly DirectoryName[]>();

function sortedNames(directory: DirectoryNode): readonly DirectoryName[] {
  const known = sortedCache.get(directory);
  if (known !== undefined) return known;
  const names = Array.from(directory.body.children, ([name, { node }]) => ({
    name: Buffer.from(name),
    node,
  }));
  names.sort((a, b) => Buffer.compare(a.name, b.name));
  sortedCache.set(directory, names);
  return names;
}

/** A directory's names with `.` and `..`, in blocks: a name never crosses one. */
function directoryBlocks(directory: DirectoryNode, parent: DirectoryNode): DirectoryName[][] {
  const names = [
    { name: Buffer.from('.'), node: directory },
    { name: Buffer.from('..'), node: parent },
    ...sortedNames(directory),
  ].sort((a, b) => Buffer.compare(a.name, b.name));
  const blocks: DirectoryName[][] = [];
  let current: DirectoryName[] = [];
  let used = 0;
  for (const entry of names) {
    const needed = direntBytes + entry.name.length;
    if (used + needed > blockSizeBytes) {
      blocks.push(current);
      current = [];
      used = 0;
    }
    current.push(entry);
    used += needed;
  }
  return [...blocks, current];
}

/** Bytes of one directory block. */
const usedBytes = (block: readonly DirectoryName[]): number =>
  block.reduce((sum, { name }) => sum + direntBytes + name.length, 0);

function sizeOf(node: TreeNode, blocks: readonly (readonly DirectoryName[])[]): number {
  switch (node.body.kind) {
    case 'file':
      return node.body.sizeBytes;
    case 'symlink': {
      const sizeBytes = Buffer.byteLength(node.body.target);
      if (sizeBytes === 0 || sizeBytes > maxLinkTargetBytes)
        throw new HarnessError(
          'IMAGE_UNSUPPORTED',
          `a layer has a symlink to a path of ${String(sizeBytes)} bytes`,
        );
      return sizeBytes;
    }
    case 'directory':
      return (blocks.length - 1) * blockSizeBytes + usedBytes(blocks.at(-1) ?? []);
    case 'character':
    case 'block':
    case 'fifo':
      return 0;
  }
}

/**
 * Gives each inode its place behind `metadataOffset`. One block is left out so that the root gets nid 128, as
 * readers expect. Directories and symlinks keep their last partial block beside the inode where both fit into one
 * block; other data goes to whole blocks.
 */
export function placeNodes(tree: FileTree, metadataOffset: number): PlacedTree {
  const nodes = new Map<TreeNode, PlacedNode>();
  let position = metadataOffset + blockSizeBytes;
  for (const { node, parent, linkCount } of listNodes(tree.root).values()) {
    const blocks = isDirectory(node) ? directoryBlocks(node, parent) : [];
    const sizeBytes = sizeOf(node, blocks);
    const xattrs = encodeXattrs(node.attributes.xattrs);
    if (xattrs === undefined)
      throw new HarnessError(
        'IMAGE_UNSUPPORTED',
        'a layer has extended attributes larger than RAFS can hold',
      );
    const headBytes = inodeBytes + xattrs.length;
    const tailBytes = sizeBytes % blockSizeBytes;
    const hasData = node.body.kind === 'directory' || node.body.kind === 'symlink';
    const isInline = hasData && tailBytes > 0 && headBytes + tailBytes <= blockSizeBytes;
    const isFile = node.body.kind === 'file';
    const chunkCount = node.body.kind === 'file' ? node.body.chunks.length : 0;
    const ownBytes = isFile
      ? alignUp(headBytes, chunkIndexBytes) + chunkCount * chunkIndexBytes
      : headBytes + (isInline ? tailBytes : 0);
    let offset = alignUp(position, nidUnitBytes);
    const block = (at: number): number => Math.floor(at / blockSizeBytes);
    if (isInline && block(offset) !== block(offset + ownBytes - 1)) offset = alignUp(offset, blockSizeBytes);
    position = offset + ownBytes;
    const fullBlocks = !hasData ? 0 : isInline ? block(sizeBytes) : Math.ceil(sizeBytes / blockSizeBytes);
    const dataOffset = alignUp(position, blockSizeBytes);
    if (fullBlocks > 0) position = dataOffset + fullBlocks * blockSizeBytes;
    nodes.set(node, {
      node,
      nid: (offset - metadataOffset) / nidUnitBytes,
      inodeNumber: nodes.size + 1,
      linkCount: isDirectory(node)
        ? 2 + sortedNames(node).filter((child) => isDirectory(child.node)).length
        : linkCount,
      sizeBytes,
      layout: isFile ? 'chunked' : isInline ? 'inline' : 'plain',
      offset,
      xattrs,
      firstBlock: fullBlocks > 0 ? dataOffset / blockSizeBytes : 0,
      blocks,
    });
  }
  return { nodes, endOffset: alignUp(position, blockSizeBytes) };
}

// The embedded registry as a process of its own, as nginx is one: `node serve-registry.ts DIRECTORY`, prints its address.
import process from 'node:process';
import { startRegistryServer } from '../../src/registry/server/registry-server.ts';

const server = await startRegistryServer({ directory: process.argv[2] ?? '' });
process.stdout.write(`${server.address}\n`);
process.once('SIGTERM', () => void server[Symbol.asyncDispose]());

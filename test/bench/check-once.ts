// What bootstrap-parse.ts times, process start included: node check-once.ts BOOTSTRAP
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { checkBootstrap } from '../../src/image/rafs/check-bootstrap.ts';

const [, , file = ''] = process.argv;
console.log(JSON.stringify(checkBootstrap(readFileSync(file))));

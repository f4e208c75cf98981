import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../units/clock.ts';

/** A line and when its last byte arrived (client clock). */
export interface ArrivedLine {
  readonly line: string;
  readonly arrivedNs: bigint;
}

/**
 * Cuts a byte stream into lines. The arrival is taken first thing when a chunk comes, before anything is parsed. A
 * last line without its line feed is dropped: it was cut off.
 */
export async function* readLines(body: AsyncIterable<Uint8Array>, clock: Clock): AsyncGenerator<ArrivedLine> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of body) {
    const arrivedNs = clock.wallNs();
    const lines = (rest + decoder.write(Buffer.from(chunk))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield { line, arrivedNs };
  }
}

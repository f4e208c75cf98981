import type { IncomingMessage } from 'node:http';
import { ApiError, badRequest } from './api-error.ts';
import { parseJson, type Json } from './json.ts';

/** The real API server's limit for one request. */
const maxBytes = 3 * 1024 * 1024;

/** The media type without its parameters. */
export const mediaType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? '';

/** Reads a JSON body (null when it is empty); throws 400 or 413. */
export async function readJsonBody(request: IncomingMessage): Promise<Json> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const source: AsyncIterable<Buffer> = request;
  for await (const part of source) {
    bytes += part.length;
    if (bytes > maxBytes)
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBytes}`);
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString();
  if (text === '') return null;
  try {
    return parseJson(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(`couldn't get version/kind; json parse error: ${why}`);
  }
}

/** The body of a create or replace request; throws 415 unless it is JSON. */
export async function readObjectBody(request: IncomingMessage): Promise<Json> {
  if (mediaType(request) !== 'application/json')
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json',
    );
  return readJsonBody(request);
}

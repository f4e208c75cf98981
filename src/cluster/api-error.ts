import { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import type { ApiAnswer, Purpose } from './api-transport.ts';

const statusObject = z.looseObject({ kind: z.literal('Status'), message: z.string().optional() });

/** The API server's own words in an error answer, or the beginning of whatever it sent. */
export function answerMessage(text: string): string {
  try {
    const parsed = statusObject.safeParse(JSON.parse(text));
    if (parsed.success && parsed.data.message !== undefined) return parsed.data.message;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return text.slice(0, 200).trim();
}

/** The error for an answer that is not a success: 401 and 403 name the verb and the resource that were refused. */
export function answerError(server: string, purpose: Purpose, answer: ApiAnswer): HarnessError {
  const what = `${purpose.verb} ${purpose.resource}`;
  const message = answerMessage(answer.text);
  const details = { server, status: answer.status, ...purpose };
  if (answer.status === 401)
    return new HarnessError(
      'CLUSTER_FORBIDDEN',
      `${server} does not accept these credentials (${what}): ${message}`,
      {
        hint: 'Log in to the cluster again; `kubectl auth whoami` shows who you are to it.',
        details,
      },
    );
  if (answer.status === 403)
    return new HarnessError('CLUSTER_FORBIDDEN', `not allowed to ${what}: ${message}`, { details });
  if (answer.status >= 500 || answer.status === 429)
    return new HarnessError(
      'CLUSTER_UNREACHABLE',
      `${server} answers ${answer.status} to ${what}: ${message}`,
      {
        details,
      },
    );
  return new HarnessError('CLUSTER_REFUSED', `${server} refused to ${what} (${answer.status}): ${message}`, {
    details,
  });
}

/** The error for no answer at all. */
export function connectionError(server: string, purpose: Purpose, cause: unknown): HarnessError {
  const chain = [cause, cause instanceof Error ? cause.cause : undefined].filter(
    (one) => one instanceof Error,
  );
  const reason = chain.map(({ message }) => message).find((message) => message !== '') ?? String(cause);
  return new HarnessError(
    'CLUSTER_UNREACHABLE',
    `cannot reach the cluster at ${server} (${purpose.verb} ${purpose.resource}): ${reason}`,
    { cause, details: { server, ...purpose } },
  );
}

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { runCommand as realRunCommand, type RunCommand } from '../../image/run-command.ts';

/** What a user has for a registry. Never written into a message or a file. */
export type Credentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth refresh token, which token endpoints exchange (`docker login` with Azure, for example). */
  | { readonly kind: 'identity-token'; readonly token: string };

/** Finds credentials for a registry (`docker.io`, `ghcr.io`); undefined means anonymous. */
export type CredentialSource = (registry: string, signal?: AbortSignal) => Promise<Credentials | undefined>;

const configFile = z.looseObject({
  auths: z
    .record(
      z.string(),
      z.looseObject({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
type ConfigFile = z.infer<typeof configFile>;

const helperReply = z.looseObject({ Username: z.string(), Secret: z.string() });

/** What {@link dockerConfigCredentials} looks at; replaced in tests. */
export interface DockerConfigOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly runCommand?: RunCommand;
}

/**
 * Credentials from the files of `docker login`, `podman login` and `skopeo login`, and from credential helpers. Order:
 * REGISTRY_AUTH_FILE, DOCKER_CONFIG or ~/.docker, then containers' auth.json. A file that is missing or unreadable has
 * none. Sources: docker/cli config file reference; containers-auth.json(5).
 */
export function dockerConfigCredentials(options: DockerConfigOptions = {}): CredentialSource {
  const environment = options.environment ?? process.env;
  const runCommand = options.runCommand ?? realRunCommand;
  return async (registry, signal) => {
    for (const file of configFiles(environment)) {
      const config = await readConfig(file);
      if (config === undefined) continue;
      for (const key of keysOf(registry)) {
        const found = await fromConfig(config, key, runCommand, signal);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };
}

const configFiles = (environment: Readonly<Record<string, string | undefined>>): readonly string[] => {
  const home = environment['HOME'] ?? homedir();
  const chosen = environment['REGISTRY_AUTH_FILE'];
  const docker = path.join(environment['DOCKER_CONFIG'] ?? path.join(home, '.docker'), 'config.json');
  const runtime = environment['XDG_RUNTIME_DIR'];
  const configHome = environment['XDG_CONFIG_HOME'] ?? path.join(home, '.config');
  return [
    ...(chosen === undefined ? [] : [chosen]),
    docker,
    ...(runtime === undefined ? [] : [path.join(runtime, 'containers/auth.json')]),
    path.join(configHome, 'containers/auth.json'),
  ];
};

const readConfig = async (file: string): Promise<ConfigFile | undefined> => {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return configFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};

/** Docker keeps its own registry under an old address. */
const keysOf = (registry: string): readonly string[] =>
  registry === 'docker.io'
    ? ['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io']
    : [registry, `https://${registry}`, `http://${registry}`];

const fromConfig = async (
  config: ConfigFile,
  key: string,
  runCommand: RunCommand,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> => {
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper !== undefined && /^[\w.-]+$/u.test(helper)) {
    const reply = await runCommand([`docker-credential-${helper}`, 'get'], {
      input: key,
      ...(signal === undefined ? {} : { signal }),
    });
    const said = reply.exitCode === 0 ? parseHelperReply(reply.stdout) : undefined;
    if (said !== undefined) return said;
  }
  const entry = config.auths?.[key];
  if (entry === undefined) return undefined;
  if (entry.identitytoken !== undefined && entry.identitytoken !== '')
    return { kind: 'identity-token', token: entry.identitytoken };
  if (entry.username !== undefined && entry.password !== undefined)
    return { kind: 'basic', username: entry.username, password: entry.password };
  const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon <= 0) return undefined;
  return {
    kind: 'basic',
    username: decoded.slice(0, colon),
    password: decoded.slice(colon + 1).replace(/\0+$/u, ''),
  };
};

const parseHelperReply = (stdout: string): Credentials | undefined => {
  try {
    const reply = helperReply.safeParse(JSON.parse(stdout)).data;
    if (reply === undefined || reply.Secret === '') return undefined;
    return reply.Username === '<token>'
      ? { kind: 'identity-token', token: reply.Secret }
      : { kind: 'basic', username: reply.Username, password: reply.Secret };
  } catch {
    return undefined;
  }
};

/** Whether a host name (without port) is this machine. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    hostname === '::1' ||
    /^127(?:\.\d{1,3}){3}$/u.test(hostname)
  );
}

/**
 * Where a registry's API is. Plain HTTP is for loopback addresses, as Docker and containerd have it, or where
 * the caller says so; docker.io has its API on another host.
 */
export function registryAddress(registry: string, plainHttp?: boolean): URL {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const isPlain = plainHttp ?? isLoopback(new URL(`http://${host}`).hostname);
  return new URL(`${isPlain ? 'http' : 'https'}://${host}/`);
}

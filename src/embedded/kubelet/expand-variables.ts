/** Replaces `$(NAME)` where NAME is known; `$$` is a dollar sign (third_party/forked/golang/expansion). */
export const expandVariables = (text: string, variables: ReadonlyMap<string, string>): string =>
  text.replaceAll(/\$(?:\$|\(([^()]*)\))/gu, (whole, name: string | undefined) =>
    whole === '$$' ? '$' : (variables.get(name ?? '') ?? whole),
  );

/** A container's environment; each variable may refer to those before it. */
export function containerEnvironment(
  variables: readonly { readonly name: string; readonly value: string }[],
): ReadonlyMap<string, string> {
  const environment = new Map<string, string>();
  for (const { name, value } of variables) environment.set(name, expandVariables(value, environment));
  return environment;
}

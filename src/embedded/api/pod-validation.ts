import type { FieldError } from './api-error.ts';
import { isJsonList, isJsonObject, jsonAt, objectsAt, textAt, type Json, type JsonObject } from './json.ts';

const required = (field: string, message = 'Required value'): FieldError => ({
  field,
  reason: 'FieldValueRequired',
  message,
});
const notServed = (field: string, what: string): FieldError => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: the embedded cluster does not ${what}`,
});

const labelMessage =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
  "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const isLabel = (text: string): boolean => /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/u.test(text);

const supported = (field: string, value: string | undefined, values: readonly string[]): FieldError[] =>
  value === undefined || values.includes(value)
    ? []
    : [
        {
          field,
          reason: 'FieldValueNotSupported',
          message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${values.map((each) => JSON.stringify(each)).join(', ')}`,
        },
      ];

function containerErrors(container: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const name = textAt(container, 'name') ?? '';
  if (name === '') errors.push(required(`${path}.name`));
  else if (!isLabel(name))
    errors.push({
      field: `${path}.name`,
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(name)}: ${labelMessage}`,
    });
  if ((textAt(container, 'image') ?? '') === '') errors.push(required(`${path}.image`));
  errors.push(
    ...supported(`${path}.imagePullPolicy`, textAt(container, 'imagePullPolicy'), [
      'Always',
      'IfNotPresent',
      'Never',
    ]),
  );
  for (const [index, variable] of objectsAt(container, 'env').entries())
    if (variable['valueFrom'] !== undefined)
      errors.push(notServed(`${path}.env[${index}].valueFrom`, 'resolve variables from elsewhere'));
  // Refused rather than ignored: a pod that says it has a probe must not count as ready without it.
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'])
    if (container[probe] !== undefined) errors.push(notServed(`${path}.${probe}`, 'run probes or hooks'));
  return errors;
}

/** What is wrong with a new pod's spec; empty when nothing is. */
export function podSpecErrors(pod: JsonObject): readonly FieldError[] {
  const spec = jsonAt(pod, 'spec');
  const containers = objectsAt(spec, 'containers');
  const errors: FieldError[] = containers.length === 0 ? [required('spec.containers')] : [];
  const seen = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const path = `spec.containers[${index}]`;
    errors.push(...containerErrors(container, path));
    const name = textAt(container, 'name') ?? '';
    if (name !== '' && seen.has(name))
      errors.push({
        field: `${path}.name`,
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${JSON.stringify(name)}`,
      });
    seen.add(name);
  }
  const initial = jsonAt(spec, 'initContainers');
  if (isJsonList(initial) && initial.length > 0)
    errors.push(notServed('spec.initContainers', 'run init containers'));
  errors.push(
    ...supported('spec.restartPolicy', textAt(spec, 'restartPolicy'), ['Always', 'OnFailure', 'Never']),
  );
  return errors;
}

const frozenMessage =
  'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

const mayChange = ['image', 'activeDeadlineSeconds', 'tolerations'];
// Members in one order, whatever order the client sent them in.
const sorted = (value: Json | undefined): Json | undefined => {
  if (isJsonList(value)) return value.map((item) => sorted(item) ?? null);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => !mayChange.includes(key));
  return Object.fromEntries(
    kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]),
  );
};
const frozenPart = (pod: JsonObject): string => JSON.stringify(sorted(jsonAt(pod, 'spec')));

/** A pod's spec is fixed once it exists: what an update breaks. */
export function podUpdateErrors(current: JsonObject, next: JsonObject): readonly FieldError[] {
  return frozenPart(current) === frozenPart(next)
    ? []
    : [{ field: 'spec', reason: 'FieldValueForbidden', message: frozenMessage }];
}

// Lint, and the direction in which data may flow (docs/architecture.md): one table says who may import whom.
import tseslint from 'typescript-eslint';

/** Room → rooms it may import from. A room may always import from itself, units and errors. */
const mayImport = {
  units: [],
  errors: [],
  agent: ['image', 'registry', 'evidence'],
  image: [],
  evidence: ['agent/protocol'],
  stats: [],
  scenario: [],
  decision: ['stats', 'evidence', 'results', 'scenario'],
  results: ['evidence', 'scenario', 'agent/protocol', 'decision/summary'],
  report: ['stats', 'decision', 'evidence', 'results', 'scenario', 'agent/protocol'],
  registry: ['image', 'evidence'],
  cluster: ['scenario', 'evidence', 'agent/protocol'],
  trial: ['cluster', 'agent', 'registry', 'evidence', 'scenario', 'results', 'image'],
  suite: ['trial', 'cluster', 'agent', 'registry', 'evidence', 'scenario', 'results', 'decision', 'image'],
  embedded: ['agent', 'registry', 'image', 'evidence', 'scenario', 'cluster'],
  lab: ['registry', 'image', 'cluster', 'agent', 'scenario'],
};
/** Pure rooms: no I/O of any kind. (image reads and writes files in its source-* and sink-* modules only.) */
const pureRooms = ['evidence', 'stats', 'decision', 'scenario', 'report', 'units', 'errors'];
const io = [
  'fs',
  'net',
  'http',
  'https',
  'http2',
  'child_process',
  'dgram',
  'tls',
  'worker_threads',
  'os',
  'timers',
  'process',
];

const direction = Object.entries(mayImport).map(([room, allowed]) => {
  const ok = ['units', 'errors', room, ...allowed];
  const rooms = [...Object.keys(mayImport), 'cli'];
  const refused = rooms
    .filter((other) => !ok.includes(other))
    .map((other) => ({
      // `other/file` entries in the table admit single modules of an otherwise closed room.
      regex: `^(\\.\\./)+${other}/(?!(${
        ok
          .filter((o) => o.startsWith(`${other}/`))
          .map((o) => o.slice(other.length + 1))
          .join('|') || '$'
      })\\.ts$)`,
      message: `${room} may not import ${other} (eslint.config.js, mayImport).`,
    }));
  const pure = pureRooms.includes(room)
    ? [{ regex: `^node:(${io.join('|')})(/|$)`, message: `${room} is pure: no I/O here.` }]
    : [];
  return {
    files: [`src/${room}/**/*.ts`],
    ignores: ['src/units/system-clock.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [...refused, ...pure] }],
      ...(pureRooms.includes(room)
        ? {
            'no-restricted-globals': [
              'error',
              'process',
              'console',
              'fetch',
              'setTimeout',
              'setInterval',
              'performance',
            ],
            'no-restricted-properties': [
              'error',
              { object: 'Date', property: 'now', message: 'Time comes in through a Clock.' },
              { object: 'Math', property: 'random', message: 'Randomness comes from the seed.' },
            ],
          }
        : {}),
    },
  };
});

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'bin/', 'reports/sample/', 'test/fixtures/'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './reports/client/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/dot-notation': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-unsafe-finally': 'error',
      eqeqeq: 'error',
    },
  },
  ...direction,
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.object.name='process'][callee.property.name='exit']",
          message: 'Only src/cli/main.ts decides how the process ends, by process.exitCode.',
        },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: [{ name: 'uvu', message: 'Use test/support/suite.ts.' }] }],
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  { files: ['test/support/suite.ts', 'scripts/run-tests.ts'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['*.js'], ...tseslint.configs.disableTypeChecked },
);

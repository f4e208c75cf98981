import path from 'node:path';
import { collectFolder } from './collect-files.ts';
import { installedPackages } from './installed-packages.ts';
import { textFile, type LayerDraft, type LayerItem } from './layer-item.ts';
import { quickstartApp } from './quickstart-app.ts';

/** Removed in the step that installs, so never part of a layer: half of what npm unpacks is of no use at run time. */
const onlyForEditors = /\.(?:map|d\.[cm]?ts)$/u;

/** What a later clean-up step removes: documentation and tests. */
const cleanedFile = /\.(?:md|markdown)$/iu;
const cleanedFolder = /^(?:test|tests|__tests__|docs|examples?)$/u;

/** Whiteouts for everything that the clean-up removes; a folder that goes as a whole is one whiteout. */
export function cleanUp(items: readonly LayerItem[]): readonly LayerItem[] {
  const removed = new Set<string>();
  for (const { path: name } of items) {
    const segments = name.split('/');
    // Never a package that is merely called so: only folders below a package's own files.
    const ownFolders = segments.slice(0, -1);
    const folder = ownFolders.findIndex(
      (segment, index) =>
        cleanedFolder.test(segment) &&
        ownFolders[index - 1] !== 'node_modules' &&
        ownFolders[index - 1]?.startsWith('@') !== true,
    );
    if (folder >= 0) removed.add(segments.slice(0, folder + 1).join('/'));
    else if (cleanedFile.test(name)) removed.add(name);
  }
  return [...removed].map((name) => ({ kind: 'whiteout', path: name }));
}

/**
 * The application of the quickstart: lazybench's own installed runtime dependencies as `npm ci` lays them out, then a
 * layer with the program (which has a second name, a hard link) and the whiteouts of a clean-up step.
 */
export async function appLayers(): Promise<readonly LayerDraft[]> {
  const packages = await installedPackages(import.meta.dirname);
  const collected = await Promise.all(
    packages.map(({ folder, target }) =>
      collectFolder(
        folder,
        `app/${target}`,
        (relative) => !relative.split(path.sep).includes('node_modules'),
      ),
    ),
  );
  const dependencies = Object.fromEntries(
    packages
      .filter(({ name, target }) => target === `node_modules/${name}`)
      .map(({ name, version }): [string, string] => [name, version])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const description = {
    name: 'quickstart-app',
    version: '1.0.0',
    private: true,
    type: 'module',
    dependencies,
  };
  const installed = collected.flat().filter((item) => !onlyForEditors.test(item.path));
  return [
    {
      name: 'dependencies',
      createdBy: "RUN npm ci --omit=dev && find node_modules -name '*.map' -o -name '*.d.*ts' | xargs rm",
      items: [textFile('app/package.json', `${JSON.stringify(description, null, 2)}\n`), ...installed],
    },
    {
      name: 'app',
      createdBy: "COPY server.mjs /app && find node_modules -name '*.md' -o -name test | xargs rm -r",
      items: [
        textFile('app/server.mjs', quickstartApp, 0o755),
        { kind: 'hardlink', path: 'usr/local/bin/quickstart-server', target: 'app/server.mjs' },
        ...cleanUp(installed),
      ],
    },
  ];
}

// Bundles the report's browser code: Chart.js, the plug-ins and reports/client, into one script and one style sheet.
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');

/** Script (an IIFE without imports, eval or network) and style of `report.html`, minified. */
export async function buildReportClient(): Promise<{ script: string; style: string }> {
  const { outputFiles } = await build({
    entryPoints: [path.join(root, 'reports/client/report.ts')],
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['es2022'],
    charset: 'utf8',
    legalComments: 'none',
    write: false,
    outdir: path.join(root, 'dist'),
    logLevel: 'silent',
    // Chart.js and the plug-ins are MIT: their notices go along with the copies.
    banner: {
      js: '/* Contains Chart.js, chartjs-plugin-annotation, @kurkle/color and @sgratzl/chartjs-chart-boxplot, all MIT licensed. */',
    },
  });
  const text = (ending: string): string => {
    const file = outputFiles.find((one) => one.path.endsWith(ending));
    if (file === undefined) throw new Error(`esbuild wrote no ${ending} for the report`);
    return file.text;
  };
  return { script: text('.js'), style: text('.css') };
}

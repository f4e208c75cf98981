import { createHash } from 'node:crypto';
import type { ReportModel } from '../model.ts';
import { chartData, chartDataId, trialsDataId } from './chart-data.ts';
import { chartSections } from './chart-sections.ts';
import { dataBlock } from './embedded-data.ts';
import {
  comparisonSection,
  environmentSection,
  proofSection,
  rawSection,
  repeatSection,
  trafficSection,
} from './evidence-sections.ts';
import { hero } from './hero.ts';
import { html, raw } from './markup.ts';

/** The report's own script and style, as the build made them. */
export interface ReportAssets {
  readonly script: string;
  readonly style: string;
}

const sections = [
  ['phases', 'Phases'],
  ['pairs', 'Pairs'],
  ['distribution', 'Spread'],
  ['bytes', 'Bytes'],
  ['comparisons', 'Comparisons'],
  ['traffic', 'Traffic'],
  ['proofs', 'Proofs'],
  ['environment', 'Environment'],
  ['raw', 'Raw data'],
  ['repeat', 'Run it again'],
] as const;

/**
 * Writes the report as one HTML file that loads nothing, runs no script but its own (CSP with hashes), and can be
 * read without any script.
 */
export function renderHtml(model: ReportModel, assets: ReportAssets): string {
  const script = inlineScript(assets.script);
  const style = assets.style.replaceAll(/<\/style/giu, '<\\/style');
  const policy = [
    "default-src 'none'",
    `script-src '${sha256(script)}'`,
    `style-src '${sha256(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <meta name="generator" content="${model.toolText}" />
        <title>${model.scenarioName} · lazybench report</title>
        ${raw(`<style>${style}</style>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the result</a>
        <header>
          <p class="brand">lazybench <span>report</span></p>
          <p class="run">
            <b>${model.scenarioName}</b><span>${model.startedText}</span><span>run ${model.runId}</span>
          </p>
        </header>
        <main id="main" tabindex="-1">
          ${hero(model)}
          <nav aria-label="Sections">
            <ul>
              ${sections.map(([id, label]) => html`<li><a href="#${id}">${label}</a></li>`)}
            </ul>
          </nav>
          ${chartSections(model)} ${comparisonSection(model)} ${trafficSection(model)} ${proofSection(model)}
          ${environmentSection(model)} ${rawSection(model)} ${repeatSection(model)}
        </main>
        <footer>
          <p>
            Made by ${model.toolText} from run.json and trials.jsonl alone. Addresses, credentials and home
            folders are removed.
          </p>
        </footer>
        ${dataBlock(chartDataId, 'application/json', JSON.stringify(chartData(model)))}
        ${dataBlock(trialsDataId, 'application/x-ndjson', model.trialsJsonl)}
        ${raw(`<script>${script}</script>`)}
      </body>
    </html> `.markup;
}

/** Keeps a script from ending its own element; in JavaScript strings the backslash changes nothing. */
function inlineScript(script: string): string {
  return script.replaceAll(/<\/script/giu, '<\\/script').replaceAll('<!--', '<\\!--');
}

function sha256(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

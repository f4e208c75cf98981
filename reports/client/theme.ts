/** The colours that charts need, read from the page's own style so that both cannot drift apart. */
export interface Theme {
  readonly ink: string;
  readonly quiet: string;
  readonly grid: string;
  readonly paper: string;
  readonly band: string;
  readonly font: string;
  arm(colour: number): string;
  phase(index: number): string;
}

/** Reads the theme that is in force now (light or dark). */
export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: read('--ink'),
    quiet: read('--quiet'),
    grid: read('--grid'),
    paper: read('--paper'),
    band: read('--band'),
    font: getComputedStyle(document.body).fontFamily,
    arm: (colour) => read(`--arm-${String(colour % 6)}`),
    phase: (index) => read(`--phase-${String(index % 7)}`),
  };
}

/** Points differ in shape as well as in colour. */
export function pointStyle(colour: number): 'circle' | 'rect' | 'triangle' {
  return (['circle', 'rect', 'triangle'] as const)[colour % 3] ?? 'circle';
}

/** What every chart looks like: sizes, the font, and the six ways to draw a series. No drawing here. */

/**
 * Arimo is the bundled font of the PNGs; the next three have its metrics, so an SVG alone keeps its layout. No quotes: the
 * PNG renderer stops reading a list at them.
 */
export const fontFamily = 'Arimo, Arial, Helvetica, Liberation Sans, DejaVu Sans, Noto Sans, sans-serif'

export const fontSize = { title: 18, subtitle: 13, axis: 14, tick: 13, legend: 14 } as const

export const ink = {
  text: '#222222',
  soft: '#555555',
  grid: '#dddddd',
  frame: '#888888',
  bar: '#c9d3da',
  /** Curves behind the others. */
  behind: '#97a4ad',
  paper: '#ffffff',
} as const

export interface SeriesStyle {
  color: string
  /** SVG dash array; undefined is a solid line. */
  dash?: string
  symbol: 'circle' | 'square' | 'triangle' | 'diamond' | 'star' | 'cross'
  /** Hollow markers double the number of shapes the eye can tell apart in grey. */
  hollow: boolean
}

/** Okabe and Ito's palette for colour-blind readers, darkest first; in black and white dash and marker tell them apart. */
export const seriesStyles: readonly SeriesStyle[] = [
  { color: '#0072b2', symbol: 'circle', hollow: false },
  { color: '#d55e00', symbol: 'square', hollow: true, dash: '9 4' },
  { color: '#007a5a', symbol: 'triangle', hollow: false, dash: '2.5 3.5' },
  { color: '#222222', symbol: 'diamond', hollow: true, dash: '12 4 3 4' },
  { color: '#b0508c', symbol: 'star', hollow: false, dash: '18 5' },
  { color: '#a67c00', symbol: 'cross', hollow: true, dash: '6 3 2 3 2 3' },
]

/** A curve of a run that has several: the run's colour and marker; the test figures are dashed and hollow. */
export function runStyle(run: number, dashed: boolean): SeriesStyle {
  const { color, symbol } = seriesStyles[run]
  return { color, symbol, hollow: dashed, ...(dashed && { dash: '7 4' }) }
}

/** Stroke and fill of a series' marker. */
export function markerPaint({ color, hollow }: SeriesStyle) {
  return { stroke: color, strokeWidth: 1.6, fill: hollow ? ink.paper : color }
}

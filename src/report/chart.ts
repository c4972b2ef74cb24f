/**
 * What all charts share: the page (title, subtitle, legend rows, margins), Plot on a DOM without a browser, and the
 * finished SVG and PNG. Not a chart itself: line_chart.ts and bar_chart.ts bring the marks.
 */

import type { Markish, PlotOptions } from '@observablehq/plot'
import { checkInt } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { missingPackage } from '../base/optional.js'
import type { Chart, ChartPage } from './page.js'
import { renderPng } from './png.js'
import { fontFamily, fontSize, ink } from './style.js'
import { printable, wrapText } from './text.js'

export const pageKeys = ['title', 'subtitle', 'width', 'height'] as const

/** Check what all charts take: the page and the named texts. Returns the size with its defaults. */
export function checkPage<T extends ChartPage>(where: string, page: T, texts: readonly (keyof T & string)[]) {
  for (const name of ['title', ...texts] as const) {
    if (typeof page[name] !== 'string') throw typeError(where, `${name} to be a string`, page[name])
  }
  if (page.subtitle !== undefined && typeof page.subtitle !== 'string') {
    throw typeError(where, 'subtitle to be a string', page.subtitle)
  }
  const width = checkInt(where, 'width', page.width ?? 800, { min: 200, max: 10_000 })
  return { width, height: checkInt(where, 'height', page.height ?? 450, { min: 150, max: 10_000 }) }
}

export type Plot = typeof import('@observablehq/plot')

/** Plot itself, loaded when the first chart is drawn. */
export async function loadPlot(where: string): Promise<Plot> {
  try {
    return await import('@observablehq/plot')
  } catch (cause) {
    throw missingPackage(where, ['@observablehq/plot'], cause)
  }
}

/** A position in pixels of the page instead of in the units of an axis. */
export function px<T>(value: (item: T, index?: number) => number) {
  return { value, scale: null }
}

/** The title and subtitle as marks, and where the space below them begins. */
export function heading(plot: Plot, page: ChartPage, width: number): { marks: Markish[]; bottom: number } {
  const lines: { text: string; y: number }[] = []
  let y = 10
  const add = (text: string, size: number) => {
    for (const line of wrapText(printable(text), size, width - 32)) {
      y += size * 1.3
      lines.push({ text: line, y: y - size * 0.3 })
    }
  }
  add(page.title, fontSize.title)
  const titles = lines.length
  if (page.subtitle) add(page.subtitle, fontSize.subtitle)
  const mark = (items: typeof lines, size: number, fill: string) =>
    plot.text(items, {
      text: 'text',
      x: px(() => 16),
      y: px(d => d.y),
      textAnchor: 'start',
      lineAnchor: 'bottom',
      fontSize: size,
      fill,
    })
  const marks = [
    mark(lines.slice(0, titles), fontSize.title, ink.text),
    mark(lines.slice(titles), fontSize.subtitle, ink.soft),
  ]
  return { marks, bottom: y + 10 }
}

interface SvgElement {
  outerHTML: string
  setAttribute(name: string, value: string): void
  querySelector(selector: string): { remove(): void } | null
}

async function loadLinkedom(where: string) {
  try {
    return await import('linkedom')
  } catch (cause) {
    throw missingPackage(where, ['linkedom'], cause)
  }
}

/** Draw with Plot into a document of its own and finish the picture. */
export async function drawChart(where: string, plot: Plot, page: ChartPage, options: PlotOptions): Promise<Chart> {
  const { DOMParser } = await loadLinkedom(where)
  const document = new DOMParser().parseFromString('<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml')
  const [width, height] = [options.width ?? 0, options.height ?? 0]
  const paper = plot.rect([0], {
    x1: px(() => 0),
    y1: px(() => 0),
    x2: px(() => width),
    y2: px(() => height),
    fill: ink.paper,
  })
  const all = { ...options, marks: [paper, ...(options.marks ?? [])], document: document as never, figure: false }
  return finish(plot.plot(all) as unknown as SvgElement, page)
}

function finish(element: SvgElement, page: ChartPage): Chart {
  // Plot's style sheet serves browsers only (and a page would share it); all that matters is in attributes.
  element.querySelector('style')?.remove()
  element.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  element.setAttribute('role', 'img')
  element.setAttribute('aria-label', printable(page.title))
  element.setAttribute('fill', ink.text)
  element.setAttribute('font-family', fontFamily)
  element.setAttribute('font-size', String(fontSize.tick))
  const svg = tidy(element.outerHTML)
  return { svg, png: scale => renderPng(svg, scale) }
}

/** Two decimals of a pixel are enough, and the same picture is then the same text on every machine. */
function tidy(svg: string): string {
  const round = (digits: string) => String(Number(Number(digits).toFixed(2)))
  const coordinates = / (d|transform|x|y|x1|x2|y1|y2|width|height|r)="[^"]*"/g
  return svg
    .replaceAll('"currentColor"', `"${ink.text}"`)
    .replace(coordinates, attribute => attribute.replace(/-?\d+\.\d{3,}/g, round))
}

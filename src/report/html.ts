/** One HTML file with pictures and tables inside: no script, nothing loaded from anywhere. */

import { checkOptions } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { htmlTable, type Row } from './table.js'
import { escapeMarkup } from './text.js'

/** One section of a report. */
export interface ReportSection {
  /** Its heading. */
  heading: string
  /** Plain text; an array is a paragraph each. */
  text?: string | readonly string[]
  /** Rows of one table; the keys of the first are its columns. */
  table?: readonly Row[]
  /** A picture or several. They are put in as they stand, so they must come from a trusted place. */
  svg?: Picture | readonly Picture[]
}

/** The `svg` of a chart, or the same chart drawn twice, `narrow` (about 360 pixels wide) for telephones. */
export type Picture = string | { wide: string; narrow: string }

/** Options of `htmlReport`. */
export interface HtmlReportOptions {
  /** The page's title. */
  title: string
  /** From top to bottom. */
  sections: readonly ReportSection[]
}

// In the dark, pictures are shown as negatives with the hues turned back: white paper becomes the page's grey.
const css = `
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --line: #ccc; --strong: #666 }
body { font: 16px/1.5 Arimo, Arial, Helvetica, "Liberation Sans", sans-serif; color: var(--ink); background: var(--paper); max-width: 840px; margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word }
h1 { font-size: 1.7rem; line-height: 1.2 } h2 { font-size: 1.25rem; margin-top: 2.5rem }
figure { margin: 1rem 0 } figure svg { display: block; max-width: 100%; height: auto } .narrow { display: none }
.table { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line) } thead th { border-bottom: 2px solid var(--strong) }
.number { text-align: right }
@media screen and (max-width: 600px) {
  body { margin: 1rem auto } .narrow { display: block } .wide { display: none }
  table { font-size: .75rem; line-height: 1.5 } th, td { padding-right: .4rem }
}
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --paper: #121212; --line: #444; --strong: #999 }
  figure svg { filter: invert(.93) hue-rotate(180deg) }
}
@media print {
  @page { margin: 15mm }
  body { margin: 0; max-width: none; padding: 0; font-size: 11pt } h1, h2 { break-after: avoid } h2 { margin-top: 1.5rem }
  p { orphans: 3; widows: 3 } figure, tr { break-inside: avoid } thead { display: table-header-group }
  figure svg { max-height: 7.5cm; width: auto }
}
`

/**
 * A self-contained HTML page: for each section its heading, text, table and pictures, in this order.
 *
 * ```ts
 * const page = report.htmlReport({ title: 'My runs', sections: [{ heading: 'Loss', text: 'Falling.', svg: chart.svg }] })
 * ```
 *
 * Throws `TypeError` for options that are not of the stated types.
 */
export function htmlReport(options: HtmlReportOptions): string {
  checkOptions('htmlReport', options, ['title', 'sections'])
  if (typeof options.title !== 'string') throw typeError('htmlReport', 'title to be a string', options.title)
  if (!Array.isArray(options.sections)) throw typeError('htmlReport', 'sections to be an array', options.sections)
  const title = escapeMarkup(options.title)
  const head = `<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>${title}</title>`
  const body = [`<h1>${title}</h1>`, ...options.sections.map(sectionHtml)].join('\n')
  return `<!doctype html>\n<html lang="en">\n<head>\n${head}\n<style>${css}</style>\n</head>\n<body>\n${body}\n</body>\n</html>\n`
}

function sectionHtml(section: ReportSection): string {
  checkOptions('htmlReport', section, ['heading', 'text', 'table', 'svg'])
  const { heading, text, table, svg } = section
  return [
    `<section>\n<h2>${escapeMarkup(heading)}</h2>`,
    ...list(text).map(paragraph => `<p>${escapeMarkup(paragraph)}</p>`),
    ...(table ? [`<div class="table">\n${htmlTable(table)}\n</div>`] : []),
    ...list(svg).map(figureHtml),
    '</section>',
  ].join('\n')
}

function figureHtml(picture: Picture): string {
  if (typeof picture === 'string') return `<figure>${picture}</figure>`
  checkOptions('htmlReport', picture, ['wide', 'narrow'])
  const { wide, narrow } = picture
  return `<figure class="wide">${wide}</figure>\n<figure class="narrow">${narrow}</figure>`
}

function list<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value as T]
}

/** One HTML file with pictures and tables inside: no script, nothing loaded from anywhere. */

import { checkOptions } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { htmlTable, type Row } from './table.js'
import { escapeMarkup } from './text.js'

export interface ReportSection {
  heading: string
  /** Plain text; an array is a paragraph each. */
  text?: string | readonly string[]
  table?: readonly Row[]
  /** The `svg` of a chart, or several. It is put in as it stands, so it must come from a trusted place. */
  svg?: string | readonly string[]
}

export interface HtmlReportOptions {
  title: string
  sections: readonly ReportSection[]
}

const css = `
:root { color-scheme: light }
body { font: 16px/1.5 Arimo, Arial, Helvetica, "Liberation Sans", sans-serif; color: #222; background: #fff; max-width: 840px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; line-height: 1.2 } h2 { font-size: 1.25rem; margin-top: 2.5rem }
svg { display: block; max-width: 100%; height: auto; margin: 1rem 0 }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; border-bottom: 1px solid #ccc } thead th { border-bottom: 2px solid #666 }
.number { text-align: right }
@media print { svg, table { break-inside: avoid } }
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
    ...(table ? [htmlTable(table)] : []),
    ...list(svg),
    '</section>',
  ].join('\n')
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

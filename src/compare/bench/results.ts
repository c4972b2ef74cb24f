/**
 * Figures of backends that were timed in one process: as rows of a table, and as files (JSON, Markdown, one HTML page with
 * charts). Both `anneal bench` and the benny suites of the checkout end here. Nothing is measured.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { AnnealError } from '../../base/errors.js'
import { barChart, htmlReport, markdownTable, type ReportSection, type Row } from '../../report/index.js'
import { describeBackend, type Identity } from '../backend.js'
import type { Suite } from './cases.js'
import type { Timing } from './measure.js'

export interface BenchLine {
  readonly suite: Suite
  readonly name: string
  /** By backend; absent where it sat the case out. */
  readonly timings: Readonly<Record<string, Timing>>
}

export interface BenchResults {
  readonly machine: Readonly<Record<string, string | number>>
  readonly settings: Readonly<Record<string, string | number>>
  readonly backends: readonly Identity[]
  readonly lines: readonly BenchLine[]
}

const three = (value: number) => String(Number(value.toPrecision(3)))

/** A row per case: what native takes, and what the others take and how many times as long that is. */
export function benchRows({ lines, backends }: Pick<BenchResults, 'lines' | 'backends'>): Row[] {
  return lines.map(({ name, timings }) => {
    const cells = backends.flatMap(({ name: backend }) => {
      const [timing, ours] = [timings[backend], timings.native]
      const cell = [`${backend}, µs`, timing && three(timing.median)] as const
      if (backend === 'native' || !ours) return [cell]
      return [cell, [`${backend} / native`, timing && three(timing.median / ours.median)] as const]
    })
    return { case: name, ...Object.fromEntries(cells) }
  })
}

const pairs = (values: Readonly<Record<string, string | number>>) =>
  Object.entries(values)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')

const note = 'Medians of one call, in one process, operands in place beforehand; less is better.'

/** What a reader needs besides the table. */
function preamble({ machine, settings, backends }: BenchResults): string[] {
  return [pairs(machine), pairs(settings), ...backends.map(describeBackend), note]
}

function chart({ name, timings }: BenchLine): Promise<string> {
  const bars = Object.entries(timings).map(([label, { median }]) => {
    return { label, value: Number(three(median)), highlight: label === 'native' }
  })
  const valueLabel = 'time (µs, logarithmic), less is better'
  return barChart({ title: name, valueLabel, bars, scale: 'log' }).then(({ svg }) => svg)
}

/** A page that loads nothing: a table and a chart per case, suite by suite. */
export async function benchPage(results: BenchResults): Promise<string> {
  const sections: ReportSection[] = [{ heading: 'Where and how', text: preamble(results) }]
  for (const suite of new Set(results.lines.map(line => line.suite))) {
    const lines = results.lines.filter(line => line.suite === suite)
    const table = benchRows({ lines, backends: results.backends })
    sections.push({ heading: suite, table, svg: await Promise.all(lines.map(chart)) })
  }
  return htmlReport({ title: 'anneal: backends compared', sections })
}

/** Writes <out>.json, .md and .html; returns the files. Without the packages that charts need, the page is left out. */
export async function writeBench(results: BenchResults, out: string, tell: (line: string) => void): Promise<string[]> {
  const stem = out.replace(/\.json$/, '')
  mkdirSync(dirname(stem), { recursive: true })
  writeFileSync(`${stem}.json`, `${JSON.stringify(results, undefined, 1)}\n`)
  writeFileSync(`${stem}.md`, `${preamble(results).join('  \n')}\n\n${markdownTable(benchRows(results))}\n`)
  const files = [`${stem}.json`, `${stem}.md`]
  try {
    writeFileSync(`${stem}.html`, await benchPage(results))
    files.push(`${stem}.html`)
  } catch (error) {
    if (!(error instanceof AnnealError) || error.code !== 'ERR_MISSING_PACKAGE') throw error
    tell(`no page with charts: ${error.message}`)
  }
  return files
}

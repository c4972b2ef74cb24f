/** Results as JSON, a text table for the terminal, Markdown for the docs, a plot per trial and a page with all of them. Nothing is computed here. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { report } from 'anneal'
import type { Machine } from './machine.js'
import type { TrialResult } from './rounds.js'
import type { Line } from './summary.js'

export interface Results {
  machine: Machine
  settings: { threads: number; cpus: readonly number[]; rounds: number; seconds: number; command: string }
  lines: Line[]
  warnings: string[]
  trials: TrialResult[]
}

const percent = (fraction?: number) => (fraction === undefined ? undefined : `${(fraction * 100).toFixed(0)} %`)
const four = (value?: number) => value?.toPrecision(4)

/** Rows of the table, the columns in reading order. */
export function tableRows(lines: readonly Line[]): report.Row[] {
  return lines.map(line => ({
    trial: line.trial,
    driver: line.driver,
    µs: four(line.us),
    '±': percent(line.spread),
    'fastest peer / this': line.ratio?.toFixed(2),
    'one thread / this': line.speedUp?.toFixed(2),
    'of the machine': line.ofSpeedUp?.toFixed(2),
    'GFLOP/s': line.gflops?.toFixed(1),
    'of peak': percent(line.ofPeak),
    'of bandwidth': percent(line.ofBandwidth),
    'first, ms': four(line.coldMs),
    'memory added, MB': line.addedMB?.toFixed(0),
    waiting: percent(line.waiting),
    copying: percent(line.copying),
    'core busy': percent(line.busy),
  }))
}

/** What a reader needs besides the table. */
function preamble({ machine, settings }: Results): string[] {
  const pinned = settings.cpus.length ? `pinned to processor ${settings.cpus.join(', ')}` : 'not pinned'
  return [
    `${machine.cpu} (${machine.cpuClass}), ${machine.cores} cores, ${machine.system}, Node ${machine.node}.`,
    `${settings.threads} thread(s), ${pinned}, ${settings.rounds} interleaved rounds, a process per trial and driver, medians.`,
    `Load average before: ${machine.load.toFixed(2)}. Command: \`${settings.command}\`.`,
  ]
}

const skippedLines = ({ trials }: Results) =>
  trials.flatMap(({ trial, skipped }) => skipped.map(({ name, reason }) => `${trial.name}: ${name} skipped, ${reason}`))

function markdown(results: Results): string {
  return [
    ...preamble(results),
    '',
    report.markdownTable(tableRows(results.lines)),
    ...results.warnings.map(line => `**${line}**`),
    ...skippedLines(results).map(line => `- ${line}`),
    '',
  ].join('\n')
}

/** One picture for all trials would need one scale for 0.2 µs and 40 ms; so one per trial. */
async function chartOf(trial: string, lines: readonly Line[]): Promise<string> {
  const bars = lines.map(({ driver, us }) => ({
    label: driver,
    value: Number(four(us)),
    highlight: driver.startsWith('native'),
  }))
  const title = `${trial}: time, medians of interleaved rounds`
  const valueLabel = 'time (µs, logarithmic), less is better'
  return (await report.barChart({ title, valueLabel, bars, scale: 'log' })).svg
}

/** A page that loads nothing: a table and a chart per trial. */
function page(results: Results, charts: ReadonlyMap<string, string>): string {
  const text = [...preamble(results), ...results.warnings, ...skippedLines(results)]
  const sections = [...charts].map(([trial, svg]) => {
    const table = tableRows(results.lines.filter(line => line.trial === trial))
    return { heading: trial, table, svg }
  })
  return report.htmlReport({ title: 'anneal: benches', sections: [{ heading: 'Where and how', text }, ...sections] })
}

/** Writes <out>, and beside it .md, .html and one .svg per trial; returns the files. */
export async function writeResults(results: Results, out: string): Promise<string[]> {
  mkdirSync(dirname(out), { recursive: true })
  const stem = out.replace(/\.json$/, '')
  const charts = new Map<string, string>()
  for (const trial of new Set(results.lines.map(line => line.trial))) {
    const lines = results.lines.filter(line => line.trial === trial)
    charts.set(trial, await chartOf(trial, lines))
  }
  const files: [file: string, text: string][] = [
    [out, `${JSON.stringify(results, undefined, 1)}\n`],
    [`${stem}.md`, markdown(results)],
    [`${stem}.html`, page(results, charts)],
    ...[...charts].map(([trial, svg]): [string, string] => [`${stem}-${trial.replaceAll(/[^\w-]+/g, '_')}.svg`, svg]),
  ]
  for (const [file, text] of files) writeFileSync(file, text)
  return files.map(([file]) => file)
}

export const textTable = (lines: readonly Line[]) => report.textTable(tableRows(lines))

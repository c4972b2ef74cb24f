/** Results as JSON, a text table for the terminal, Markdown for the docs, and a plot per trial. Nothing is computed here. */
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
    'GFLOP/s': line.gflops?.toFixed(1),
    'of peak': percent(line.ofPeak),
    'of bandwidth': percent(line.ofBandwidth),
    'first, ms': four(line.coldMs),
    'core busy': percent(line.busy),
  }))
}

function markdown({ machine, settings, lines, warnings, trials }: Results): string {
  const pinned = settings.cpus.length ? `pinned to processor ${settings.cpus.join(', ')}` : 'not pinned'
  const skipped = trials.flatMap(({ trial, skipped }) =>
    skipped.map(({ name, reason }) => `- ${trial.name}: ${name} skipped, ${reason}`),
  )
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}.`,
    `${settings.threads} thread(s), ${pinned}, ${settings.rounds} interleaved rounds, a process per trial and driver, medians.`,
    `Load average before: ${machine.load.toFixed(2)}. Command: \`${settings.command}\`.`,
    '',
    report.markdownTable(tableRows(lines)),
    ...warnings.map(line => `**${line}**`),
    ...skipped,
    '',
  ].join('\n')
}

/** One picture for all trials would need one scale for 0.2 µs and 40 ms; so one per trial. */
async function plots({ lines }: Results, stem: string): Promise<string[]> {
  const files: string[] = []
  for (const trial of new Set(lines.map(line => line.trial))) {
    const bars = lines
      .filter(line => line.trial === trial)
      .map(({ driver, us }) => ({ label: driver, value: us, highlight: driver.startsWith('native') }))
    const title = `${trial}: time, medians of interleaved rounds`
    const chart = await report.barChart({
      title,
      valueLabel: 'time (µs, logarithmic), less is better',
      bars,
      scale: 'log',
    })
    const file = `${stem}-${trial.replaceAll(/[^\w-]+/g, '_')}.svg`
    writeFileSync(file, chart.svg)
    files.push(file)
  }
  return files
}

/** Writes <out>, and beside it .md and one .svg per trial; returns the files. */
export async function writeResults(results: Results, out: string): Promise<string[]> {
  mkdirSync(dirname(out), { recursive: true })
  const stem = out.replace(/\.json$/, '')
  writeFileSync(out, `${JSON.stringify(results, undefined, 1)}\n`)
  writeFileSync(`${stem}.md`, markdown(results))
  return [out, `${stem}.md`, ...(await plots(results, stem))]
}

export const textTable = (lines: readonly Line[]) => report.textTable(tableRows(lines))

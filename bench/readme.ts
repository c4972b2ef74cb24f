/**
 * `npm run bench:readme`: writes README's tables of times between its markers and the pictures of docs/growth, from
 * bench/published.json; with files that `npm run bench` wrote, takes their figures over into bench/published.json first.
 * Measures nothing.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { report } from 'anneal'
import { growthPictures } from './growth.js'
import type { Results } from './harness/output.js'
import { packageRoot } from './harness/package_root.js'

/**
 * What is kept of a run: its circumstances and, by trial, every driver's median in microseconds; of trials of a growth curve
 * also the `floor`, their arithmetic at the peak.
 */
export interface PublishedRun extends Pick<Results, 'machine' | 'settings'> {
  trials: Record<string, Record<string, number>>
}

export interface Published {
  runs: PublishedRun[]
  growth?: PublishedRun
}

type Columns = readonly (readonly [title: string, prefix: string])[]

/**
 * The tables, and their columns: of each library the fastest of the drivers whose names begin so. Those after the first are
 * compared with it; a trial without the first has no row.
 */
const tables: readonly Columns[] = [
  [
    ['anneal', 'native-fit'],
    ['PyTorch', 'torch-'],
    ['JAX', 'jax-'],
    ['tfjs-node-gpu', 'tfjs-node-gpu'],
    ['tfjs wasm', 'tfjs-wasm'],
  ],
  [
    ['anneal', 'native-predict'],
    ['ONNX Runtime', 'onnxruntime'],
  ],
]

const isGrowth = ({ trial }: { trial: string }) => trial.startsWith('growth: ')

export function publishedRun({ machine, settings, lines }: Results): PublishedRun {
  const trials: PublishedRun['trials'] = {}
  const note = (trial: string, of: string, us: number) => {
    trials[trial] = { ...trials[trial], [of]: Number(us.toPrecision(4)) }
  }
  for (const line of lines) {
    note(line.trial, line.driver, line.us)
    if (isGrowth(line) && line.ofPeak) note(line.trial, 'floor', line.us * line.ofPeak)
  }
  return { machine, settings, trials }
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(value < 1 ? 2 : 3))

function time(us: number): string {
  return us >= 1000 ? `${digits(us / 1000)} ms` : `${digits(us)} µs`
}

function row(columns: Columns, trial: string, times: Readonly<Record<string, number>>): report.Row {
  const best = columns.map(([, prefix]) =>
    Object.entries(times).reduce((a, [name, us]) => (name.startsWith(prefix) ? Math.min(a, us) : a), Infinity),
  )
  const cells = columns.map(([title], i) => {
    if (!Number.isFinite(best[i])) return [title, '-']
    const factor = i > 0 && Number.isFinite(best[0]) ? ` (${digits(best[i] / best[0])}×)` : ''
    return [title, time(best[i]) + factor]
  })
  return { trial, ...Object.fromEntries(cells) }
}

function runText({ machine, settings, trials }: PublishedRun): string {
  const texts = tables.flatMap(columns => {
    const rows = Object.entries(trials)
      .filter(([, times]) => Object.keys(times).some(name => name.startsWith(columns[0][1])))
      .map(([trial, times]) => row(columns, trial, times))
    return rows.length ? [report.markdownTable(rows), ''] : []
  })
  const pinned = settings.cpus.length ? `pinned to ${settings.cpus.length} of its processors` : 'not pinned'
  return [
    ...texts,
    `${machine.cpu}${machine.cpuClass ? ` (${machine.cpuClass})` : ''}, ${machine.system}, Node ${machine.node}; at most ${settings.threads} thread(s), ${pinned}; medians of ${settings.rounds}`,
    `interleaved rounds, a process each. Per training step (the lecture: both its runs) or prediction, of every library the`,
    `fastest of its ways. \`${settings.command}\``,
  ].join('\n')
}

const markers = ['<!-- bench -->', '<!-- /bench -->'] as const

/** `readme` with the published figures between its markers. */
export function withFigures(readme: string, { runs }: Published): string {
  const [start, end] = markers.map(marker => readme.indexOf(marker))
  if (start < 0 || end < start) throw new RangeError(`README: expected ${markers.join(' and ')}, in this order`)
  const text = runs.map(run => `${runText(run)}\n\n`).join('')
  return `${readme.slice(0, start)}${markers[0]}\n${text && `\n${text}`}${readme.slice(end)}`
}

/** The figures with these files' in the place of others of their kind. */
export function takenOver(figures: Published, files: readonly Results[]): Published {
  const curves = files.find(({ lines }) => lines.every(isGrowth))
  const runs = files.filter(file => file !== curves).map(publishedRun)
  return { runs: runs.length ? runs : figures.runs, growth: curves ? publishedRun(curves) : figures.growth }
}

async function main(files: readonly string[]): Promise<void> {
  const path = (name: string) => join(packageRoot(), name)
  const read = (name: string) => readFileSync(path(name), 'utf8')
  const figures = takenOver(
    JSON.parse(read('bench/published.json')),
    files.map(file => JSON.parse(readFileSync(file, 'utf8'))),
  )
  writeFileSync(path('bench/published.json'), `${JSON.stringify(figures, undefined, 2)}\n`)
  writeFileSync(path('README.md'), withFigures(read('README.md'), figures))
  console.log(`README.md: ${figures.runs.length} run(s) from bench/published.json`)
  if (!figures.growth) return
  mkdirSync(path('docs/growth'), { recursive: true })
  for (const [name, svg] of await growthPictures(figures.growth)) writeFileSync(path(`docs/growth/${name}`), svg)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv.slice(2))

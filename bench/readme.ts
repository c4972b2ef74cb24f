/**
 * `npm run bench:readme`: writes README's table of times between its markers, from bench/published.json; with files that
 * `npm run bench` wrote, takes their figures over into bench/published.json first. Measures nothing.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { report } from 'anneal'
import type { Results } from './harness/output.js'
import { packageRoot } from './harness/package_root.js'

/** What is kept of a run: its circumstances and, by trial, every driver's median in microseconds. */
export interface PublishedRun extends Pick<Results, 'machine' | 'settings'> {
  trials: Record<string, Record<string, number>>
}

export interface Published {
  runs: PublishedRun[]
}

/** The columns: of each library the fastest of the drivers whose names begin so. Those after the first are compared with it. */
const columns: readonly (readonly [title: string, prefix: string])[] = [
  ['anneal', 'native-fit'],
  ['PyTorch', 'torch-'],
  ['JAX', 'jax-'],
  ['tfjs-node-gpu', 'tfjs-node-gpu'],
  ['tfjs wasm', 'tfjs-wasm'],
]

export function publishedRun({ machine, settings, lines }: Results): PublishedRun {
  const trials: PublishedRun['trials'] = {}
  for (const { trial, driver, us } of lines) trials[trial] = { ...trials[trial], [driver]: Number(us.toPrecision(4)) }
  return { machine, settings, trials }
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(value < 1 ? 2 : 3))

function time(us: number): string {
  return us >= 1000 ? `${digits(us / 1000)} ms` : `${digits(us)} µs`
}

function row(trial: string, times: Readonly<Record<string, number>>): report.Row {
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
  const rows = Object.entries(trials)
    .filter(([, times]) => Object.keys(times).some(name => name.startsWith(columns[0][1])))
    .map(([trial, times]) => row(trial, times))
  const pinned = settings.cpus.length ? `pinned to ${settings.cpus.length} of its processors` : 'not pinned'
  return [
    report.markdownTable(rows),
    '',
    `${machine.cpu}, ${machine.system}, Node ${machine.node}; at most ${settings.threads} thread(s), ${pinned}; medians of ${settings.rounds}`,
    `interleaved rounds, a process each. Per training step (the lecture: both its runs), of every library the fastest of its`,
    `ways to train. \`${settings.command}\``,
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

function main(files: readonly string[]): void {
  const [readme, published] = ['README.md', 'bench/published.json'].map(name => join(packageRoot(), name))
  if (files.length) {
    const runs = files.map(file => publishedRun(JSON.parse(readFileSync(file, 'utf8'))))
    writeFileSync(published, `${JSON.stringify({ runs }, undefined, 2)}\n`)
  }
  const figures: Published = JSON.parse(readFileSync(published, 'utf8'))
  writeFileSync(readme, withFigures(readFileSync(readme, 'utf8'), figures))
  console.log(`README.md: ${figures.runs.length} run(s) from bench/published.json`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2))

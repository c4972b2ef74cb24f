/** Benches across backends: that every case does on each backend what it says, the timing itself, and the files. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { chooseCases, suiteNames, unsuited } from '../src/compare/bench/cases.js'
import { measure } from '../src/compare/bench/measure.js'
import { type BenchResults, benchPage, benchRows, writeBench } from '../src/compare/bench/results.js'
import { backends } from '../src/compare/index.js'
import { allBackends } from './helpers/backends.js'

const folder = mkdtempSync(join(tmpdir(), 'anneal-compare-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('cases', () => {
  const all = chooseCases()

  test('have names of their own, and suites', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
    expect(chooseCases(['kernels'])).toEqual(all.filter(({ suite }) => suite !== 'fit'))
    expect(chooseCases(['fit', 'update']).map(({ suite }) => suite)).toEqual(expect.arrayContaining(['update', 'fit']))
    for (const suite of suiteNames) expect(chooseCases([suite]).length, suite).toBeGreaterThan(0)
    expect(() => chooseCases(['conv'])).toThrow(/bench: expected suite to be .* but received "conv"/)
  })

  const small = all.filter(({ work }) => work < 2e5)
  test.each(small)('$name runs on every backend', benchCase => {
    for (const backend of allBackends) {
      const run = benchCase.make(backend)
      run.run()
      run.run()
      run.dispose()
    }
  })

  test('plain JavaScript sits out what would take too long', () => {
    const [largest] = [...all].sort((a, b) => b.work - a.work)
    expect(unsuited(largest, backends.reference)).toBe('left out, it would take too long')
    expect(unsuited(largest, backends.native)).toBeUndefined()
    expect(unsuited(small[0], backends.reference)).toBeUndefined()
  })
})

test('contenders take turns, and a slower one has the longer time', () => {
  const turns: string[] = []
  const busy = (name: string, ms: number) => ({
    run() {
      if (turns[turns.length - 1] !== name) turns.push(name)
      for (const end = performance.now() + ms; performance.now() < end; );
    },
    dispose() {},
  })
  const [a, b] = measure([busy('a', 1), busy('b', 3)], 60)
  expect(a.min).toBeGreaterThanOrEqual(999)
  expect(a.min).toBeLessThanOrEqual(a.median)
  expect(a.median).toBeLessThanOrEqual(a.max)
  expect(b.min).toBeGreaterThanOrEqual(2999)
  expect(turns.length).toBeGreaterThan(6)
})

describe('results', () => {
  const timing = (median: number) => ({ median, min: median, max: median })
  const results: BenchResults = {
    machine: { cpu: 'Some CPU', cores: 2 },
    settings: { milliseconds: 20 },
    backends: [backends.native, backends.reference],
    lines: [
      { suite: 'matmul', name: 'small', timings: { native: timing(2), reference: timing(9) } },
      { suite: 'update', name: 'large', timings: { native: timing(1234.4) } },
    ],
  }

  test('as rows: times, and multiples of native', () => {
    expect(benchRows(results)).toEqual([
      { case: 'small', 'native, µs': '2', 'reference, µs': '9', 'reference / native': '4.5' },
      { case: 'large', 'native, µs': '1230', 'reference, µs': undefined, 'reference / native': undefined },
    ])
    const withoutOurs = [{ suite: 'matmul', name: 'small', timings: { reference: timing(9) } }] as const
    expect(benchRows({ backends: [backends.reference], lines: withoutOurs })).toEqual([
      { case: 'small', 'reference, µs': '9' },
    ])
  })

  test('as a page that loads nothing, a chart per case', async () => {
    const page = await benchPage(results)
    expect(page.match(/<svg /g)).toHaveLength(2)
    expect(page).toContain('Some CPU')
    expect(page).not.toMatch(/<script|<link|src=|url\(http/)
  })

  test('as files', async () => {
    const out = join(folder, 'sub/r.json')
    const files = await writeBench(results, out, () => {})
    expect(readdirSync(join(folder, 'sub'))).toEqual(['r.html', 'r.json', 'r.md'])
    expect(files).toContain(out)
    const { machine, settings, backends: described, lines } = JSON.parse(readFileSync(out, 'utf8'))
    expect({ machine, settings, lines }).toEqual({
      machine: results.machine,
      settings: results.settings,
      lines: results.lines,
    })
    expect(described[0]).toMatchObject({ name: 'native', isa: backends.native.isa })
    expect(readFileSync(join(folder, 'sub/r.md'), 'utf8')).toMatch(/\| small \| 2 \| 9 \| 4.5 \|/)
  })
})

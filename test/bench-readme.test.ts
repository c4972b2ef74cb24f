/** README's table of times: it is what bench/published.json says, and made as it should be. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { growthPictures } from '../bench/growth.js'
import { packageRoot } from '../bench/harness/package_root.js'
import { type Published, publishedRun, takenOver, withFigures } from '../bench/readme.js'

const read = (name: string) => readFileSync(join(packageRoot(), name), 'utf8')

test('README has the published figures: npm run bench:readme', () => {
  const published: Published = JSON.parse(read('bench/published.json'))
  expect(withFigures(read('README.md'), published)).toBe(read('README.md'))
})

test('docs/growth has the published curves', async () => {
  const { growth }: Published = JSON.parse(read('bench/published.json'))
  const pictures = await growthPictures(growth!)
  expect(readdirSync(join(packageRoot(), 'docs/growth')).sort()).toEqual([...pictures.keys()].sort())
  for (const [name, svg] of pictures) expect(read(`docs/growth/${name}`), name).toBe(svg)
})

const machine = { cpu: 'Some CPU', cores: 2, memoryGB: 8, system: 'linux 6', node: '20.0.0', load: 0 }
const settings = { threads: 1, cpus: [1], rounds: 5, seconds: 1, command: 'npm run bench -- --trial step' }
const line = (trial: string, driver: string, us: number) => ({ trial, driver, us, spread: 0, busy: 1 })
const lines = [
  line('2-8-3', 'native-fit', 1.23456),
  line('2-8-3', 'tfjs-node-gpu-layers', 2000),
  line('2-8-3', 'tfjs-node-gpu-1-thread-minimize', 617.28),
  line('2-8-3', 'torch-eager', 123.456),
  line('forward 64x32x64', 'native-products', 3),
]
const run = publishedRun({ machine, settings, lines, warnings: [], trials: [] })

test('a run is published as its medians', () => {
  expect(run.trials['2-8-3']).toMatchObject({ 'native-fit': 1.235, 'torch-eager': 123.5 })
})

test('the fastest way of each library, compared with ours; only trials that fit has', () => {
  const text = withFigures('a\n<!-- bench -->\nold\n<!-- /bench -->\nz', { runs: [run] })
  expect(text).toContain('| 2-8-3 | 1.24 µs | 124 µs (100×) | - | 617 µs (500×) | - |')
  expect(text).not.toMatch(/old|forward/)
  expect(text).toMatch(/^a\n<!-- bench -->\n\n\| trial /)
  expect(text).toMatch(/Some CPU.*medians of 5\n.*`npm run bench -- --trial step`\n\n<!-- \/bench -->\nz$/s)
  expect(withFigures(text, { runs: [] })).toBe('a\n<!-- bench -->\n<!-- /bench -->\nz')
  expect(withFigures(text, { runs: [run] })).toBe(text)
})

test('predictions have a table of their own', () => {
  const predicted = [line('384-128-10 x 1', 'native-predict', 2), line('384-128-10 x 1', 'onnxruntime', 12)]
  const text = withFigures('<!-- bench --><!-- /bench -->', {
    runs: [publishedRun({ machine, settings, lines: [...lines, ...predicted], warnings: [], trials: [] })],
  })
  expect(text).toMatch(
    /\| 2-8-3 .*\| trial +\| anneal +\| ONNX Runtime +\|.*\| 384-128-10 x 1 \| 2.00 µs \| 12.0 µs \(6.00×\) \|/s,
  )
})

test('a file of growth trials takes the place of the curves, another that of the tables', () => {
  const results = (trial: string) => ({
    ...{ machine, settings, warnings: [], trials: [] },
    lines: [{ ...line(trial, 'native-fit', 8), ofPeak: 0.5 }],
  })
  const before = takenOver({ runs: [] }, [results('2-8-3'), results('growth: batch 4')])
  expect(before.runs.map(({ trials }) => trials)).toEqual([{ '2-8-3': { 'native-fit': 8 } }])
  expect(before.growth?.trials).toEqual({ 'growth: batch 4': { 'native-fit': 8, floor: 4 } })
  const after = takenOver(before, [results('64-32-10')])
  expect(after.growth).toBe(before.growth)
  expect(Object.keys(after.runs[0].trials)).toEqual(['64-32-10'])
})

test('a README without markers is left alone', () => {
  expect(() => withFigures('text', { runs: [] })).toThrow('README: expected <!-- bench --> and <!-- /bench -->')
})

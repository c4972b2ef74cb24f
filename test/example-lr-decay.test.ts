/** The lecture as a reader runs it: what it prints and writes, and PyTorch's own figures for the same program. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { History } from '../examples/lib/lr_decay_report.js'
import { type ExampleRun, runExample } from './helpers/run_example.js'

interface GoldenHistory {
  train_loss: number[]
  test_loss: number[]
  train_acc: number[]
  test_acc: number[]
  lr_history: number[]
}

const goldenFile = new URL('./golden/lecture.json', import.meta.url)
const golden: Record<'dynamic' | 'static', { history: GoldenHistory }> = JSON.parse(await readFile(goldenFile, 'utf8'))

let run: ExampleRun
let out = ''
let printed = ''
let histories: {
  lecture: Record<'dynamic' | 'static', History>
  large: Record<string, History>
  schedules: Record<string, History>
}

beforeAll(async () => {
  run = await runExample('lr-decay', () => import('../examples/lr-decay.js'))
  ;({ out, printed } = run)
  histories = JSON.parse(await readFile(join(out, 'history.json'), 'utf8'))
}, 30_000)

afterAll(() => run.remove())

function expectClose(got: number[], want: number[], tolerance: number) {
  expect(got).toHaveLength(want.length)
  for (const [i, value] of want.entries())
    expect(Math.abs(got[i] - value), `entry ${i}: ${got[i]}, not ${value}`).toBeLessThanOrEqual(tolerance)
}

describe('examples/lr-decay.ts', () => {
  it.each(['dynamic', 'static'] as const)(
    '%s: losses within 1e-6 of PyTorch, accuracies and rates equal, in every epoch',
    run => {
      const [got, want] = [histories.lecture[run], golden[run].history]
      expectClose(got.trainLoss, want.train_loss, 1e-6)
      expectClose(got.testLoss, want.test_loss, 1e-6)
      expect(got.trainAcc).toEqual(want.train_acc)
      expect(got.testAcc).toEqual(want.test_acc)
      expect(got.lr).toEqual(want.lr_history)
    },
  )

  it('shows every epoch of both runs', () => {
    for (const label of ['dynamic', 'static ']) {
      for (let epoch = 1; epoch <= 20; epoch++) {
        expect(printed).toMatch(
          new RegExp(`${label}  epoch ${String(epoch).padStart(2)}/20  loss \\d\\.\\d{4}  accuracy .*%  lr 0\\.`),
        )
      }
    }
  })

  it.each([
    ['dynamic', [0.445405, 0.444501, 0.959722, 0.95, 0.000625]],
    ['static', [0.190077, 0.187602, 0.970833, 0.972222, 0.01]],
  ] as const)('prints the final table: %s', (run, want) => {
    const row = printed.split('\n').find(line => line.startsWith(run) && !line.includes('epoch')) ?? ''
    const figures = row.split(/\s+/).slice(1).map(Number)
    expectClose(figures, [...want], 1.5e-6) // printed with six decimals, computed to within 1e-6
  })

  it('says who won, as the figures have it', async () => {
    const page = await readFile(join(out, 'report.html'), 'utf8')
    for (const text of [printed, page]) {
      expect(text).toMatch(/The static rate wins at a starting rate of 0\.01: .* decay is the better one for 0 of them/)
      expect(text).toMatch(/The decay wins at a starting rate of 2: .* decay is the better one for (8|9|10) of them/)
    }
    const final = (run: History) => run.testLoss[19]
    expect(final(histories.lecture.static)).toBeLessThan(final(histories.lecture.dynamic))
    expect(final(histories.large.dynamic)).toBeLessThan(final(histories.large.static))
  })

  it('compares the other schedules of the lecture', () => {
    const names = Object.keys(histories.schedules).map(name => name.split(':')[0])
    expect(names).toEqual(['static', 'StepLR', 'ExponentialLR', 'MultiStepLR', 'ReduceLROnPlateau'])
    for (const { lr } of Object.values(histories.schedules).slice(1)) expect(lr[459]).toBeLessThan(0.5)
  })

  it('writes every picture twice and a page that holds them all and loads nothing', async () => {
    const pictures = ['accuracy', 'large-rate-loss', 'loss', 'lr', 'schedules-loss', 'schedules-lr']
    const files = [...pictures.flatMap(name => [`${name}.png`, `${name}.svg`]), 'history.json', 'report.html']
    expect((await readdir(out)).sort()).toEqual(files.sort())
    const page = await readFile(join(out, 'report.html'), 'utf8')
    for (const name of pictures) {
      expect(page).toContain(await readFile(join(out, `${name}.svg`), 'utf8'))
      expect((await readFile(join(out, `${name}.png`))).subarray(1, 4).toString()).toBe('PNG')
    }
    expect(page).not.toMatch(/<script|<link|<img|@import|src=|href=/)
  })
})

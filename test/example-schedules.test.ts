/** examples/schedules.ts: what it prints and writes, each run as `fit` alone has it, each schedule as its preview says. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lrScheduler } from 'anneal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ExampleRun, runExample } from './helpers/run_example.js'

interface Run {
  optimizer: string
  schedule: string
  trainLoss: number[]
  testLoss: number[]
  lr: number[]
}

let run: ExampleRun
let runs: Run[]

beforeAll(async () => {
  run = await runExample('schedules', () => import('../examples/schedules.js'))
  runs = JSON.parse(await readFile(join(run.out, 'history.json'), 'utf8'))
}, 30_000)

afterAll(() => run.remove())

const schedules = ['exponential', 'multi-step', 'plateau', 'cosine', 'one-cycle', 'warm-up, stable, decay']

/** The rates of 460 updates without training anything. */
function curve(make: (optimizer: lrScheduler.Schedulable) => lrScheduler.LRScheduler): number[] {
  return make({ paramGroups: [{ lr: 0.01, betas: [0.9, 0.999] }] })
    .preview(460)
    .map(([lr]) => lr)
}

describe('examples/schedules.ts', () => {
  it('trains every pair of optimizer and schedule, and ranks them', () => {
    const pairs = runs.map(({ optimizer, schedule }) => `${optimizer} ${schedule}`).sort()
    expect(pairs).toEqual(['Adam', 'RMSprop'].flatMap(name => schedules.map(other => `${name} ${other}`)).sort())
    const losses = runs.map(({ testLoss }) => testLoss[19])
    expect(losses).toEqual([...losses].sort((a, b) => a - b))
    expect(losses.at(-1)).toBeLessThan(0.2)
    const lines = run.printed.split('\n').slice(2)
    expect(lines).toHaveLength(12)
    for (const [i, { optimizer, schedule }] of runs.entries()) {
      expect(lines[i]).toContain(optimizer)
      expect(lines[i]).toContain(schedule)
    }
  })

  it.each([
    ['exponential', curve(o => new lrScheduler.ExponentialLR(o, { gamma: 0.99 }))],
    ['multi-step', curve(o => new lrScheduler.MultiStepLR(o, { milestones: [230, 345], gamma: 0.1 }))],
    ['cosine', curve(o => new lrScheduler.CosineAnnealingLR(o, { tMax: 460 }))],
    ['one-cycle', curve(o => new lrScheduler.OneCycleLR(o, { maxLr: 0.01, totalSteps: 460 }))],
    [
      'warm-up, stable, decay',
      curve(o => new lrScheduler.WarmupStableDecayLR(o, { totalSteps: 460, warmupSteps: 46, decaySteps: 92 })),
    ],
  ])('follows the schedule under both optimizers: %s', (schedule, rates) => {
    for (const { lr } of runs.filter(other => other.schedule === schedule)) expect(lr).toEqual(rates)
  })

  it('lowers the rate on a plateau between epochs only', () => {
    for (const { lr } of runs.filter(({ schedule }) => schedule === 'plateau')) {
      for (let i = 1; i < lr.length; i++) {
        if (i % 23 !== 0) expect(lr[i]).toBe(lr[i - 1])
        else expect([lr[i - 1], lr[i - 1] / 2]).toContain(lr[i])
      }
      expect(lr[459]).toBeLessThan(0.01)
    }
  })

  it('draws one picture', async () => {
    expect((await readdir(run.out)).sort()).toEqual(['history.json', 'schedules.png', 'schedules.svg'])
    const picture = await readFile(join(run.out, 'schedules.svg'), 'utf8')
    for (const text of [...schedules, 'Test loss under Adam', 'Test loss under RMSprop'])
      expect(picture).toContain(text)
    expect((await readFile(join(run.out, 'schedules.png'))).subarray(1, 4).toString()).toBe('PNG')
  })
})

/** What PyTorch lacks, or where it has a trap: formulas of papers, options, hyper-parameters, groups, resumption. */

import { describe, expect, it } from 'vitest'
import * as lr from '../src/lr_scheduler/index.js'
import { expectSame } from './helpers/schedules.js'

type Make = (optimizer: lr.Schedulable) => lr.LRScheduler

const groupsOf = (...rates: number[]) => ({
  paramGroups: rates.map(rate => ({ lr: rate, momentum: 0.9, weightDecay: 0.01 })) as lr.ScheduledGroup[],
})

/** The rates of the first `n` updates of one group that starts at 1. */
function curve(make: Make, n: number): number[] {
  return make(groupsOf(1))
    .preview(n)
    .map(([rate]) => rate)
}

const r = Math.sqrt

/** Options and the first rates, from an initial rate of 1, worked out from the papers. */
const formulas: [string, Make, number[]][] = [
  ['InverseTimeLR', o => new lr.InverseTimeLR(o, { k: 0.5 }), [1, 2 / 3, 0.5, 0.4, 1 / 3]],
  ['InverseTimeLR, still', o => new lr.InverseTimeLR(o, { k: 0 }), [1, 1, 1]],
  ['InverseSqrtLR', o => new lr.InverseSqrtLR(o, { warmupSteps: 4 }), [0.25, 0.5, 0.75, 1, r(0.8), r(4 / 6), r(4 / 7)]],
  ['InverseSqrtLR, no warm-up', o => new lr.InverseSqrtLR(o, { warmupSteps: 1 }), [1, r(1 / 2), r(1 / 3), 0.5]],
  ['NoamLR', o => new lr.NoamLR(o, { dModel: 16, warmupSteps: 4 }), [1 / 32, 2 / 32, 3 / 32, 1 / 8, 1 / (4 * r(5))]],
  ['LinearToZeroLR', o => new lr.LinearToZeroLR(o, { totalSteps: 4 }), [1, 0.75, 0.5, 0.25, 0, 0]],
  [
    'LinearToZeroLR, warm-up',
    o => new lr.LinearToZeroLR(o, { totalSteps: 6, warmupSteps: 2 }),
    [0.5, 1, 1, 0.75, 0.5, 0.25, 0],
  ],
  ['REXLR', o => new lr.REXLR(o, { totalSteps: 4 }), [1, 6 / 7, 2 / 3, 0.4, 0, 0]],
  [
    'WarmupStableDecayLR, linear',
    o => new lr.WarmupStableDecayLR(o, { totalSteps: 8, warmupSteps: 2, decaySteps: 4, minFactor: 0.2 }),
    [0.5, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0.2],
  ],
  [
    'WarmupStableDecayLR, cosine',
    o => new lr.WarmupStableDecayLR(o, { totalSteps: 5, decaySteps: 4, cooldown: 'cosine' }),
    [1, 1, (1 + r(0.5)) / 2, 0.5, (1 - r(0.5)) / 2, 0],
  ],
  [
    'WarmupStableDecayLR, 1-sqrt',
    o => new lr.WarmupStableDecayLR(o, { totalSteps: 5, decaySteps: 4, cooldown: '1-sqrt' }),
    [1, 1, 0.5, 1 - r(0.5), 1 - r(0.75), 0, 0],
  ],
  ['WarmupStableDecayLR, no cooldown', o => new lr.WarmupStableDecayLR(o, { totalSteps: 2, decaySteps: 0 }), [1, 1, 0]],
  ['WarmupLR, linear', o => new lr.WarmupLR(o, { steps: 4, startFactor: 0.2 }), [0.2, 0.4, 0.6, 0.8, 1, 1]],
  [
    'WarmupLR, exponential, in epochs',
    o => new lr.WarmupLR(o, { epochs: 2, stepsPerEpoch: 2, mode: 'exponential', startFactor: 1e-4 }),
    [1e-4, 1e-3, 1e-2, 1e-1, 1, 1],
  ],
  ['WarmupLR of no steps', o => new lr.WarmupLR(o, { steps: 0 }), [1, 1]],
  [
    'WarmupLR around StepLR',
    o => new lr.WarmupLR(o, { steps: 2, startFactor: 0.5, schedule: new lr.StepLR(o, { stepSize: 2, gamma: 0.5 }) }),
    [0.5, 0.75, 1, 1, 0.5, 0.5, 0.25],
  ],
  [
    'WarmupLR up to the first rate of LinearLR',
    o =>
      new lr.WarmupLR(o, {
        steps: 2,
        startFactor: 0,
        schedule: new lr.LinearLR(o, { startFactor: 0.5, totalIters: 2 }),
      }),
    [0, 0.25, 0.5, 0.75, 1],
  ],
  [
    'WarmupLR around a sequence',
    o => {
      const schedulers = [new lr.ConstantLR(o, { factor: 0.5, totalIters: 9 }), new lr.ExponentialLR(o, { gamma: 0.5 })]
      return new lr.WarmupLR(o, {
        steps: 2,
        startFactor: 0,
        schedule: new lr.SequentialLR(o, { schedulers, milestones: [2] }),
      })
    },
    [0, 0.25, 0.5, 0.5, 1, 0.5, 0.25],
  ],
  [
    'WarmupLR inside a sequence',
    o => {
      const schedule = new lr.ExponentialLR(o, { gamma: 0.5 })
      const warm = new lr.WarmupLR(o, { steps: 2, startFactor: 0, schedule })
      return new lr.SequentialLR(o, { schedulers: [new lr.ConstantLR(o, { factor: 0.1 }), warm], milestones: [2] })
    },
    [0.1, 0.1, 0, 0.5, 1, 0.5, 0.25],
  ],
  [
    'a chain inside a sequence, then a sequence',
    o => {
      const chain = new lr.ChainedScheduler([
        new lr.ExponentialLR(o, { gamma: 0.5 }),
        new lr.ConstantLR(o, { factor: 0.5, totalIters: 2 }),
      ])
      const inner = [
        new lr.ConstantLR(o, { factor: 0.5, totalIters: 9 }),
        new lr.StepLR(o, { stepSize: 1, gamma: 0.5 }),
      ]
      const sequence = new lr.SequentialLR(o, { schedulers: inner, milestones: [1] })
      return new lr.SequentialLR(o, { schedulers: [chain, sequence], milestones: [4] })
    },
    [0.5, 0.25, 0.25, 0.125, 0.5, 1, 0.5, 0.25],
  ],
]

describe('formulas', () => {
  it.each(formulas)('%s', (_, make, rates) => {
    expectSame(curve(make, rates.length), rates, 'rates')
    const optimizer = groupsOf(0.3)
    const scheduler = make(optimizer)
    for (const rate of rates) {
      expect(optimizer.paramGroups[0].lr).toBeCloseTo(0.3 * rate, 14)
      scheduler.step()
    }
  })
})

describe('traps of PyTorch, and the way out', () => {
  it('cosine climbs after tMax, or holds', () => {
    const at = (hold: boolean) => curve(o => new lr.CosineAnnealingLR(o, { tMax: 4, etaMin: 0.1, hold }), 9)
    expect(at(false)[8]).toBeCloseTo(1, 12)
    expectSame(at(true).slice(4), [0.1, 0.1, 0.1, 0.1, 0.1], 'held')
    expect(curve(o => new lr.CosineAnnealingLR(o, { tMax: 2.5, hold: true }), 5).slice(3)).toEqual([0, 0])
    const optimizer = groupsOf(1)
    const scheduler = new lr.CosineAnnealingLR(optimizer, { tMax: 4, etaMin: 0.1, hold: true })
    scheduler.step(30)
    expect(optimizer.paramGroups[0].lr).toBe(0.1)
    optimizer.paramGroups[0].lr = 0.2
    scheduler.step()
    expect(optimizer.paramGroups[0].lr).toBe(0.2)
  })

  it('one cycle overshoots and throws, or holds', () => {
    const options = { maxLr: 1, totalSteps: 10, annealStrategy: 'linear' } as const
    const rates = curve(o => new lr.OneCycleLR(o, options), 14)
    expect(rates[10]).toBeLessThan(0)
    expect(rates.slice(11)).toEqual([rates[10], rates[10], rates[10]])
    const held = groupsOf(1)
    const scheduler = new lr.OneCycleLR(held, { ...options, hold: true })
    for (let t = 0; t < 20; t++) scheduler.step()
    expect(held.paramGroups[0].lr).toBeCloseTo(1 / 25 / 1e4, 15)
  })

  it('one cycle refuses a phase of no length, or passes it over', () => {
    expect(() => new lr.OneCycleLR(groupsOf(1), { maxLr: 1, totalSteps: 10, pctStart: 0.1 })).toThrow(/pctStart/)
    const rates = curve(o => new lr.OneCycleLR(o, { maxLr: 1, totalSteps: 10, pctStart: 0.1, hold: true }), 2)
    expect(rates[0]).toBe(1)
    const scheduler = new lr.OneCycleLR(groupsOf(1), { maxLr: 1, totalSteps: 4, pctStart: 1 })
    for (let t = 0; t < 3; t++) scheduler.step()
    const before = scheduler.stateDict()
    expect(() => scheduler.step()).toThrow(RangeError)
    expect(scheduler.stateDict()).toEqual(before)
  })

  it('a plateau takes worse negative metrics as better, or does not', () => {
    const best = (thresholdMode: 'rel' | 'magnitude', mode: 'min' | 'max', metrics: number[]) => {
      const scheduler = new lr.ReduceLROnPlateau(groupsOf(1), { mode, thresholdMode, threshold: 0.1 })
      for (const metric of metrics) scheduler.step(metric)
      return scheduler.stateDict().best
    }
    expect(best('rel', 'min', [-2, -1.9])).toBe(-1.9)
    expect(best('magnitude', 'min', [-2, -1.9, -2.1])).toBe(-2)
    expect(best('magnitude', 'min', [-2, -2.3])).toBe(-2.3)
    expect(best('magnitude', 'max', [-2, -2.1, -1.9])).toBe(-2)
    expect(best('magnitude', 'max', [-2, -1.7])).toBe(-1.7)
    expect(best('magnitude', 'min', [2, 1.9, 1.7])).toBe(1.7)
    expect(best('magnitude', 'min', [Infinity, 5])).toBe(5)
  })

  it('ConstantLR comes back from a factor of zero', () => {
    expect(curve(o => new lr.ConstantLR(o, { factor: 0, totalIters: 2 }), 4)).toEqual([0, 0, 1, 1])
  })

  it('closed forms of no iterations are at their end', () => {
    for (const make of [
      (o: lr.Schedulable) => new lr.LinearLR(o, { endFactor: 0.5, totalIters: 0 }),
      (o: lr.Schedulable) => new lr.PolynomialLR(o, { totalIters: 0 }),
    ]) {
      const optimizer = groupsOf(1)
      const scheduler = make(optimizer)
      scheduler.step(0)
      expect(optimizer.paramGroups[0].lr).toBe(scheduler instanceof lr.LinearLR ? 0.5 : 0)
    }
  })
})

describe('plateau', () => {
  it('in a sequence starts from the initial rate with its counters at zero', () => {
    const optimizer = groupsOf(1)
    const warm = new lr.LinearLR(optimizer, { startFactor: 0.5, totalIters: 3 })
    const plateau = new lr.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 1 })
    const scheduler = new lr.SequentialLR(optimizer, { schedulers: [warm, plateau], milestones: [2] })
    expect(scheduler.needsMetric).toBe(true)
    expect(() => scheduler.step()).toThrow(/SequentialLR.step: expected metric/)
    const rates = [9, 9, 9, 9, 9, 9, 9].map(metric => {
      scheduler.step(metric)
      return optimizer.paramGroups[0].lr
    })
    expectSame(rates, [2 / 3, 1, 1, 1, 0.5, 0.5, 0.25], 'rates')
  })

  it('does not move in a preview without metrics', () => {
    const optimizer = groupsOf(1)
    const scheduler = new lr.ReduceLROnPlateau(optimizer, { patience: 0 })
    scheduler.step(1)
    expect(scheduler.preview(4)).toEqual([[1], [1], [1], [1]])
    expect(scheduler.preview(4, [2, 2])).toEqual([[1], [0.1], [0.1 * 0.1], [0.1 * 0.1]])
  })

  it('takes a tensor of one element, and a count', () => {
    const scheduler = new lr.ReduceLROnPlateau(groupsOf(1))
    scheduler.step({ item: () => 0.25 }, 7)
    expect(scheduler.stateDict()).toMatchObject({ best: 0.25, last_epoch: 7 })
    for (const bad of [undefined, null, '1', {}, 1n] as never[]) expect(() => scheduler.step(bad)).toThrow(TypeError)
  })

  it('in a chain reduces on top of the others', () => {
    const optimizer = groupsOf(1)
    const plateau = new lr.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 0 })
    const scheduler = new lr.ChainedScheduler([new lr.StepLR(optimizer, { stepSize: 2, gamma: 0.1 }), plateau])
    for (const metric of [1, 1, 1]) scheduler.step(metric)
    expect(optimizer.paramGroups[0].lr).toBeCloseTo(0.1 * 0.25, 15)
  })
})

describe('any hyper-parameter, any groups', () => {
  it('drives weight decay, momentum and betas, not the rate', () => {
    const optimizer = groupsOf(1)
    new lr.StepLR(optimizer, { stepSize: 1, gamma: 0.5, param: 'weightDecay' }).step()
    new lr.LambdaLR(optimizer, { lrLambda: t => 1 - t / 10, param: 'momentum' }).step()
    expect(optimizer.paramGroups[0]).toMatchObject({ lr: 1, weightDecay: 0.005, momentum: 0.9 * 0.9 })
    expect(optimizer.paramGroups[0]).toMatchObject({ initialWeightDecay: 0.01, initialMomentum: 0.9 })
    expect(optimizer.paramGroups[0].initialLr).toBeUndefined()
    const betas: [number, number] = [0.9, 0.8]
    const adam = { paramGroups: [{ lr: 1, betas }] }
    new lr.ExponentialLR(adam, { gamma: 0.5, param: 'beta1' }).step()
    new lr.ExponentialLR(adam, { gamma: 0.5, param: 'beta2' }).step()
    expect(adam.paramGroups[0].betas).toEqual([0.45, 0.4])
    expect(betas).toEqual([0.9, 0.8])
  })

  it('resumes a hyper-parameter from its own initial value', () => {
    const group = { lr: 1, weightDecay: 0.5, initialWeightDecay: 1 }
    new lr.LambdaLR({ paramGroups: [group] }, { lrLambda: t => 1 / (t + 1), param: 'weightDecay', lastEpoch: 2 })
    expect(group).toMatchObject({ lr: 1, weightDecay: 1 / 4 })
  })

  it('drives the groups it is told, each by its own schedule', () => {
    const optimizer = groupsOf(1, 1, 1)
    const head = new lr.StepLR(optimizer, { stepSize: 1, gamma: 0.5, groups: [2] })
    const body = new lr.WarmupLR(optimizer, { steps: 2, startFactor: 0, groups: [0] })
    const scheduler = new lr.ChainedScheduler([head, body])
    expect(scheduler.preview(3)).toEqual([
      [0, 1, 1],
      [0.5, 1, 0.5],
      [1, 1, 0.25],
    ])
    expect(() => new lr.StepLR(optimizer, { stepSize: 1, groups: [3] })).toThrow(RangeError)
  })

  it('cycles momentum only in the groups it drives', () => {
    const optimizer = groupsOf(1, 1)
    new lr.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 10, groups: [1] })
    new lr.CyclicLR(optimizer, { baseLr: 0.1, maxLr: 1, groups: [1] })
    expect(optimizer.paramGroups[0]).toEqual({ ...groupsOf(1).paramGroups[0], initialLr: 1 })
  })

  it('takes in a group that is added later', () => {
    const optimizer = groupsOf(1)
    const scheduler = new lr.LambdaLR(optimizer, { lrLambda: t => 1 / (t + 1) })
    optimizer.paramGroups.push({ lr: 4 })
    scheduler.step()
    expect(scheduler.getLastLr()).toEqual([0.5, 2])
    expect(optimizer.paramGroups[1].initialLr).toBe(4)
  })
})

describe('an edit of the rate', () => {
  const edited = (make: Make) => {
    const optimizer = groupsOf(1)
    const scheduler = make(optimizer)
    optimizer.paramGroups[0].lr = 10
    expect(scheduler.preview(1)).toEqual([[10]])
    scheduler.step()
    return optimizer.paramGroups[0].lr
  }

  it('stays with chainable schedules and is overwritten by the others', () => {
    expect(edited(o => new lr.StepLR(o, { stepSize: 1, gamma: 0.5 }))).toBe(5)
    expect(edited(o => new lr.InverseTimeLR(o, { k: 1 }))).toBe(0.5)
    expect(edited(o => new lr.WarmupLR(o, { steps: 2, startFactor: 0 }))).toBe(0.5)
  })
})

describe('lastEpoch', () => {
  const lambda = (t: number) => 0.9 ** t
  /** The rate to restore is that of count k, or, where PyTorch's constructor leaves it alone, of k + 1. */
  const table: [string, (o: lr.Schedulable, lastEpoch: number) => lr.LRScheduler, 0 | 1][] = [
    ['LambdaLR', (o, lastEpoch) => new lr.LambdaLR(o, { lrLambda: lambda, lastEpoch }), 0],
    ['StepLR', (o, lastEpoch) => new lr.StepLR(o, { stepSize: 4, gamma: 0.5, lastEpoch }), 0],
    ['MultiStepLR', (o, lastEpoch) => new lr.MultiStepLR(o, { milestones: [3, 8, 9], lastEpoch }), 0],
    ['ConstantLR', (o, lastEpoch) => new lr.ConstantLR(o, { totalIters: 8, lastEpoch }), 0],
    ['MultiplicativeLR', (o, lastEpoch) => new lr.MultiplicativeLR(o, { lrLambda: lambda, lastEpoch }), 1],
    ['ExponentialLR', (o, lastEpoch) => new lr.ExponentialLR(o, { gamma: 0.9, lastEpoch }), 1],
    ['LinearLR', (o, lastEpoch) => new lr.LinearLR(o, { totalIters: 12, lastEpoch }), 1],
    ['PolynomialLR', (o, lastEpoch) => new lr.PolynomialLR(o, { totalIters: 12, lastEpoch }), 1],
    ['CosineAnnealingLR', (o, lastEpoch) => new lr.CosineAnnealingLR(o, { tMax: 12, lastEpoch }), 1],
    [
      'CosineAnnealingWarmRestarts',
      (o, lastEpoch) => new lr.CosineAnnealingWarmRestarts(o, { t0: 3, tMult: 2, lastEpoch }),
      0,
    ],
    ['OneCycleLR', (o, lastEpoch) => new lr.OneCycleLR(o, { maxLr: 1, totalSteps: 40, lastEpoch }), 0],
    ['InverseTimeLR', (o, lastEpoch) => new lr.InverseTimeLR(o, { k: 0.1, lastEpoch }), 0],
    [
      'WarmupLR',
      (o, lastEpoch) => new lr.WarmupLR(o, { steps: 4, schedule: new lr.StepLR(o, { stepSize: 2 }), lastEpoch }),
      0,
    ],
    [
      'SequentialLR',
      (o, lastEpoch) => {
        const schedulers = [new lr.LinearLR(o), new lr.ExponentialLR(o, { gamma: 0.9 })]
        return new lr.SequentialLR(o, { schedulers, milestones: [4], lastEpoch })
      },
      0,
    ],
  ]

  it.each(table)('%s goes on without interruption', (_, make, ahead) => {
    const whole = groupsOf(0.1, 0.4)
    const scheduler = make(whole, -1)
    const initial = whole.paramGroups.map(group => group.initialLr)
    const rates = scheduler.preview(40)
    for (const k of [0, 3, 7, 20]) {
      const optimizer = groupsOf(...rates[k + ahead])
      for (const [i, group] of optimizer.paramGroups.entries()) group.initialLr = initial[i]
      const resumed = make(optimizer, k)
      expect(resumed.lastEpoch).toBe(k + 1)
      expectSame(resumed.preview(18), rates.slice(k + 1, k + 19), `from ${k}`)
    }
  })
})

describe('a function of the user', () => {
  it('that throws, or gives no number, leaves everything as it was', () => {
    const optimizer = groupsOf(1, 1)
    let answer: unknown = 1
    const scheduler = new lr.LambdaLR(optimizer, { lrLambda: [() => 0.5, () => answer as number] })
    const before = structuredClone([optimizer.paramGroups, scheduler.stateDict()])
    for (const bad of [NaN, Infinity, '1', undefined]) {
      answer = bad
      expect(() => scheduler.step()).toThrow(/lrLambda\(1\)/)
      expect(() => scheduler.preview(3)).toThrow(/lrLambda\(1\)/)
      expect([optimizer.paramGroups, scheduler.stateDict()]).toEqual(before)
    }
  })

  it('may be a class', () => {
    class Square extends lr.CountedLR {
      constructor(optimizer: lr.Schedulable, options: lr.CountedOptions = {}) {
        super({ name: 'Square', options: lr.countedOptions }, optimizer, options)
      }

      protected override next(t: number, i: number): number {
        return this.base(i) / (1 + t) ** 2
      }
    }
    expect(curve(o => new Square(o), 3)).toEqual([1, 1 / 4, 1 / 9])
  })
})

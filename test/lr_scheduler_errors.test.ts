/** Bad options of every schedule, and bad JSON: an error with a code and the one phrase, and the optimizer as it was. */

import { describe, expect, it } from 'vitest'
import { galleryOptimizer } from '../examples/lib/schedule_gallery.js'
import { AnnealError } from '../src/base/errors.js'
import * as lr from '../src/lr_scheduler/index.js'

// biome-ignore lint/suspicious/noExplicitAny: bad input is of any type.
type Any = any

const notCounts = [0.5, -1, NaN, Infinity, '3', null, [1]]
const notNumbers = [NaN, Infinity, -Infinity, '1', null, true, {}]
const notNames = ['other', 1, null, ['min']]
const notFlags = [0, 1, 'true', null]
const notFunctions = [undefined, null, 1, 'x', {}, [1], [() => 1], [() => 1, () => 1, () => 1]]
const perGroup = [NaN, '1', null, [0.1], [0.1, 0.2, 0.3], [0.1, NaN], [0.1, '2']]

/** Options that make a schedule of two groups, and what each of them must not be. */
const cases: Record<string, { good: object; bad: Record<string, unknown[]> }> = {
  LambdaLR: { good: { lrLambda: () => 1 }, bad: { lrLambda: notFunctions } },
  MultiplicativeLR: { good: { lrLambda: () => 1 }, bad: { lrLambda: notFunctions } },
  StepLR: { good: { stepSize: 2 }, bad: { stepSize: [undefined, 0, ...notCounts], gamma: [-0.1, ...notNumbers] } },
  MultiStepLR: {
    good: { milestones: [1] },
    bad: { milestones: [undefined, null, 3, 'x', [0.5], [-1], ['1'], [NaN]], gamma: [-0.1, ...notNumbers] },
  },
  ConstantLR: { good: {}, bad: { factor: [1.1, -0.1, ...notNumbers], totalIters: notCounts } },
  LinearLR: {
    good: {},
    bad: { startFactor: [0, -0.1, 1.1, ...notNumbers], endFactor: [-0.1, 1.1, ...notNumbers], totalIters: notCounts },
  },
  ExponentialLR: { good: { gamma: 0.9 }, bad: { gamma: [undefined, -0.1, ...notNumbers] } },
  PolynomialLR: { good: {}, bad: { totalIters: notCounts, power: notNumbers } },
  CosineAnnealingLR: {
    good: { tMax: 5 },
    bad: { tMax: [undefined, 0, -1, ...notNumbers], etaMin: notNumbers, hold: notFlags },
  },
  CosineAnnealingWarmRestarts: {
    good: { t0: 5 },
    bad: { t0: [undefined, 0, ...notCounts], tMult: [0, ...notCounts], etaMin: notNumbers },
  },
  CyclicLR: {
    good: { baseLr: 0.1, maxLr: 1 },
    bad: {
      baseLr: [undefined, ...perGroup],
      maxLr: [undefined, ...perGroup],
      stepSizeUp: [0, -1, ...notNumbers],
      stepSizeDown: [-1, NaN, '1'],
      mode: notNames,
      gamma: notNumbers,
      scaleFn: [1, 'x', {}],
      scaleMode: notNames,
      cycleMomentum: notFlags,
      baseMomentum: perGroup,
      maxMomentum: perGroup,
    },
  },
  OneCycleLR: {
    good: { maxLr: 1, totalSteps: 10 },
    bad: {
      maxLr: [undefined, ...perGroup],
      totalSteps: [undefined, null, 0, 0.5, -1, '3'],
      epochs: [0, 0.5, '3'],
      stepsPerEpoch: [0, 0.5, '3'],
      pctStart: [-0.1, 1.1, ...notNumbers],
      annealStrategy: notNames,
      divFactor: [0, -1, ...notNumbers],
      finalDivFactor: [0, -1, ...notNumbers],
      threePhase: notFlags,
      cycleMomentum: notFlags,
      baseMomentum: perGroup,
      maxMomentum: perGroup,
      hold: notFlags,
    },
  },
  SWALR: {
    good: { swaLr: 0.1 },
    bad: { swaLr: [undefined, ...perGroup], annealEpochs: notCounts, annealStrategy: notNames },
  },
  ReduceLROnPlateau: {
    good: {},
    bad: {
      mode: notNames,
      factor: [1, 2, -0.1, ...notNumbers],
      patience: notCounts,
      threshold: notNumbers,
      thresholdMode: notNames,
      cooldown: notCounts,
      minLr: perGroup,
      eps: [-1, ...notNumbers],
    },
  },
  InverseTimeLR: { good: { k: 1 }, bad: { k: [undefined, -1, ...notNumbers] } },
  InverseSqrtLR: { good: {}, bad: { warmupSteps: [0, ...notCounts] } },
  NoamLR: { good: { dModel: 8 }, bad: { dModel: [undefined, 0, ...notCounts], warmupSteps: [0, ...notCounts] } },
  WarmupLR: {
    good: { steps: 3 },
    bad: {
      steps: [undefined, null, 0.5, -1, '3'],
      epochs: [0.5, '3'],
      stepsPerEpoch: [0.5, '3'],
      mode: notNames,
      startFactor: [-0.1, 1.1, ...notNumbers],
      schedule: [1, {}, 'x'],
    },
  },
  WarmupStableDecayLR: {
    good: { totalSteps: 10, decaySteps: 3 },
    bad: {
      totalSteps: [undefined, 0, 2, ...notCounts],
      warmupSteps: [8, ...notCounts],
      decaySteps: [undefined, 11, ...notCounts],
      cooldown: notNames,
      minFactor: [-0.1, 1.1, ...notNumbers],
    },
  },
  LinearToZeroLR: {
    good: { totalSteps: 10 },
    bad: { totalSteps: [undefined, 0, ...notCounts], warmupSteps: [10, ...notCounts] },
  },
  REXLR: { good: { totalSteps: 10 }, bad: { totalSteps: [undefined, 0, ...notCounts] } },
}

const classes = new Map(Object.entries(lr).filter(([, value]) => Object.hasOwn(value as object, 'spec'))) as Map<
  string,
  Any
>
const coded = expect.objectContaining({ code: expect.stringMatching(/^ERR_ARG_/) })

it('covers every schedule and every option of its own', () => {
  const composites = ['ChainedScheduler', 'SequentialLR']
  expect([...Object.keys(cases), ...composites].sort()).toEqual([...classes.keys()].sort())
  for (const [name, { bad }] of Object.entries(cases)) {
    const own = Object.keys(classes.get(name).spec.options).filter(
      key => !['param', 'groups', 'lastEpoch'].includes(key),
    )
    expect(Object.keys(bad).sort(), name).toEqual(own.sort())
  }
})

describe.each(Object.entries(cases))('%s', (name, { good, bad }) => {
  const make = (options: object) => {
    const optimizer = galleryOptimizer(2)
    return () => new (classes.get(name))(optimizer, options)
  }

  it('accepts the good options', () => {
    expect(make(good)()).toBeInstanceOf(lr.LRScheduler)
  })

  it.each(Object.entries(bad))('refuses bad %s', (key, values) => {
    for (const value of values) {
      const options = { ...good, [key]: value }
      expect(make(options), `${key}: ${String(value)}`).toThrow(coded)
      expect(make(options)).toThrow(/^\w+: expected .+ but received .+/)
    }
  })

  it('refuses bad param, groups and lastEpoch', () => {
    for (const param of ['', 'nesterov', 'params', 'beta1', 1, null]) expect(make({ ...good, param })).toThrow(coded)
    for (const groups of [1, [2], [-1], ['0'], [0.5]]) expect(make({ ...good, groups })).toThrow(coded)
    if (name === 'ReduceLROnPlateau') return
    for (const lastEpoch of [-2, 0.5, '1', NaN, null]) expect(make({ ...good, lastEpoch })).toThrow(coded)
    if (name !== 'WarmupLR') expect(make({ ...good, lastEpoch: 3 })).toThrow(/initialLr to be a number when lastEpoch/)
  })
})

describe('schedules made of others', () => {
  const optimizer = galleryOptimizer()
  const step = () => new lr.StepLR(optimizer, { stepSize: 2 })
  const other = new lr.StepLR(galleryOptimizer(), { stepSize: 2 })

  it('ChainedScheduler refuses what is no list of schedules of one optimizer', () => {
    for (const bad of [undefined, null, [], {}, [1], [step(), {}], [step(), other]]) {
      expect(() => new lr.ChainedScheduler(bad as Any)).toThrow(coded)
    }
  })

  it('SequentialLR refuses bad schedules and milestones', () => {
    const bad: [unknown, unknown][] = [
      [undefined, []],
      [[], []],
      [[step(), other], [1]],
      [[step(), 1], [1]],
      [[step(), new lr.StepLR(optimizer, { stepSize: 1, param: 'momentum' })], [1]],
      [[step(), step()], []],
      [
        [step(), step()],
        [1, 2],
      ],
      [
        [step(), step(), step()],
        [5, 4],
      ],
      [[step(), step()], [-1]],
      [[step(), step()], [0.5]],
      [[step(), step()], undefined],
    ]
    for (const [schedulers, milestones] of bad) {
      expect(() => new lr.SequentialLR(optimizer, { schedulers, milestones } as Any)).toThrow(coded)
    }
  })

  it("WarmupLR refuses a schedule of another optimizer, or options that are the schedule's", () => {
    expect(() => new lr.WarmupLR(optimizer, { steps: 1, schedule: other })).toThrow(coded)
    expect(() => new lr.WarmupLR(optimizer, { steps: 1, schedule: step(), groups: [0] })).toThrow(coded)
    expect(() => new lr.WarmupLR(optimizer, { steps: 1, schedule: step(), param: 'momentum' })).toThrow(coded)
    expect(() => new lr.WarmupLR(optimizer, { steps: 1, mode: 'exponential', startFactor: 0 })).toThrow(coded)
  })
})

describe('cycled momentum', () => {
  it('needs momentum or betas, and another hyper-parameter than the one driven', () => {
    for (const Class of [lr.CyclicLR, lr.OneCycleLR] as Any[]) {
      const options = { baseLr: 0.1, maxLr: 1, totalSteps: 10 }
      delete options[Class === lr.CyclicLR ? ('totalSteps' as never) : ('baseLr' as never)]
      expect(() => new Class({ paramGroups: [{ lr: 1 }] }, options)).toThrow(coded)
      expect(new Class({ paramGroups: [{ lr: 1 }] }, { ...options, cycleMomentum: false })).toBeInstanceOf(Class)
      expect(() => new Class(galleryOptimizer(), { ...options, param: 'momentum' })).toThrow(coded)
    }
  })
})

describe('step', () => {
  it('refuses an epoch that is no count of updates', () => {
    for (const Class of [lr.StepLR, lr.CosineAnnealingWarmRestarts] as Any[]) {
      const scheduler = new Class(galleryOptimizer(), Class === lr.StepLR ? { stepSize: 1 } : { t0: 2 })
      const before = scheduler.stateDict()
      for (const bad of [-1, NaN, Infinity, '1', null]) expect(() => scheduler.step(bad)).toThrow(coded)
      expect(scheduler.stateDict()).toEqual(before)
    }
  })
})

describe('fromJSON', () => {
  const text = JSON.stringify(new lr.StepLR(galleryOptimizer(), { stepSize: 2 }))
  const changed = (change: (json: Any) => unknown) => {
    const json = JSON.parse(text)
    return change(json) ?? json
  }

  it('refuses what toJSON did not write, and leaves the optimizer as it was', () => {
    const bad: [unknown, unknown][] = [
      [null, TypeError],
      ['StepLR', TypeError],
      [{}, TypeError],
      [changed(json => ({ ...json, groups: undefined })), TypeError],
      [changed(json => ({ ...json, scheduler: 'LRScheduler' })), AnnealError],
      [changed(json => ({ ...json, scheduler: 'constructor' })), AnnealError],
      [changed(json => ({ ...json, groups: [] })), AnnealError],
      [changed(json => ({ ...json, groups: [{ lr: 'x' }] })), AnnealError],
      [changed(json => ({ ...json, state: {} })), AnnealError],
      [changed(json => ({ ...json, options: { stepSize: 0 } })), RangeError],
      [changed(json => ({ ...json, options: { stepSize: 2, other: 1 } })), TypeError],
      [changed(json => ({ ...json, scheduler: 'LinearLR', options: {} })), AnnealError],
    ]
    for (const [json, error] of bad) {
      const optimizer = galleryOptimizer()
      expect(() => lr.fromJSON(optimizer, json as Any), JSON.stringify(json)).toThrow(error as never)
      expect(optimizer).toEqual(galleryOptimizer())
    }
    expect(() => lr.fromJSON(null as Any, JSON.parse(text))).toThrow(TypeError)
  })

  it('writes only the keys that the schedule owns', () => {
    const optimizer = galleryOptimizer()
    lr.fromJSON(
      optimizer,
      changed(json => Object.assign(json.groups[0], { params: [], weightDecay: 9 }) && json),
    )
    expect(optimizer.paramGroups[0]).toEqual({ ...galleryOptimizer().paramGroups[0], initialLr: 0.1 })
  })
})

import { describe, expect, it } from 'vitest'
import * as S from '../src/lr_scheduler/index.js'
import * as optim from '../src/optim/index.js'
import { tensor } from '../src/tensor/index.js'

type Optimizer = optim.Optimizer
const parameter = () => tensor([1, 2], { requiresGrad: true })
const make = (groups = 1): Optimizer =>
  new optim.SGD(
    Array.from({ length: groups }, () => ({ params: [parameter()] })),
    { lr: 0.1, momentum: 0.9 },
  )

/** Every schedule, with options for all groups and with lists of one per group. */
const kinds: Record<string, (o: Optimizer, perGroup: <T>(value: T) => T | T[]) => S.LRScheduler> = {
  StepLR: o => new S.StepLR(o, { stepSize: 2 }),
  MultiStepLR: o => new S.MultiStepLR(o, { milestones: [2, 4] }),
  ConstantLR: o => new S.ConstantLR(o, { totalIters: 3 }),
  LinearLR: o => new S.LinearLR(o),
  ExponentialLR: o => new S.ExponentialLR(o, { gamma: 0.9 }),
  PolynomialLR: o => new S.PolynomialLR(o, { totalIters: 9 }),
  LambdaLR: (o, list) => new S.LambdaLR(o, { lrLambda: list((t: number) => 0.9 ** t) as never }),
  MultiplicativeLR: (o, list) => new S.MultiplicativeLR(o, { lrLambda: list(() => 0.9) as never }),
  CosineAnnealingLR: o => new S.CosineAnnealingLR(o, { tMax: 10 }),
  CosineAnnealingWarmRestarts: o => new S.CosineAnnealingWarmRestarts(o, { t0: 3 }),
  CyclicLR: (o, list) =>
    new S.CyclicLR(o, { baseLr: list(0.01), maxLr: list(0.3), stepSizeUp: 4, maxMomentum: list(0.95) }),
  OneCycleLR: (o, list) => new S.OneCycleLR(o, { maxLr: list(0.2), totalSteps: 20, maxMomentum: list(0.95) }),
  ReduceLROnPlateau: (o, list) => new S.ReduceLROnPlateau(o, { patience: 0, minLr: list(0.001) }),
  SWALR: (o, list) => new S.SWALR(o, { swaLr: list(0.05), annealEpochs: 4 }),
  WarmupLR: o => new S.WarmupLR(o, { steps: 3, schedule: new S.CosineAnnealingLR(o, { tMax: 10 }) }),
  SequentialLR: o =>
    new S.SequentialLR(o, {
      schedulers: [new S.LinearLR(o, { totalIters: 2 }), new S.CosineAnnealingLR(o, { tMax: 10 })],
      milestones: [3],
    }),
  ChainedScheduler: o => new S.ChainedScheduler([new S.ConstantLR(o), new S.ExponentialLR(o, { gamma: 0.9 })]),
  WarmupStableDecayLR: o => new S.WarmupStableDecayLR(o, { totalSteps: 20, warmupSteps: 3, decaySteps: 5 }),
  REXLR: o => new S.REXLR(o, { totalSteps: 20 }),
  NoamLR: o => new S.NoamLR(o, { dModel: 16, warmupSteps: 4 }),
  InverseSqrtLR: o => new S.InverseSqrtLR(o, { warmupSteps: 4 }),
  InverseTimeLR: o => new S.InverseTimeLR(o, { k: 0.5 }),
  LinearToZeroLR: o => new S.LinearToZeroLR(o, { totalSteps: 20 }),
}

const step = (s: S.LRScheduler, times = 1): void => {
  for (let i = 0; i < times; i++) s.step(s.needsMetric ? 1 : undefined)
}
const rates = (o: Optimizer) => o.paramGroups.map(({ lr, momentum }) => [lr, momentum as number])

it('a group that is added later takes what its rate can mean', () => {
  const run = (name: string, perGroup: <T>(value: T) => T | T[]) => {
    const o = make()
    const s = kinds[name](o, perGroup)
    step(s, 2)
    o.addParamGroup({ params: [parameter()], lr: 0.05 })
    return Array.from({ length: 17 }, () => {
      step(s)
      return o.paramGroups[1].lr
    })
  }
  // A list has no entry for it: it stays.
  for (const name of ['LambdaLR', 'MultiplicativeLR', 'SWALR'])
    expect(run(name, value => [value]).every(lr => lr === 0.05)).toBe(true)
  // The lower limit of cycles, the top of one cycle.
  expect(Math.min(...run('CyclicLR', value => value))).toBeCloseTo(0.05, 12)
  expect(Math.max(...run('CyclicLR', value => value))).toBeCloseTo(0.3, 12)
  expect(Math.max(...run('OneCycleLR', value => value))).toBeCloseTo(0.05, 12)
})

it('a count that is replayed is refused where it cannot be meant', () => {
  const o = make()
  const schedule = new S.StepLR(o, { stepSize: 2 })
  for (const lastEpoch of [2 ** 31, 2 ** 53 - 1]) {
    const wrong = expect.objectContaining({ code: 'ERR_ARG_VALUE' })
    expect(() => new S.SequentialLR(o, { schedulers: [schedule], milestones: [], lastEpoch })).toThrow(wrong)
    expect(() => new S.WarmupLR(o, { steps: 2, schedule, lastEpoch })).toThrow(wrong)
  }
})

it('every schedule is in the list', () => {
  const all = Object.entries(S).filter(([, value]) => typeof value === 'function' && Object.hasOwn(value, 'spec'))
  expect(Object.keys(kinds).sort()).toEqual(all.map(([name]) => name).sort())
})

describe.each(Object.keys(kinds))('%s and a group that is added later', name => {
  describe.each([
    ['with options for all groups', <T>(value: T): T | T[] => value],
    ['with options per group', <T>(value: T): T | T[] => [value]],
  ])('%s', (_, before) => {
    it.each([0, 1, 4])('goes on after %i steps, with the value the group comes with as its initial one', taken => {
      const o = make()
      const s = kinds[name](o, before)
      const alone = kinds[name](make(), before)
      step(s, taken)
      o.addParamGroup({ params: [parameter()], lr: 0.05 })
      for (let i = 0; i < 6; i++) {
        step(s)
        expect(rates(o).flat().every(Number.isFinite), JSON.stringify(rates(o))).toBe(true)
      }
      step(alone, taken + 6)
      expect(rates(o)[0]).toEqual(rates(alone.optimizer as Optimizer)[0])
      expect(s.getLastLr().length).toBe(2)
    })

    it.each([0, 1])('resumes by state dicts, %i steps after it joined', since => {
      const o = make()
      const s = kinds[name](o, before)
      step(s, 2)
      o.addParamGroup({ params: [parameter()], lr: 0.05 })
      step(s, since)
      for (const order of ['optimizer first', 'schedule first']) {
        const other = make()
        const again = kinds[name](other, before)
        other.addParamGroup({ params: [parameter()], lr: 0.07 })
        const loads = [
          () => other.loadStateDict(JSON.parse(JSON.stringify(o.stateDict()))),
          () => again.loadStateDict(JSON.parse(JSON.stringify(s.stateDict()))),
        ]
        for (const load of order === 'optimizer first' ? loads : loads.reverse()) load()
        const restore = s.snapshot()
        for (let i = 0; i < 4; i++) {
          step(s)
          step(again)
          expect(rates(other), `${order}, step ${i}`).toEqual(rates(o))
        }
        restore()
      }
    })

    it('previews with it, and touches nothing', () => {
      const o = make()
      const s = kinds[name](o, before)
      step(s, 2)
      o.addParamGroup({ params: [parameter()], lr: 0.05 })
      const kept = JSON.stringify([o.paramGroups.map(({ params: _, ...options }) => options), s.stateDict()])
      const rows = s.preview(4, [1, 1, 1])
      expect(JSON.stringify([o.paramGroups.map(({ params: _, ...options }) => options), s.stateDict()])).toBe(kept)
      for (const row of rows) {
        expect(o.paramGroups.map(({ lr }) => lr)).toEqual(row)
        step(s)
      }
    })

    it('goes on from JSON', () => {
      const o = make()
      const s = kinds[name](o, before)
      step(s, 2)
      o.addParamGroup({ params: [parameter()], lr: 0.05 })
      let text: string
      try {
        text = JSON.stringify(s)
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_STATE', message: expect.stringMatching(/without functions/) })
        return
      }
      const other = make(2)
      const again = S.fromJSON(other, JSON.parse(text))
      step(s, 3)
      step(again, 3)
      expect(rates(other)).toEqual(rates(o))
    })
  })
})

describe.each(Object.keys(kinds))('%s', name => {
  it('refuses counts and lists that it could not have written, before anything is changed', () => {
    const s = kinds[name](make(), value => value)
    step(s, 2)
    const before = JSON.stringify(s.stateDict())
    const bad: Record<string, unknown[]> = {
      last_epoch: [-2, 3.9, Infinity, NaN, '3', null, new Date(), [1], true],
      _step_count: [-1, 0.5, '3', null],
      _last_lr: [[], [0.1, 0.1], new Array(1), [NaN], ['0.1'], [null], 0.1, null, new Date()],
      base_lrs: [[], [0.1, 0.1], new Array(1), [NaN], ['0.1'], null],
      max_lrs: [[], new Array(1), [NaN]],
      min_lrs: [[], new Array(1), [NaN]],
      targets: [[], new Array(1), [NaN]],
      T_i: [0, NaN, '3'],
      T_cur: [-1, NaN],
      num_bad_epochs: [-1, 0.5, NaN],
      cooldown_counter: [-1, 0.5],
      best: [NaN, '1', {}],
      total_steps: [0, 1.5, NaN],
      _schedule_phases: [[], new Array(2), [{}], null, [new Date()]],
      total_size: [0, NaN, -1],
      step_ratio: [2, NaN],
      steps: [-1, 0.5],
      _schedulers: [[], new Array(2), null, [new Date(), new Date()]],
      _is_initial: [1, 'x', null],
      milestones: [{ 2: 1e9 }, { 2: -1 }, { x: 1 }, { 2: 1.5 }, [NaN]],
    }
    const dict = s.stateDict()
    for (const [key, values] of Object.entries(bad)) {
      if (!Object.hasOwn(dict, key)) continue
      for (const value of values) {
        if (name === 'ChainedScheduler' && key === 'last_epoch') continue
        expect(() => s.loadStateDict({ ...dict, [key]: value }), `${key} ${String(value)}`).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^ERR_(STATE|ARG_TYPE)$/) }),
        )
        expect(JSON.stringify(s.stateDict())).toBe(before)
      }
      const { [key]: _, ...without } = dict
      if (key !== '_last_lr' || name !== 'x')
        expect(() => s.loadStateDict(without), `without ${key}`).toThrow(/expected/)
    }
    const circular: Record<string, unknown> = { ...dict }
    for (const key of Object.keys(dict)) circular[key] = circular
    expect(() => s.loadStateDict(circular)).toThrow(expect.objectContaining({ code: 'ERR_STATE' }))
  })

  it('refuses a preview that cannot be meant', () => {
    const s = kinds[name](make(), value => value)
    for (const n of [1e15, 2 ** 31, Infinity, NaN, -1, 0.5]) {
      expect(() => s.preview(n), String(n)).toThrow(expect.objectContaining({ code: 'ERR_ARG_VALUE' }))
    }
  })
})

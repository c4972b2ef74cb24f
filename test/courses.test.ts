/** Random courses of schedules and optimizers against PyTorch's, with a stop in each where state goes through JSON. */

import { describe, expect, it } from 'vitest'
import * as lrScheduler from '../src/lr_scheduler/index.js'
import * as optim from '../src/optim/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import { camelOptions, golden } from './helpers/golden.js'

interface Spec {
  name: string
  options: Record<string, unknown>
  parts?: Spec[]
}
interface ScheduleCourse {
  kind: 'SGD' | 'Adam'
  rates: number[]
  schedule: Spec
  steps: number
  stop: number
  events: Record<number, { edit?: [number, number]; add?: number; metric?: number; epoch?: number }>
  seen: number[][]
}
interface OptimizerCourse {
  name: string
  options: Record<string, unknown>
  seed: number
  steps: number
  stop: number
  events: Record<number, { edit?: [number, string, unknown]; add?: number; idle?: number }>
  seen: number[][]
  dict?: { state: Record<string, Record<string, unknown>>; param_groups: Record<string, unknown>[] }
}

const courses: { schedules: ScheduleCourse[]; optimizers: OptimizerCourse[] } = golden('courses.json')

const throughJSON = <T>(value: T): T => JSON.parse(JSON.stringify(value))

describe('schedules', () => {
  const functions: Record<string, (t: number) => number> = {
    power: t => 0.95 ** t,
    inverse: t => 1 / (1 + 0.1 * t),
    half: t => (t % 3 === 0 ? 0.5 : 1),
  }

  function build(optimizer: optim.Optimizer, { name, options, parts = [] }: Spec): lrScheduler.LRScheduler {
    const schedulers = parts.map(part => build(optimizer, part))
    if (name === 'ChainedScheduler') return new lrScheduler.ChainedScheduler(schedulers)
    const camel = camelOptions(options)
    if (camel.lrLambda) camel.lrLambda = functions[camel.lrLambda as string]
    if (name === 'SequentialLR') camel.schedulers = schedulers
    const Schedule = Object.entries(lrScheduler).find(([key]) => key === name)![1] as typeof lrScheduler.StepLR
    return new Schedule(optimizer, camel as never)
  }

  const add = (optimizer: optim.Optimizer, lr: number) =>
    optimizer.addParamGroup({ params: [tensor([0], { requiresGrad: true })], lr })

  function begin({ kind, rates, schedule }: ScheduleCourse) {
    const groups = rates.map(lr => ({ params: [tensor([0], { requiresGrad: true })], lr }))
    const optimizer = kind === 'SGD' ? new optim.SGD(groups, { momentum: 0.9 }) : new optim.Adam(groups)
    return { optimizer, scheduler: build(optimizer, schedule) as lrScheduler.CosineAnnealingWarmRestarts }
  }

  /** The same from its beginning, with as many groups, and then the state of the one that was stopped. */
  function resumed(course: ScheduleCourse, stopped: ReturnType<typeof begin>) {
    const { optimizer, scheduler } = begin(course)
    while (optimizer.paramGroups.length < stopped.optimizer.paramGroups.length) add(optimizer, 1)
    optimizer.loadStateDict(throughJSON(stopped.optimizer.stateDict()))
    scheduler.loadStateDict(throughJSON(stopped.scheduler.stateDict()))
    return { optimizer, scheduler }
  }

  const valuesOf = ({ paramGroups }: optim.Optimizer) => [
    ...paramGroups.map(({ lr }) => lr),
    ...paramGroups.map(({ betas, momentum }) => betas?.[0] ?? momentum),
  ]

  function follow(course: ScheduleCourse, stops: boolean): void {
    let run = begin(course)
    const largest = Math.max(...course.rates)
    for (let t = 0; t < course.steps; t++) {
      const { edit, add: rate, metric, epoch } = course.events[t] ?? {}
      if (edit) run.optimizer.paramGroups[edit[0]].lr = edit[1]
      if (rate !== undefined) add(run.optimizer, rate)
      run.optimizer.step()
      run.scheduler.step(metric ?? epoch)
      const seen = course.seen.find(([at]) => at === t)?.slice(1)
      const got = valuesOf(run.optimizer)
      seen?.forEach((want, i) => {
        const error = Math.abs(got[i] - want)
        if (!(error <= 1e-12 * Math.abs(want) + 1e-15 * largest))
          throw new Error(`step ${t}, value ${i}: ${got[i]}, PyTorch ${want}`)
      })
      if (stops && t === course.stop) run = resumed(course, run)
    }
  }

  it(`${courses.schedules.length} courses have PyTorch's rates, stopped and resumed too`, () => {
    expect(courses.schedules.length).toBeGreaterThanOrEqual(500)
    const different = courses.schedules.flatMap((course, i) =>
      [false, true].flatMap(stops => {
        try {
          follow(course, stops)
          return []
        } catch (error) {
          return [`${i}${stops ? ' resumed' : ''} ${JSON.stringify(course.schedule)}: ${(error as Error).message}`]
        }
      }),
    )
    expect(different).toEqual([])
  })
})

describe('optimizers', () => {
  /** The stream of make_courses.py. */
  function numbers(seed: number): (shape: readonly number[]) => Tensor {
    let state = seed
    return shape => {
      const size = shape.reduce((a, b) => a * b, 1)
      const values = Float32Array.from({ length: size }, () => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
        return state / 2 ** 30 - 1
      })
      return tensor(values, { shape, requiresGrad: true })
    }
  }

  function make(name: string, params: optim.Params, options: Record<string, unknown>): optim.Optimizer {
    const Class = Object.entries(optim).find(([key]) => key === name)![1] as typeof optim.SGD
    return new Class(params, camelOptions(options) as never)
  }

  /** PyTorch's dict with its lists as tensors of the parameters' shapes. */
  function torchDict({ state, param_groups }: NonNullable<OptimizerCourse['dict']>, params: readonly Tensor[]) {
    const entries = Object.entries(state).map(([id, saved]) => [
      id,
      Object.fromEntries(
        Object.entries(saved).map(([key, value]) => [
          key,
          Array.isArray(value) ? tensor(Float32Array.from(value), { shape: params[Number(id)].shape }) : value,
        ]),
      ),
    ])
    return { state: Object.fromEntries(entries), param_groups } as never
  }

  type Stop = 'never' | 'own dict' | "PyTorch's dict"

  function follow({ name, options, seed, steps, stop, events, seen, dict }: OptimizerCourse, stops: Stop): void {
    const next = numbers(seed)
    let params = [next([2, 2]), next([3])]
    let optimizer = make(name, params, options)
    for (let t = 0; t < steps; t++) {
      const { edit, add, idle } = events[t] ?? {}
      if (edit) optimizer.paramGroups[edit[0]][camelKey(edit[1])] = edit[2]
      if (add !== undefined) {
        params.push(next([2]))
        optimizer.addParamGroup({ params: [params.at(-1)!], lr: add })
      }
      params.forEach((p, i) => {
        const gradient = next(p.shape)
        p.grad = i === idle ? null : gradient
      })
      optimizer.step()
      const want = seen.find(([at]) => at === t)?.slice(1)
      const got = params.flatMap(p => [...p.data])
      want?.forEach((value, i) => {
        if (!(Math.abs(got[i] - value) <= 1e-6 + 1e-5 * Math.abs(value)))
          throw new Error(`step ${t}, value ${i}: ${got[i]}, PyTorch ${value}`)
      })
      if (stops === 'never' || t !== stop) continue
      const saved = stops === 'own dict' ? throughJSON(optimizer.stateDict()) : torchDict(dict!, params)
      params = params.map(p => tensor(p.data.slice(), { shape: p.shape, requiresGrad: true }))
      let at = 0
      const groups = optimizer.paramGroups.map(group => ({ params: group.params.map(() => params[at++]) }))
      optimizer = make(name, groups, options)
      optimizer.loadStateDict(saved)
    }
  }

  const camelKey = (key: string) => Object.keys(camelOptions({ [key]: 0 }))[0]

  it(`${courses.optimizers.length} courses have PyTorch's parameters, stopped and resumed too`, () => {
    expect(courses.optimizers.length).toBeGreaterThanOrEqual(300)
    const different = courses.optimizers.flatMap((course, i) =>
      (['never', 'own dict', ...(course.dict ? ["PyTorch's dict"] : [])] as Stop[]).flatMap(stops => {
        try {
          follow(course, stops)
          return []
        } catch (error) {
          return [`${i} ${course.name} ${JSON.stringify(course.options)}, stop: ${stops}: ${(error as Error).message}`]
        }
      }),
    )
    expect(different).toEqual([])
  })
})

/** Every optimizer: state dicts, refusals, schedules on top. Not here: its numbers (optim_golden.test.ts, fit.test.ts). */

import { describe, expect, it } from 'vitest'
import { CyclicLR, ExponentialLR, LinearLR, OneCycleLR } from '../src/lr_scheduler/index.js'
import { Linear } from '../src/nn/index.js'
import * as optim from '../src/optim/index.js'
import { Tensor, tensor } from '../src/tensor/index.js'
import { golden } from './helpers/golden.js'
import { classes, variants } from './helpers/optimizers.js'

const { messages } = golden('optimizers.json')

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON.
type Golden = any

/** Two matrices and gradients that pull them to points of their own, set by hand before each step. */
function problem() {
  const parameters = [
    tensor(
      [
        [1, -2, 0.5],
        [3, 0.1, -0.7],
      ],
      { requiresGrad: true },
    ),
    tensor([[0.3], [-0.4], [2], [0]], { requiresGrad: true }),
  ]
  const setGradients = () => {
    for (const p of parameters) {
      const g = Float32Array.from(p.data, (v, i) => (0.3 + i) * (v - Math.cos(i + 1)))
      p.grad = tensor(g, { shape: p.shape })
    }
  }
  return { parameters, setGradients, values: () => parameters.flatMap(p => [...p.data]) }
}

describe.each(variants)('$title', ({ make }) => {
  it('resumes from its state dict as if it had not stopped', () => {
    const run = (restart: boolean) => {
      const { parameters, setGradients, values } = problem()
      let optimizer = make(parameters)
      for (let i = 0; i < 8; i++) {
        if (restart && i % 3 === 0) {
          const dict = structuredCopy(optimizer.stateDict())
          optimizer = make(parameters)
          optimizer.paramGroups[0].lr = 9
          optimizer.loadStateDict(dict)
        }
        setGradients()
        optimizer.step()
      }
      return values()
    }
    expect(run(true)).toEqual(run(false))
  })

  it('moves every parameter, downhill or uphill', () => {
    const { parameters, setGradients, values } = problem()
    const optimizer = make(parameters)
    const before = values()
    for (let i = 0; i < 3; i++) {
      setGradients()
      optimizer.step()
    }
    const after = values()
    expect(after.every(Number.isFinite)).toBe(true)
    expect(after.filter((v, i) => v !== before[i]).length).toBe(before.length)
  })
})

/** The dict as a file would give it back: nothing shared with the optimizer. */
function structuredCopy({ state, param_groups }: optim.OptimizerStateDict): optim.OptimizerStateDict {
  const copied = Object.entries(state).map(([i, entry]) => [
    i,
    Object.fromEntries(
      Object.entries(entry).map(([key, value]) => [
        key,
        value instanceof Tensor ? tensor(value.data, { shape: value.shape }) : value,
      ]),
    ),
  ])
  return { state: Object.fromEntries(copied), param_groups: structuredClone(param_groups) }
}

describe.each(Object.entries(classes))('%s', (_name, Optimizer) => {
  it('skips parameters without a gradient and refuses bad options', () => {
    const { parameters, setGradients } = problem()
    const optimizer = new Optimizer(parameters, { lr: 0.1 })
    setGradients()
    parameters[1].grad = null
    const before = [...parameters[1].data]
    optimizer.step()
    expect([...parameters[1].data]).toEqual(before)
    expect(() => new Optimizer(parameters, { lr: -1 })).toThrow(RangeError)
    expect(() => new Optimizer(parameters, { lr: Number.NaN })).toThrow(/lr to be a finite number/)
    expect(() => new Optimizer(parameters, { lr: '1' })).toThrow(TypeError)
    expect(() => new Optimizer(parameters, { learningRate: 1 })).toThrow(/options to be among/)
    expect(() => new Optimizer([])).toThrow(/at least one parameter/)
    expect(() => new Optimizer([parameters[0], parameters[0]])).toThrow(/once/)
    expect(() => new Optimizer([1] as never)).toThrow(TypeError)
    expect(() => new Optimizer(null as never)).toThrow(TypeError)
  })

  it('changes nothing when a step is refused', () => {
    const { parameters, setGradients } = problem()
    const optimizer = new Optimizer(parameters, { lr: 0.1 })
    const values = () => parameters.flatMap(p => [...p.data])
    const before = values()
    setGradients()
    parameters[1].grad = tensor([1, 2])
    expect(() => optimizer.step()).toThrow(/a gradient of shape \[4, 1\]/)
    setGradients()
    optimizer.paramGroups[0].lr = Number.NaN
    expect(() => optimizer.step()).toThrow(/lr to be a finite number/)
    expect(values()).toEqual(before)
  })

  it('refuses state dicts that do not fit, before anything is changed', () => {
    const { parameters } = problem()
    const optimizer = new Optimizer(parameters, { lr: 0.1 })
    const dict = optimizer.stateDict()
    expect(() => optimizer.loadStateDict({ ...dict, param_groups: [] })).toThrow(/1 parameter groups/)
    expect(() => optimizer.loadStateDict(null as never)).toThrow(TypeError)
    expect(() => optimizer.loadStateDict({ ...dict, state: { 0: { nonsense: 1 } } })).toThrow(/state keys/)
    const short = [{ ...dict.param_groups[0], params: [0] }]
    expect(() => optimizer.loadStateDict({ ...dict, param_groups: short })).toThrow(/a group of 2 parameters/)
    expect(optimizer.paramGroups[0].lr).toBe(0.1)
  })
})

it('SGD keeps its momentum buffer under PyTorch’s keys', () => {
  const { parameters, setGradients } = problem()
  const optimizer = new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 })
  setGradients()
  optimizer.step()
  const { state, param_groups } = optimizer.stateDict()
  expect(Object.keys(state[0])).toEqual(['momentum_buffer'])
  expect(param_groups[0]).toMatchObject({ lr: 0.1, momentum: 0.9, weight_decay: 0, params: [0, 1] })
})

it('a step without momentum leaves no state, a results tensor is no parameter', () => {
  const layer = new Linear(2, 2)
  const optimizer = new optim.SGD(layer.parameters())
  layer
    .forward(tensor([[1, 2]]))
    .sum()
    .backward()
  optimizer.step()
  expect(optimizer.stateDict().state).toEqual({})
  expect(() => new optim.SGD([layer.forward(tensor([[1, 2]]))])).toThrow(/leaf/)
})

it('Adagrad has its sums from the start, as in PyTorch', () => {
  const { parameters } = problem()
  const adagrad = new optim.Adagrad(parameters, { initialAccumulatorValue: 0.5 })
  expect(adagrad.stateDict().state[0]).toMatchObject({ step: 0 })
  expect([...(adagrad.stateDict().state[1].sum as Tensor).data]).toEqual([0.5, 0.5, 0.5, 0.5])
})

it('reads counts that are tensors, as PyTorch saves them, and refuses what is no count', () => {
  const { parameters, setGradients } = problem()
  const optimizer = new optim.NAdam(parameters)
  setGradients()
  optimizer.step()
  const dict = optimizer.stateDict()
  const withStep = (step: unknown) => ({ ...dict, state: { 0: { ...dict.state[0], step }, 1: dict.state[1] } }) as never
  const other = new optim.NAdam(parameters)
  other.loadStateDict(withStep(tensor(1)))
  expect(other.stateDict()).toEqual(dict)
  for (const step of [tensor([1, 2]), '1', [1]]) expect(() => other.loadStateDict(withStep(step))).toThrow(/step to be/)
})

it('refuses what PyTorch refuses', () => {
  const p = () => [tensor([1], { requiresGrad: true })]
  const twice = p()
  const calls: Record<string, () => unknown> = {
    'SGD(lr=-1)': () => new optim.SGD(p(), { lr: -1 }),
    'SGD(momentum=-1)': () => new optim.SGD(p(), { momentum: -1 }),
    'SGD(weight_decay=-1)': () => new optim.SGD(p(), { weightDecay: -1 }),
    'SGD(nesterov, momentum 0)': () => new optim.SGD(p(), { nesterov: true }),
    'SGD(nesterov, dampening)': () => new optim.SGD(p(), { nesterov: true, momentum: 0.9, dampening: 0.1 }),
    'Adam(betas=(1.0,.9))': () => new optim.Adam(p(), { betas: [1, 0.9] }),
    'Adam(betas=(.9,1.0))': () => new optim.Adam(p(), { betas: [0.9, 1] }),
    'Adam(eps=-1)': () => new optim.Adam(p(), { eps: -1 }),
    'SGD([])': () => new optim.SGD([]),
    'same param twice in groups': () => new optim.SGD([{ params: twice }, { params: twice }]),
    'RMSprop(alpha=-1)': () => new optim.RMSprop(p(), { alpha: -1 }),
    'Rprop(etas=(1.2,.5))': () => new optim.Rprop(p(), { etas: [1.2, 0.5] }),
    'Adadelta(rho=2)': () => new optim.Adadelta(p(), { rho: 2 }),
  }
  const refused = messages.filter((m: Golden) => m.error).map((m: Golden) => m.call)
  expect(Object.keys(calls)).toEqual(refused)
  for (const [name, call] of Object.entries(calls)) expect(call, name).toThrow(RangeError)
  expect(() => new optim.Rprop(p(), { etas: [0.5] as never })).toThrow(TypeError)
  expect(() => new optim.Adam(p(), { betas: 0.9 as never })).toThrow(/betas to be a pair of numbers/)
})

describe('schedules on top', () => {
  it('RMSprop follows its rate as PyTorch does: the update is proportional to it', () => {
    const { parameters, setGradients, values } = problem()
    const optimizer = new optim.RMSprop(parameters, { lr: 0.01 })
    const scheduler = new ExponentialLR(optimizer, { gamma: 0.5 })
    const [start] = [values()]
    setGradients()
    const [g] = parameters[0].grad!.data
    optimizer.step()
    scheduler.step()
    expect(values()[0]).toBeCloseTo(start[0] - (0.01 * g) / (Math.sqrt(0.01 * g * g) + 1e-8), 6)
    setGradients()
    const [h] = parameters[0].grad!.data
    const before = values()[0]
    optimizer.step()
    expect(values()[0]).toBeCloseTo(before - (0.005 * h) / (Math.sqrt(0.99 * 0.01 * g * g + 0.01 * h * h) + 1e-8), 6)
  })

  it('cycle the momentum of RMSprop, beta1 of Adam and its relatives', () => {
    const { parameters } = problem()
    const rmsprop = new optim.RMSprop(parameters, { lr: 0.01, momentum: 0.9 })
    const cyclic = new CyclicLR(rmsprop, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 2 })
    const seen = [0, 1, 2].map(() => {
      cyclic.step()
      return rmsprop.paramGroups[0].momentum
    })
    expect(seen).toEqual([expect.closeTo(0.85, 12), expect.closeTo(0.8, 12), expect.closeTo(0.85, 12)])
    for (const Optimizer of [optim.Adam, optim.AdamW, optim.Adamax, optim.NAdam, optim.RAdam, optim.Lion]) {
      const optimizer = new Optimizer(parameters, {})
      const schedule = new OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 10 })
      const [start, second] = optimizer.paramGroups[0].betas
      for (let i = 0; i < 3; i++) schedule.step()
      expect(start).toBeCloseTo(0.95, 12)
      expect(optimizer.paramGroups[0].betas).toEqual([expect.closeTo(0.85, 1), second])
    }
    expect(() => new CyclicLR(new optim.Adagrad(parameters), { baseLr: 0.01, maxLr: 0.1 })).toThrow(RangeError)
  })

  it('drive any option', () => {
    const { parameters } = problem()
    const optimizer = new optim.RMSprop(parameters, { weightDecay: 0.1 })
    const schedule = new LinearLR(optimizer, { param: 'weightDecay', startFactor: 0.5, totalIters: 2 })
    expect(optimizer.paramGroups[0].weightDecay).toBeCloseTo(0.05, 12)
    schedule.step()
    expect(optimizer.paramGroups[0].weightDecay).toBeCloseTo(0.075, 12)
  })
})

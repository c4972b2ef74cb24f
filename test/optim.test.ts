/** Every optimizer against PyTorch's trajectories, state dicts and refusals. */

import { describe, expect, it } from 'vitest'
import { Linear } from '../src/nn/index.js'
import * as optim from '../src/optim/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'
import { camelOptions, expectClose, golden, numbers } from './helpers/golden.js'

const { quad, entries, messages } = golden('optimizers.json')
type Class = new (params: optim.Params, options?: object) => optim.Optimizer
const classes = Object.entries(optim).filter(([, value]) => typeof value === 'function' && 'rule' in value) as [
  string,
  Class,
][]

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON.
type Golden = any

const flat = (values: Golden): number[] => values.flat(9)

/** The quadratic problem: gradients a·(p - b), set by hand before each step. */
function quadratic() {
  const p = tensor(quad.p0, { requiresGrad: true })
  const q = tensor(quad.q0, { requiresGrad: true })
  const slopes = [flat(quad.a_p), flat(quad.a_q)]
  const centres = [flat(quad.b_p), flat(quad.b_q)]
  const setGradients = () =>
    [p, q].forEach((t, k) => {
      const g = Array.from(t.data, (v, i) =>
        Math.fround(Math.fround(slopes[k][i]) * Math.fround(v - Math.fround(centres[k][i]))),
      )
      t.grad = tensor(Float32Array.from(g), { shape: t.shape })
    })
  return { parameters: [p, q], setGradients }
}

function build(entry: Golden, parameters: Tensor[]): optim.Optimizer {
  const Optimizer = Object.fromEntries(classes)[entry.optimizer]
  const options = camelOptions(entry.args)
  if (!entry.groups) return new Optimizer(parameters, options)
  const half = parameters.length / 2
  const groups = entry.groups.map((group: Golden, i: number) => {
    const { params: _, ...own } = group
    return { ...camelOptions(own), params: parameters.slice(i * half, (i + 1) * half) }
  })
  return new Optimizer(groups, options)
}

const covered = entries.filter(
  (e: Golden) => e.dtype === 'float32' && e.problem === 'quad' && classes.some(([name]) => name === e.optimizer),
)

describe.each(classes)('%s', (name, Optimizer) => {
  it.each<[string, Golden]>(covered.filter((e: Golden) => e.optimizer === name).map((e: Golden) => [e.name, e]))(
    '%s follows PyTorch',
    (_name, entry) => {
      const { parameters, setGradients } = quadratic()
      const optimizer = build(entry, parameters)
      for (const want of entry.trajectory) {
        setGradients()
        optimizer.step()
        expectClose(
          parameters.flatMap(p => [...p.data]),
          numbers(want),
        )
      }
    },
  )

  it('resumes from its state dict as if it had not stopped', () => {
    const run = (restart: boolean) => {
      const { parameters, setGradients } = quadratic()
      let optimizer = new Optimizer(parameters, { lr: 0.05 })
      for (let i = 0; i < 6; i++) {
        if (restart && i === 3) {
          const dict = optimizer.stateDict()
          optimizer = new Optimizer(parameters, { lr: 9 })
          optimizer.loadStateDict(dict)
        }
        setGradients()
        optimizer.step()
      }
      return parameters.flatMap(p => [...p.data])
    }
    expect(run(true)).toEqual(run(false))
  })

  it('skips parameters without a gradient and refuses bad options', () => {
    const { parameters, setGradients } = quadratic()
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
    const { parameters, setGradients } = quadratic()
    const optimizer = new Optimizer(parameters, { lr: 0.1 })
    const values = () => parameters.flatMap(p => [...p.data])
    const before = values()
    setGradients()
    parameters[1].grad = tensor([1, 2])
    expect(() => optimizer.step()).toThrow(/a gradient of shape \[4\]/)
    setGradients()
    optimizer.paramGroups[0].lr = Number.NaN
    expect(() => optimizer.step()).toThrow(/lr to be a finite number/)
    expect(values()).toEqual(before)
  })

  it('refuses state dicts that do not fit, before anything is changed', () => {
    const { parameters } = quadratic()
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
  const { parameters, setGradients } = quadratic()
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

it('refuses what PyTorch refuses', () => {
  const p = () => [tensor([1], { requiresGrad: true })]
  const refused = messages.filter((m: Golden) => m.error && /^(SGD|Adam)\(/.test(m.call)).length
  const calls = [
    () => new optim.SGD(p(), { lr: -1 }),
    () => new optim.SGD(p(), { momentum: -1 }),
    () => new optim.SGD(p(), { weightDecay: -1 }),
    () => new optim.SGD(p(), { nesterov: true }),
    () => new optim.SGD(p(), { nesterov: true, momentum: 0.9, dampening: 0.1 }),
    () => new optim.Adam(p(), { betas: [1, 0.9] }),
    () => new optim.Adam(p(), { betas: [0.9, 1] }),
    () => new optim.Adam(p(), { eps: -1 }),
    () => new optim.SGD([]),
  ]
  expect(calls.length).toBe(refused)
  for (const call of calls) expect(call).toThrow(RangeError)
})

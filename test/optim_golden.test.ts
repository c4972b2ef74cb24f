/** Every optimizer against the trajectories of the real libraries (test/golden), in float32 and by its float64 twin. */

import { describe, expect, it } from 'vitest'
import type * as optim from '../src/optim/index.js'
import { Tensor, tensor } from '../src/tensor/index.js'
import { camelOptions, expectClose, golden, numbers } from './helpers/golden.js'
import { classes, InFloat64 } from './helpers/optimizers.js'

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON.
type Golden = any

const { quad, mlp, entries } = golden('optimizers.json')
const more = golden('optim-more.json')

/** Parameters to start from and their gradients, as PyTorch's runs had them. */
interface Problem {
  readonly shapes: number[][]
  readonly start: number[][]
  readonly gradients: (values: ArrayLike<number>[], round: (v: number) => number) => number[][]
}

const flat = (values: Golden): number[] => values.flat(9)

/** g = a·(p - b), set by hand. */
const quadratic: Problem = {
  shapes: [[2, 3], [4]],
  start: [flat(quad.p0), flat(quad.q0)],
  gradients([p, q], round) {
    const slope = (v: number, a: number, b: number) => round(round(a) * round(v - round(b)))
    const of = (values: ArrayLike<number>, a: number[], b: number[]) =>
      Array.from(values, (v, i) => slope(v, a[i], b[i]))
    return [of(p, flat(quad.a_p), flat(quad.b_p)), of(q, flat(quad.a_q), flat(quad.b_q))]
  },
}

type Matrix = number[][]
const rowsOf = (values: ArrayLike<number>, width: number): Matrix =>
  Array.from({ length: values.length / width }, (_, r) =>
    Array.from({ length: width }, (_, c) => values[r * width + c]),
  )
const transposed = (m: Matrix): Matrix => m[0].map((_, c) => m.map(row => row[c]))

/** a · bᵀ, a chain of multiply-adds per element, each rounded. */
const product = (a: Matrix, b: Matrix, round: (v: number) => number): Matrix =>
  a.map(u => b.map(v => u.reduce((sum, x, i) => round(sum + x * v[i]), 0)))

/** Linear(3,4), tanh, Linear(4,2), mean cross-entropy on five rows; differentiated by hand, rounded as PyTorch rounds. */
const network: Problem = {
  shapes: mlp.init.map((t: Golden) => t.shape),
  start: mlp.init.map((t: Golden) => numbers(t.data).map(Math.fround)),
  gradients([w1, b1, w2, b2], round) {
    const linear = (x: Matrix, w: Matrix, b: ArrayLike<number>) =>
      product(x, w, round).map(row => row.map((v, i) => round(v + b[i])))
    const x = rowsOf(numbers(mlp.x.data).map(Math.fround), 3)
    const h = linear(x, rowsOf(w1, 3), b1).map(row => row.map(v => round(Math.tanh(v))))
    const dLogits = linear(h, rowsOf(w2, 4), b2).map((z, row) => {
      const top = Math.max(...z)
      const logSum = round(Math.log(round(z.reduce((sum, v) => sum + round(Math.exp(round(v - top))), 0))))
      const p = z.map(v => round(Math.exp(round(round(v - top) - logSum))))
      return p.map((v, k) => round(round(v * round(0.2)) - (k === mlp.y[row] ? round(0.2) : 0)))
    })
    const dHidden = product(dLogits, transposed(rowsOf(w2, 4)), round)
    const dz = dHidden.map((row, r) => row.map((d, i) => round(d * round(1 - round(h[r][i] ** 2)))))
    const sums = (m: Matrix) => transposed(m).map(column => column.reduce((sum, v) => round(sum + v), 0))
    const weights = (d: Matrix, inputs: Matrix) => product(transposed(d), transposed(inputs), round).flat()
    return [weights(dz, x), sums(dz), weights(dLogits, h), sums(dLogits)]
  },
}

/** Three matrices, wide, tall and square; g = a·(p - b). */
const matrices: Problem = {
  shapes: more.shapes,
  start: more.start,
  gradients: (values, round) =>
    values.map((p, t) => {
      const [a, b] = [more.slope[t], more.centre[t]]
      return Array.from(p, (v, i) => round(round(a[i]) * round(v - round(b[i]))))
    }),
}

const problems: Record<string, Problem> = { quad: quadratic, mlp: network, matrices }

/** How PyTorch's optimizer loops over its tensors; it has no counterpart here. */
function optionsOf(args: Record<string, unknown>): Record<string, unknown> {
  const { foreach: _, ...rest } = args
  return camelOptions(rest)
}

function build({ optimizer: name, args, groups }: Golden, parameters: Tensor[]): optim.Optimizer {
  const Optimizer = classes[name]
  if (!groups) return new Optimizer(parameters, optionsOf(args))
  const half = parameters.length / 2
  const own = groups.map(({ params: _, ...group }: Golden, i: number) => ({
    ...optionsOf(group),
    params: parameters.slice(i * half, (i + 1) * half),
  }))
  return new Optimizer(own, optionsOf(args))
}

function start({ shapes, start: values }: Problem): Tensor[] {
  return values.map((v, i) => tensor(Float32Array.from(v), { shape: shapes[i], requiresGrad: true }))
}

/**
 * Gradients are those at PyTorch's parameters: a run on its own is chaotic in float32 (PyTorch's nadam_wd_foreach on the
 * network differs from its own float64 run by 23 times the tolerance), and the update is what is tested.
 */
function followInFloat32(entry: Golden, atol = 1e-6): optim.Optimizer {
  const problem = problems[entry.problem]
  const parameters = start(problem)
  const optimizer = build(entry, parameters)
  let at = parameters.map(p => [...p.data])
  for (const want of entry.trajectory) {
    const grads = problem.gradients(at, Math.fround)
    parameters.forEach((p, i) => {
      p.grad = tensor(Float32Array.from(grads[i]), { shape: p.shape })
    })
    optimizer.step()
    const all = numbers(want).map(Math.fround)
    expectClose(
      parameters.flatMap(p => [...p.data]),
      all,
      atol,
    )
    at = parameters.map(p => all.splice(0, p.size))
  }
  return optimizer
}

function followInFloat64(entry: Golden): void {
  const problem = problems[entry.problem]
  const twin = new InFloat64(build(entry, start(problem)), problem.start)
  for (const want of entry.trajectory) {
    twin.step(problem.gradients(twin.values, v => v))
    expectClose(
      twin.values.flatMap(v => [...v]),
      numbers(want),
      1e-12,
      1e-9,
    )
  }
}

it('the goldens name no optimizer that is missing, in either dtype', () => {
  const named = [...entries, ...more.entries].map((e: Golden) => e.optimizer as string)
  expect([...new Set(named)].filter(name => !classes[name])).toEqual([])
  expect(new Set(entries.map((e: Golden) => `${e.dtype} ${e.problem}`)).size).toBe(4)
})

const entriesOf = (dtype: string): [string, Golden][] =>
  entries.filter((e: Golden) => e.dtype === dtype).map((e: Golden) => [`${e.name}, ${e.problem}`, e])

describe('PyTorch in float32', () => {
  it.each(entriesOf('float32'))('%s', (_title, entry) => {
    const optimizer = followInFloat32(entry)
    if (!entry.state_p_after_25) return
    const state = optimizer.stateDict().state[0] ?? {}
    expect(Object.keys(state).sort()).toEqual(Object.keys(entry.state_p_after_25).sort())
    for (const [key, want] of Object.entries<Golden>(entry.state_p_after_25)) {
      const got = state[key]
      expectClose(got instanceof Tensor ? got.data : [got as number], numbers([want].flat()))
    }
  })
})

describe('PyTorch in float64, by the twin', () => {
  it.each(entriesOf('float64'))('%s', (_title, entry) => followInFloat64(entry))
})

describe('beyond the oracle: PyTorch and optax in float64', () => {
  const exact: [string, Golden][] = more.entries
    .filter((e: Golden) => e.dtype === 'float64')
    .map((e: Golden) => [e.name, { ...e, problem: 'matrices' }])

  it.each(exact)('%s, by the twin', (_name, entry) => followInFloat64(entry))

  it.each(exact)('%s, in float32', (_name, entry) => {
    followInFloat32(entry)
  })

  it.each(exact.filter(([, e]) => e.averages))('%s gives its average after eval()', (_name, entry) => {
    const optimizer = build(entry, start(matrices)) as optim.ScheduleFree
    const parameters = optimizer.paramGroups.flatMap(group => group.params)
    for (const want of entry.averages) {
      optimizer.train()
      const grads = matrices.gradients(
        parameters.map(p => p.data),
        Math.fround,
      )
      parameters.forEach((p, i) => {
        p.grad = tensor(Float32Array.from(grads[i]), { shape: p.shape })
      })
      optimizer.step()
      optimizer.eval()
      expectClose(
        parameters.flatMap(p => [...p.data]),
        want,
        5e-6,
      )
    }
  })
})

describe('Muon as PyTorch has it, in bfloat16', () => {
  const roundedEntries: [string, Golden][] = more.entries
    .filter((e: Golden) => e.dtype === 'bfloat16')
    .map((e: Golden) => [e.name, e])

  // An element of a step is at most about lr; bfloat16 has eight bits and the iteration multiplies its errors.
  it.each(roundedEntries)('%s is within a twentieth of the rate per step', (_name, entry) => {
    const steps = entry.trajectory.length
    followInFloat32({ ...entry, problem: 'matrices' }, 0.05 * entry.args.lr * steps)
    const oneStep = { ...entry, problem: 'matrices', trajectory: entry.trajectory.slice(0, 1) }
    expect(() => followInFloat32(oneStep, 1e-6)).toThrow()
    followInFloat32(oneStep, 0.05 * entry.args.lr)
  })
})

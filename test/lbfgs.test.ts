/** LBFGS: PyTorch's iterations in float64 and float32, its state, and training with it through `fit`. */

import { describe, expect, it } from 'vitest'
import type { Floats } from '../src/emitters/emitter.js'
import { clipGradNorm } from '../src/nn/utils.js'
import * as optim from '../src/optim/index.js'
import { Tensor, tensor } from '../src/tensor/index.js'
import { fit } from '../src/train/fit.js'
import { lrFind } from '../src/train/lr_find.js'
import { camelOptions, expectClose, golden } from './helpers/golden.js'
import { type Job, makeJob, stateOf } from './helpers/training.js'

const more = golden('optim-more.json')

// biome-ignore lint/suspicious/noExplicitAny: goldens are plain JSON.
type Golden = any

type FloatArray = Float32ArrayConstructor | Float64ArrayConstructor

/** The loss of make_optim.py and its gradient, on values of either type. */
function quartic(Type: FloatArray) {
  const [a, b, start]: number[][] = [more.slope[0], more.centre[0], more.start[0]]
  const parameter = new Tensor([3, 5], 'float32', Type.from(start))
  parameter.requiresGrad = true
  const closure = () => {
    const p = parameter.data as Floats
    const g = new Type(p.length)
    let loss = 0
    p.forEach((v, i) => {
      const [away, along] = [v - b[i], i + 1 < p.length ? v - p[i + 1] : 0]
      loss += (a[i] * away ** 2) / 2 + (0.25 * away ** 4) / 4 + (0.1 * along ** 2) / 2
      g[i] += a[i] * away + 0.25 * away ** 3 + 0.1 * along
      if (i + 1 < p.length) g[i + 1] -= 0.1 * along
    })
    parameter.grad = new Tensor(parameter.shape, 'float32', g)
    return new Tensor([], 'float32', Type.of(loss))
  }
  return { parameter, closure }
}

function follow(Type: FloatArray, entry: Golden, atol: number, rtol: number) {
  const { parameter, closure } = quartic(Type)
  const optimizer = new optim.LBFGS([parameter], camelOptions(entry.args))
  entry.trajectory.forEach((want: number[], i: number) => {
    const loss = optimizer.step(closure)
    expectClose([loss.item()], [entry.losses[i]], atol, rtol)
    expectClose(parameter.data, want, atol, rtol)
  })
  return optimizer
}

describe('PyTorch’s LBFGS', () => {
  const entriesOf = (dtype: string): [string, Golden][] =>
    more.lbfgs.filter((e: Golden) => e.dtype === dtype).map((e: Golden) => [e.name, e])

  it.each(entriesOf('float64'))('%s, in float64', (_name, entry) => {
    const optimizer = follow(Float64Array, entry, 1e-9, 1e-9)
    const { func_evals, n_iter } = optimizer.stateDict().state[0]
    expect({ func_evals, n_iter }).toEqual({ func_evals: entry.func_evals, n_iter: entry.n_iter })
  })

  // Near the minimum rounding decides when a step ends, so that the counts may differ.
  it.each(entriesOf('float32'))('%s, in float32', (_name, entry) => {
    follow(Float32Array, entry, 3e-4, 1e-4)
  })
})

describe('its state', () => {
  it('resumes as if it had not stopped', () => {
    const run = (restart: boolean) => {
      const { parameter, closure } = quartic(Float32Array)
      const make = () => new optim.LBFGS([parameter], { lineSearchFn: 'strong_wolfe', maxIter: 3, historySize: 4 })
      let optimizer = make()
      for (let i = 0; i < 4; i++) {
        if (restart) {
          const dict = optimizer.stateDict()
          optimizer = make()
          optimizer.paramGroups[0].lr = 7
          optimizer.loadStateDict(dict)
        }
        optimizer.step(closure)
      }
      return [...parameter.data]
    }
    expect(run(true)).toEqual(run(false))
  })

  it('has PyTorch’s keys', () => {
    const { parameter, closure } = quartic(Float32Array)
    const optimizer = new optim.LBFGS([parameter], { maxIter: 3 })
    expect(optimizer.stateDict().state).toEqual({})
    optimizer.step(closure)
    const { state, param_groups } = optimizer.stateDict()
    const keys = [
      'func_evals',
      'n_iter',
      'd',
      't',
      'old_dirs',
      'old_stps',
      'ro',
      'H_diag',
      'prev_flat_grad',
      'prev_loss',
    ]
    expect(Object.keys(state[0])).toEqual(keys)
    expect(param_groups[0]).toMatchObject({ lr: 1, max_iter: 3, max_eval: 3, history_size: 100, line_search_fn: null })
  })

  it('refuses one that does not fit, before anything is changed', () => {
    const { parameter, closure } = quartic(Float32Array)
    const optimizer = new optim.LBFGS([parameter])
    optimizer.step(closure)
    const dict = optimizer.stateDict()
    const before = optimizer.stateDict()
    for (const wrong of [{ d: 1 }, { d: tensor([1]) }, { ro: 1 }, { ro: [] }, { old_dirs: [1] }, { n_iter: 'x' }]) {
      const changed = { ...dict, state: { 0: { ...dict.state[0], ...wrong } } } as never
      expect(() => optimizer.loadStateDict(changed), JSON.stringify(wrong)).toThrow(
        expect.objectContaining({ code: 'ERR_STATE' }),
      )
    }
    expect(() => optimizer.loadStateDict(null as never)).toThrow(TypeError)
    expect(optimizer.stateDict()).toEqual(before)
  })
})

describe('what it refuses', () => {
  const { parameter } = quartic(Float32Array)

  it('is told in one phrase', () => {
    expect(() => new optim.LBFGS([parameter], { lr: -1 })).toThrow(RangeError)
    expect(() => new optim.LBFGS([parameter], { maxIter: 0 })).toThrow(RangeError)
    expect(() => new optim.LBFGS([parameter], { maxIter: '3' as never })).toThrow(/maxIter to be an integer/)
    expect(() => new optim.LBFGS([parameter], { lineSearchFn: 'armijo' as never })).toThrow(RangeError)
    expect(() => new optim.LBFGS([parameter], { tolerance: 1 } as never)).toThrow(/options to be among/)
    expect(() => new optim.LBFGS([parameter], null as never)).toThrow(TypeError)
    expect(() => new optim.LBFGS([{ params: [parameter] }, { params: [tensor([1])] }])).toThrow(/one group/)
    expect(() => new optim.LBFGS([parameter]).step()).toThrow(/closure to be a function/)
    expect(() => new optim.LBFGS([parameter]).step(() => 1 as never)).toThrow(/closure to return a Tensor/)
  })

  it('a closure that throws in the line search leaves the parameters where they were', () => {
    const { parameter: p, closure } = quartic(Float32Array)
    const before = [...p.data]
    let calls = 0
    const failing = () => {
      if (++calls === 2) throw new Error('mine')
      return closure()
    }
    expect(() => new optim.LBFGS([p], { lineSearchFn: 'strong_wolfe' }).step(failing)).toThrow('mine')
    expect([...p.data]).toEqual(before)
  })
})

/** The explicit loop of PyTorch, the closure evaluating a group of batches. */
function loop({ model, optimizer, train, loss }: Job, epochs: number, accumulate: number, clip?: number): number[] {
  const losses: number[] = []
  for (let epoch = 0; epoch < epochs; epoch++) {
    const batches = [...train]
    for (let at = 0; at < batches.length; at += accumulate) {
      const group = batches.slice(at, at + accumulate)
      const share = group.length === 1 ? undefined : tensor(1 / group.length)
      let seen: number[] | null = null
      optimizer.step(() => {
        optimizer.zeroGrad()
        const values = group.map(([x, y]) => {
          const value = loss.forward(model.forward(x), y)
          value.backward(share)
          return value.item()
        })
        if (clip !== undefined) clipGradNorm(model.parameters(), clip)
        seen ??= values
        return tensor(values.reduce((sum, v) => sum + v, 0) / values.length)
      })
      losses.push(...seen!)
    }
  }
  return losses
}

describe('fit', () => {
  const make = () =>
    makeJob({
      withTest: false,
      optimizer: model => new optim.LBFGS(model.parameters(), { lineSearchFn: 'strong_wolfe', maxIter: 4 }),
    })

  it.each([
    ['each batch', {}],
    ['groups of batches', { accumulate: 2 }],
    ['clipped gradients', { clipGradNorm: 0.5 }],
  ])('evaluates %s as the explicit loop does, on the eager engine, and says so', async (_name, extra: Golden) => {
    const job = make()
    const { model, ...options } = job
    const history = await fit(model, { ...options, epochs: 3, ...extra })
    expect(history.engine).toBe('eager')
    if (!extra.clipGradNorm) expect(history.engineReason).toBe('LBFGS evaluates the loss several times per update')
    const other = make()
    const losses = loop(other, 3, extra.accumulate ?? 1, extra.clipGradNorm)
    const epochs = [0, 1, 2].map(e => losses.slice(e * 5, e * 5 + 5).reduce((sum, v) => sum + v, 0) / 5)
    expect(history.trainLoss).toEqual(epochs)
    expect(stateOf(job)).toEqual(stateOf(other))
  })

  it('falls fast on a full batch', async () => {
    const job = makeJob({
      withTest: false,
      rows: 60,
      batchSize: 60,
      optimizer: model => new optim.LBFGS(model.parameters(), { lineSearchFn: 'strong_wolfe' }),
    })
    const { model, ...options } = job
    const { trainLoss } = await fit(model, { ...options, epochs: 12 })
    expect(trainLoss.at(-1)!).toBeLessThan(0.5 * trainLoss[0])
  })

  it('a learning-rate range test leaves no trace in its memory', async () => {
    const job = make()
    const { model, ...options } = job
    await fit(model, { ...options, epochs: 1 })
    const before = job.optimizer.stateDict()
    await lrFind(model, { train: job.train, loss: job.loss, optimizer: job.optimizer, steps: 5 })
    expect(job.optimizer.stateDict()).toEqual(before)
  })
})

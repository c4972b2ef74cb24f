/** What is timed across backends in one process: products, losses, updates and whole fits, operands in place beforehand. */

import { checkOneOf } from '../../base/check.js'
import { DataLoader, TensorDataset } from '../../data/index.js'
import * as nn from '../../nn/index.js'
import { Adam, SGD } from '../../optim/index.js'
import { Generator } from '../../streams/index.js'
import { Tensor } from '../../tensor/index.js'
import { fit } from '../../train/fit.js'
import type { Backend, KernelArgs } from '../backend.js'
import type { Run } from './measure.js'

const suites = ['matmul', 'linear', 'cross-entropy', 'update', 'fit'] as const
export type Suite = (typeof suites)[number]

/** What a command line may ask for: `kernels` is all but whole fits. */
export const suiteNames: readonly string[] = ['kernels', ...suites]

export interface BenchCase {
  readonly name: string
  readonly suite: Suite
  /** Multiply-adds of a call, to leave out what plain JavaScript would take too long for. */
  readonly work: number
  make(backend: Backend): Run
}

const generator = () => new Generator(1)
const normal = (length: number) => generator().normal_(new Float32Array(length))

function kernelCase(suite: Suite, name: string, kernel: string, args: () => KernelArgs, work: number): BenchCase {
  return { suite, name, work, make: backend => backend.prepare(kernel, args()) }
}

/** Rows, inputs and outputs of layers: the lecture's, digits', a picture's, a wide one. */
const shapes = [
  [32, 2, 8],
  [64, 64, 32],
  [128, 784, 128],
  [256, 1024, 1024],
] as const

function products([m, k, n]: (typeof shapes)[number]): BenchCase[] {
  const size = `${m}x${k}x${n}`
  const y = () => new Float32Array(m * n)
  const mask = () => normal(m * k).map(v => Math.max(v, 0))
  return [
    kernelCase(
      'matmul',
      `matmul ${size}`,
      'linear_fwd',
      () => ({ x: normal(m * k), w: normal(n * k), b: null, y: y(), m, k, n }),
      m * k * n,
    ),
    kernelCase(
      'linear',
      `linear+ReLU forward ${size}`,
      'linear_relu_fwd',
      () => ({ x: normal(m * k), w: normal(n * k), b: normal(n), y: y(), m, k, n }),
      m * k * n,
    ),
    kernelCase(
      'linear',
      `linear+ReLU backward, input ${size}`,
      'linear_input_bwd',
      () => ({ dy: normal(m * n), w: normal(n * k), a: mask(), dx: new Float32Array(m * k), m, k, n }),
      m * k * n,
    ),
    kernelCase(
      'linear',
      `linear+ReLU backward, weight ${size}`,
      'linear_weight_bwd',
      () => ({ dy: normal(m * n), x: normal(m * k), dw: new Float32Array(n * k), db: new Float32Array(n), m, k, n }),
      m * k * n,
    ),
  ]
}

function crossEntropy(m: number, n: number): BenchCase {
  const outputs = () => ({ each: new Float32Array(m), loss: new Float32Array(1), dlogits: new Float32Array(m * n) })
  const operands = () => ({ logits: normal(m * n), labels: generator().random_(new Int32Array(m), 0, n), weight: null })
  const scalars = { reduction: 1, ignore_index: -100, label_smoothing: 0 }
  const args = () => ({ ...operands(), ...outputs(), m, n, ...scalars })
  return kernelCase('cross-entropy', `softmax-cross-entropy, both ways ${m}x${n}`, 'softmax_xent_fwd_bwd', args, m * n)
}

const updates = [
  { name: 'SGD', Optimizer: SGD, options: { lr: 0.01 } },
  { name: 'SGD momentum', Optimizer: SGD, options: { lr: 0.01, momentum: 0.9 } },
  { name: 'Adam', Optimizer: Adam, options: { lr: 0.001 } },
]

function updateCase({ name, Optimizer, options }: (typeof updates)[number]): BenchCase {
  const shape = [128, 784]
  const make = (backend: Backend): Run => {
    const parameters = [shape, [shape[0]]].map(size => {
      const values = normal(size.reduce((a, b) => a * b))
      const p = new nn.Parameter(new Tensor(size, 'float32', values))
      p.grad = new Tensor(size, 'float32', Float32Array.from(values))
      return p
    })
    const updater = backend.updater(new Optimizer(parameters, options))
    updater.load()
    return { run: () => updater.step(), dispose: () => updater.dispose() }
  }
  return { suite: 'update', name: `${name} update ${shape.join('x')}`, work: shape[0] * shape[1], make }
}

/** Some epochs a call, each in a new order, through `fit` as a user calls it. */
function fitCase(widths: readonly number[], batch: number, rows: number, epochs: number): BenchCase {
  const [inputs, hidden, classes] = widths
  const make = (backend: Backend): Run => {
    const model = new nn.Sequential(new nn.Linear(inputs, hidden), new nn.ReLU(), new nn.Linear(hidden, classes))
    const x = new Tensor([rows, inputs], 'float32', normal(rows * inputs))
    const y = new Tensor([rows], 'int32', generator().random_(new Int32Array(rows), 0, classes))
    const train = new DataLoader(new TensorDataset(x, y), { batchSize: batch, shuffle: true, dropLast: true })
    const loss = new nn.CrossEntropyLoss()
    const optimizer = new SGD(model.parameters(), { lr: 0.01 })
    return { run: () => fit.sync(model, { train, loss, optimizer, epochs, backend }), dispose() {} }
  }
  const steps = epochs * Math.floor(rows / batch)
  const work = 2 * epochs * rows * (inputs * hidden + hidden * classes)
  return { suite: 'fit', name: `fit ${widths.join('-')} batch ${batch}, ${steps} steps`, work, make }
}

const benchCases: readonly BenchCase[] = [
  ...shapes.flatMap(products),
  ...[crossEntropy(32, 3), crossEntropy(128, 10), crossEntropy(256, 1000)],
  ...updates.map(updateCase),
  fitCase([2, 8, 3], 32, 736, 5),
  fitCase([64, 32, 10], 64, 1792, 5),
  fitCase([784, 128, 10], 128, 2048, 2),
]

/** The cases of these suites; without names, all. */
export function chooseCases(names: readonly string[] = suites): BenchCase[] {
  for (const name of names) checkOneOf('bench', 'suite', name, suiteNames)
  return benchCases.filter(({ suite }) => names.includes(suite) || (suite !== 'fit' && names.includes('kernels')))
}

/** Plain JavaScript is not asked for more multiply-adds a call than this. */
const MAX_SLOW_WORK = 2e7

/** Why a backend sits a case out; undefined where it takes part. */
export function unsuited({ work }: BenchCase, { isa }: Backend): string | undefined {
  return isa === 'none' && work > MAX_SLOW_WORK ? 'left out, it would take too long' : undefined
}

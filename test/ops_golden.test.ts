/** Ops, and what is composed of ops, against PyTorch's values and gradients: test/golden/make_ops.py. */

import { expect, it } from 'vitest'
import { ops, Tensor } from '../src/tensor/index.js'
import { expectClose, golden, numbers } from './helpers/golden.js'

/** A tensor of float32 or, as labels, of int32. */
interface Stored {
  readonly shape: number[]
  readonly data?: (number | string)[]
  readonly labels?: number[]
}

interface Entry {
  readonly op: keyof typeof ops
  readonly x: Stored[]
  readonly list?: boolean
  readonly args: unknown[]
  readonly out: Stored[]
  readonly grads: (Stored | null)[]
}

const { entries } = golden('ops.json') as { entries: Entry[] }

function made({ shape, data, labels }: Stored): Tensor {
  if (labels) return new Tensor(shape, 'int32', Int32Array.from(labels))
  return new Tensor(shape, 'float32', Float32Array.from(numbers(data!)))
}

/** Numbers that JSON lacks, tensors, and options that hold such. */
function argument(arg: unknown): unknown {
  if (arg === 'Infinity') return Infinity
  if (typeof arg !== 'object' || arg === null || Array.isArray(arg)) return arg
  if ('shape' in arg) return made(arg as Stored)
  return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, argument(value)]))
}

/** All tensors of a result, in order. */
function parts(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result]
  return Array.isArray(result) ? result : Object.values(result as object)
}

/** The cotangent that make_ops.py gives every result. */
function cotangent({ shape, size }: Tensor, r: number): Tensor {
  return new Tensor(
    shape,
    'float32',
    Float32Array.from({ length: size }, (_, i) => (((7 * i + 3 * r) % 5) - 1.75) / 2),
  )
}

it.each(entries.map((entry, i) => ({ name: entry.op, args: JSON.stringify(entry.args), i, entry })))(
  '$name $args ($i)',
  ({ entry }) => {
    const x = entry.x.map(made)
    for (const t of x) if (t.dtype === 'float32') t.requiresGrad = true
    const call = ops[entry.op] as (...a: unknown[]) => unknown
    const results = parts(call(...(entry.list ? [x] : x), ...entry.args.map(argument)))
    expect(results.map(({ shape }) => shape)).toEqual(entry.out.map(({ shape }) => shape))
    results.forEach((result, r) => {
      expectClose(result.data, entry.out[r].labels ?? numbers(entry.out[r].data!))
      if (result.requiresGrad) result.backward(cotangent(result, r))
    })
    const wanted = x.filter(t => t.requiresGrad)
    entry.grads.forEach((grad, i) => {
      if (grad) expectClose(wanted[i].grad!.data, numbers(grad.data!))
    })
  },
)

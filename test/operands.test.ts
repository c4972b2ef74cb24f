/** What is no tensor, given to any op, layer or loss: an error of ours, with a code. */

import { describe, expect, it } from 'vitest'
import * as nn from '../src/nn/index.js'
import * as registry from '../src/ops/index.js'
import * as composed from '../src/tensor/composed/index.js'
import { ops, Tensor, tensor } from '../src/tensor/index.js'
import { floats, operands } from './helpers/samples.js'

const strangers = [undefined, null, [1, 2], [[1, 2]], new Float32Array(2), new Int32Array(2), {}, 'x', () => 1, 1n]

/** Calls with each value in each of the first `count` places. */
function refuses(where: string, call: (...args: never[]) => unknown, args: readonly unknown[], count: number): void {
  for (let place = 0; place < count; place++) {
    for (const stranger of strangers) {
      const given = args.map((arg, i) => (i === place ? stranger : arg))
      expect(() => call(...(given as never[])), `${where}, argument ${place}: ${String(stranger)}`).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^ERR_/) }),
      )
    }
  }
}

/** How many operands must be there, where a bias may be absent. */
const withoutBias: Readonly<Record<string, number>> = { linear: 2, bilinear: 3 }

describe('ops', () => {
  it.each(Object.values({ ...registry, ...composed }).map(spec => [spec.name, spec] as const))('%s', (name, spec) => {
    const { args } = operands(spec.samples()[0], floats(1), Float32Array)
    const others = args.findIndex(arg => !(arg instanceof Tensor))
    const count = others < 0 ? args.length : others
    refuses(name, ops[name as keyof typeof ops], args, withoutBias[name] ?? count)
  })
})

/** An instance of a class, by the first arguments that it takes. */
function instanceOf(Class: new (...args: unknown[]) => nn.Module): nn.Module {
  for (const args of [[], [2], [2, 2], [2, 2, 2], [{ dim: 1 }]]) {
    try {
      return new Class(...args)
    } catch {}
  }
  throw new Error(`${Class.name}: none of the arguments tried makes one`)
}

const classes = Object.entries(nn).filter(
  ([, value]) => typeof value === 'function' && value.prototype instanceof nn.Module && 'forward' in value.prototype,
) as unknown as [string, new () => nn.Module][]

describe('modules', () => {
  it.each(classes)('%s', (name, Class) => {
    const module = instanceOf(Class)
    const x = tensor([
      [1, 2],
      [3, 4],
    ])
    for (const mode of [true, false]) {
      module.train(mode)
      refuses(name, module.forward.bind(module), [x, x], Math.min(module.forward.length, 2)) // its weights may be absent
    }
  })
})

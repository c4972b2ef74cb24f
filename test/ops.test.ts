/**
 * Every op of the registry, and what is composed of ops: gradients against differences in float64, native against the
 * reference, the plan against eager, bad input.
 */

import { describe, expect, it } from 'vitest'
import { nativeEmitter } from '../src/emitters/native.js'
import { referenceEmitter } from '../src/emitters/reference.js'
import * as registry from '../src/ops/index.js'
import type { OpSpec, Sample } from '../src/ops/spec.js'
import { opTwins } from '../src/ops/twins.js'
import * as composed from '../src/tensor/composed/index.js'
import { ops, type Tensor } from '../src/tensor/index.js'
import { withEmitter } from '../src/tensor/tape.js'
import { cases } from './helpers/campaign.js'
import { type Draw, floats, operands, weighted } from './helpers/samples.js'

const reference = referenceEmitter(opTwins)
type Tested = Pick<OpSpec, 'samples' | 'badSamples'> & Partial<OpSpec>
const entries = Object.entries({ ...registry, ...composed }) as [keyof typeof ops, Tested][]

/** Value of Σ weights · op(args) and its gradients, in float64. */
function inReference(name: keyof typeof ops, sample: Sample, draw: Draw) {
  return withEmitter(reference, () => weighted(name, sample, draw, Float64Array))
}

/** Every element of every gradient against the difference that a nudge of the input makes. */
function checkGradients(name: keyof typeof ops, sample: Sample, draw: Draw): void {
  const base = inReference(name, sample, draw)
  base.inputs.forEach((input, k) => {
    for (let j = 0; j < input.length; j++) {
      const eps = 1e-6
      const moved = [eps, -eps].map(d => inReference(name, sample, draw.nudged(k, j, d)).value)
      expect(base.grads[k][j]).toBeCloseTo((moved[0] - moved[1]) / (2 * eps), 5)
    }
  })
}

/** How many elements the float operands of a sample have. */
function elementsOf(sample: Sample): number {
  return operands(sample, floats(1), Float64Array).inputs.reduce((sum, { size }) => sum + size, 0)
}

describe.each(entries)('%s', (name, spec) => {
  const samples = spec.samples()

  it.each(samples.map((sample, i) => ({ i, sample })))('gradients equal differences, sample $i', ({ i, sample }) => {
    if (spec.infer && !spec.backward) return expect(spec.infer.length).toBeGreaterThan(0)
    checkGradients(name, sample, floats(1000 + i))
  })

  const small = samples.filter(sample => elementsOf(sample) <= 24)
  const points = spec.infer && !spec.backward ? 0 : cases(2, 50)
  it.runIf(points > 0)('gradients equal differences at more points', () => {
    for (let k = 0; k < points; k++) checkGradients(name, small[k % small.length], floats(5000 + k))
  })

  it.each(samples.map((sample, i) => ({ i, sample })))('native equals reference, sample $i', ({ i, sample }) => {
    const draw = floats(2000 + i)
    const want = inReference(name, sample, draw)
    const got = withEmitter(nativeEmitter, () => weighted(name, sample, draw, Float32Array))
    const close = (a: ArrayLike<number>, b: ArrayLike<number>) => {
      expect(a.length).toBe(b.length)
      for (let j = 0; j < a.length; j++) expect(Math.abs(a[j] - b[j])).toBeLessThanOrEqual(2e-5 * (1 + Math.abs(b[j])))
    }
    close(got.out, want.out)
    want.grads.forEach((grad, k) => {
      close(got.grads[k], grad)
    })
  })

  const own = spec.givesOwnGradients ? samples : []
  it.each(own.map((sample, i) => ({ i, sample })))(
    "gradients are nobody else's buffers, sample $i",
    ({ i, sample }) => {
      for (const value of [1, 2]) {
        const { args } = operands(sample, floats(3000 + i), Float32Array)
        const { node, shape, buf } = (ops[name] as (...a: unknown[]) => Tensor)(...args)
        const grad = new Float32Array(buf.length).fill(value)
        const grads = spec.backward!(nativeEmitter, node!.app!, { shape, dtype: 'float32', buf: grad })
        const all = [grad, buf, ...node!.inputs.map(input => input.buf), ...grads.filter(g => g !== null)]
        expect(new Set(all.map(values => (values as Float32Array).buffer)).size).toBe(all.length)
      }
    },
  )

  it.each(spec.badSamples().map(bad => ({ bad, message: bad.message })))('refuses bad input: $message', ({ bad }) => {
    const args = operands(bad, floats(3), Float32Array).args
    expect(() => (ops[name] as (...a: unknown[]) => Tensor)(...args)).toThrow(bad.message)
  })
})

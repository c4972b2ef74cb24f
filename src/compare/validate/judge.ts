/**
 * Judgement: how far a backend's numbers are from float64, in ulps and as a share of what is allowed. Our bounds are read
 * from the binary (kernels.def); those of TensorFlow.js, which states none, are here.
 */

import { addon } from '../../native/addon.js'
import type { Backend } from '../backend.js'

/** float64 values and their magnitudes: the same expression on absolute values (kernels.def). */
export interface Truth {
  readonly name: string
  readonly want: ArrayLike<number>
  readonly magnitude: ArrayLike<number>
}

/** The worst of what was compared. */
export interface Verdict {
  /** Largest error in units of the last place of its magnitude, so that a result near 0 after cancellation is no outlier. */
  ulps: number
  /** Largest error as a share of the bound: more than 1 is a failure. */
  share: number
  /** The element with the largest share. */
  worst: string
}

/** The t of a kernel's bound TERMS(t) for these dims. */
export function statedTerms(kernel: string, dims: Readonly<Record<string, number>>): number {
  const { bound } = addon.signatures[kernel]
  if (bound.exact) throw new Error(`no bound TERMS(t) for ${kernel}, which is exact`)
  return bound.dims.reduce((sum, dim) => sum + dims[dim], bound.plus)
}

export const isOurs = ({ name }: Backend) => name === 'native' || name === 'reference'

/** Where operations follow one another, TensorFlow.js is allowed so many times our terms: it rounds after each of them. */
export const tfjsFactor = 2

const bits = new DataView(new ArrayBuffer(4))

/** The distance from |value| to the next float32. */
export function ulp(value: number): number {
  const near = Math.fround(Math.abs(value))
  if (!Number.isFinite(near)) return 2 ** 104
  bits.setFloat32(0, near)
  bits.setUint32(0, bits.getUint32(0) + 1)
  return bits.getFloat32(0) - near
}

/** The allowed error is (terms + 1)·(2^-24·magnitude·1.01 + smallest). */
export function judge(got: ArrayLike<number>, truth: Truth, terms: number, smallest: number, into: Verdict): void {
  const { want, magnitude, name } = truth
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i] - want[i])
    const share = error / ((terms + 1) * (2 ** -24 * magnitude[i] * 1.01 + smallest))
    into.ulps = Math.max(into.ulps, error / Math.max(ulp(magnitude[i]), smallest))
    if (share <= into.share) continue
    into.share = Number.isNaN(share) ? Infinity : share
    into.worst = `${name}[${i}]: expected ${want[i]} but received ${got[i]}`
  }
}

export function noVerdict(): Verdict {
  return { ulps: 0, share: 0, worst: '' }
}

/** The smallest difference that counts: float32's, or its smallest normal number where those below may be dropped. */
export function smallestOf(backend: Backend): number {
  return isOurs(backend) ? 2 ** -149 : 2 ** -126
}

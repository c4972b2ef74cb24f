/** What losses share: how their values are reduced, and how a gradient comes back through it. Not an op. */

import { checkOneOf } from '../base/check.js'
import type { Buf, Emitter } from '../emitters/emitter.js'
import { emitBinary } from './elementwise.js'

export const reductions = ['none', 'mean', 'sum'] as const
export type Reduction = (typeof reductions)[number]

/** Options of every loss. */
export interface LossOptions {
  /** `mean`, `sum`, or `none` (each loss by itself). Default mean. */
  reduction?: Reduction
}

export function checkReduction(where: string, reduction: unknown = 'mean'): Reduction {
  return checkOneOf(where, 'reduction', reduction, reductions)
}

/** `slopes` [m, n], made for gradients of ones, times the gradients that came: one per row, or one for all rows. */
export function emitChain(e: Emitter, slopes: Buf, grad: Buf, reduction: Reduction, m: number, n: number): Buf {
  if (reduction !== 'none' && e.isOnes(grad)) return slopes
  if (reduction === 'none' && n === 1) return emitBinary(e, 'mul', slopes, grad, m)
  const out = e.alloc('float32', m * n)
  if (reduction === 'none') e.kernels.scale_rows({ x: slopes, s: grad, y: out, m, n })
  else e.kernels.scale_rows({ x: slopes, s: grad, y: out, m: 1, n: m * n })
  return out
}

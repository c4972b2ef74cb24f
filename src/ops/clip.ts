/** Gradient clipping as kernel calls, the same for both engines. Not an op: nothing flows back through it. */

import type { Buf, Emitter, Twins } from '../emitters/emitter.js'

/** A gradient: its values and how many there are. */
export interface Gradient {
  readonly buf: Buf
  readonly size: number
}

/** Scales gradients together, in place, to a norm of at most `maxNorm`. Returns the sum of squares of each. */
export function emitClipNorm(e: Emitter, gradients: readonly Gradient[], maxNorm: number): Buf {
  const count = gradients.length
  const [squares, scale] = [e.alloc('float64', count), e.alloc('float32', 1)]
  gradients.forEach(({ buf, size }, i) => {
    e.kernels.sum_squares({ x: buf, total: e.slice(squares, i, 1), n: size })
  })
  e.kernels.clip_scale({ squares, scale, n: count, max_norm: maxNorm })
  for (const { buf, size } of gradients) e.kernels.scale_rows({ x: buf, s: scale, y: buf, m: 1, n: size })
  return squares
}

export const reference: Twins = {
  sum_squares({ x, total, n }) {
    total[0] = 0
    for (let i = 0; i < n; i++) total[0] += x[i] * x[i]
  },
  clip_scale({ squares, scale, n, max_norm }) {
    let total = 0
    for (let i = 0; i < n; i++) total += squares[i]
    scale[0] = Math.min(1, max_norm / (Math.sqrt(total) + 1e-6))
  },
}

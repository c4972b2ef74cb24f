/**
 * What L-BFGS knows of the curvature: pairs of steps and gradient changes, the direction that follows from them, and
 * their way into a state dict and back. Not here: how far to go (lbfgs.ts, strong_wolfe.ts).
 */

import { checkInt } from '../base/check.js'
import type { Floats } from '../emitters/emitter.js'
import { Tensor, tensorFrom } from '../tensor/index.js'
import { badState, readNumber, type SavedState } from './state_dict.js'

/** What is known of the curvature. Replaced after each step, never changed. */
export interface Memory {
  readonly funcEvals: number
  readonly nIter: number
  readonly d: Floats
  readonly t: number
  readonly oldDirs: readonly Floats[]
  readonly oldStps: readonly Floats[]
  readonly ro: readonly number[]
  readonly hDiag: number
  readonly prevFlatGrad: Floats
  readonly prevLoss: number
}

export interface Evaluation {
  readonly loss: number
  readonly gradient: Floats
}

export function dot(a: Floats, b: Floats): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** a += weight·b */
function add(a: Floats, weight: number, b: Floats): void {
  for (let i = 0; i < a.length; i++) a[i] += weight * b[i]
}

/** The largest element in size; NaN where there is one. */
export function largest(a: Floats): number {
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]))
  return most
}

function scaled(a: Floats, factor: number): Floats {
  return a.map(v => v * factor)
}

/** The history with the newest pair, and the inverse curvature along it; pairs without curvature are left out. */
function remember(memory: Memory, gradient: Floats, historySize: number): Memory {
  const y = gradient.map((v, i) => v - memory.prevFlatGrad[i])
  const s = scaled(memory.d, memory.t)
  const curvature = dot(y, s)
  if (!(curvature > 1e-10)) return memory
  const last = <T>(list: readonly T[], item: T) => [...list, item].slice(-historySize)
  return {
    ...memory,
    oldDirs: last(memory.oldDirs, y),
    oldStps: last(memory.oldStps, s),
    ro: last(memory.ro, 1 / curvature),
    hDiag: curvature / dot(y, y),
  }
}

/** -H·gradient by the two-loop recursion. */
function direction({ oldDirs, oldStps, ro, hDiag }: Memory, gradient: Floats): Floats {
  const q = scaled(gradient, -1)
  const al: number[] = []
  for (let i = oldDirs.length - 1; i >= 0; i--) {
    al[i] = dot(oldStps[i], q) * ro[i]
    add(q, -al[i], oldDirs[i])
  }
  const d = scaled(q, hDiag)
  for (let i = 0; i < oldDirs.length; i++) add(d, al[i] - dot(oldDirs[i], d) * ro[i], oldStps[i])
  return d
}

/** The options that say where to go. */
interface Aim {
  readonly lr: number
  readonly historySize: number
}

/** The memory with the direction to take from here, and how far. */
export function aim(before: Memory, { loss, gradient }: Evaluation, { lr, historySize }: Aim): Memory {
  const seen = { nIter: before.nIter + 1, prevFlatGrad: gradient, prevLoss: loss }
  if (before.nIter === 0) {
    const sizes = Array.from(gradient, Math.abs).reduce((sum, size) => sum + size, 0)
    return { ...before, ...seen, d: scaled(gradient, -1), t: Math.min(1, 1 / sizes) * lr }
  }
  const memory = remember(before, gradient, historySize)
  return { ...memory, ...seen, d: direction(memory, gradient), t: lr }
}

const none = new Float32Array()
export const fresh: Memory = {
  funcEvals: 0,
  nIter: 0,
  d: none,
  t: 0,
  oldDirs: [],
  oldStps: [],
  ro: [],
  hDiag: 1,
  prevFlatGrad: none,
  prevLoss: 0,
}

const asTensor = (values: Floats) => new Tensor([values.length], 'float32', values)

/** In PyTorch's layout; what PyTorch has from the first iteration on is left out before it. */
export function written({
  funcEvals,
  nIter,
  d,
  t,
  oldDirs,
  oldStps,
  ro,
  hDiag,
  prevFlatGrad,
  prevLoss,
}: Memory): SavedState {
  const counts = { func_evals: funcEvals, n_iter: nIter }
  if (nIter === 0) return counts
  const history = { old_dirs: oldDirs.map(asTensor), old_stps: oldStps.map(asTensor), ro: [...ro], H_diag: hDiag }
  return { ...counts, d: asTensor(d), t, ...history, prev_flat_grad: asTensor(prevFlatGrad), prev_loss: prevLoss }
}

/** The memory in a saved state, for `n` weights. Throws ERR_STATE for what does not fit. */
export function read(saved: SavedState, n: number): Memory {
  const count = (key: string): number => checkInt('loadStateDict', key, readNumber(key, saved[key]), { min: 0 })
  const vector = (key: string, value: unknown): Floats => {
    const t = tensorFrom('loadStateDict', key, value)
    if (t.size !== n || t.values.length !== n) throw badState(`${key} to be a Tensor of ${n} elements`, value)
    const values = Float32Array.from(t.values)
    if (!values.every(Number.isFinite)) throw badState(`values of ${key} that are finite`, 'others')
    return values
  }
  const list = <T>(key: string, of: (key: string, value: unknown) => T): T[] => {
    const values = saved[key]
    if (!Array.isArray(values)) throw badState(`${key} to be an array`, values)
    return Array.from(values, (value, i) => of(`${key}[${i}]`, value))
  }
  const counts = { funcEvals: count('func_evals'), nIter: count('n_iter') }
  if (counts.nIter === 0) return { ...fresh, ...counts }
  const history = { oldDirs: list('old_dirs', vector), oldStps: list('old_stps', vector), ro: list('ro', readNumber) }
  if (new Set(Object.values(history).map(({ length }) => length)).size > 1)
    throw badState('old_dirs, old_stps and ro of one length', 'others')
  return {
    ...counts,
    ...history,
    d: vector('d', saved.d),
    t: readNumber('t', saved.t),
    hDiag: readNumber('H_diag', saved.H_diag),
    prevFlatGrad: vector('prev_flat_grad', saved.prev_flat_grad),
    prevLoss: readNumber('prev_loss', saved.prev_loss),
  }
}

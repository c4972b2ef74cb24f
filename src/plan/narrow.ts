/** Narrow models, whose plans are turned round: the samples of a batch are the lanes. Not here: the forms of their kernels. */

import type { SlotCall } from './program.js'

/** Columns of a panel. */
export const PANEL = 16

/** Whether all layers are so narrow that a batch fills the lanes better than their columns do. */
export function isNarrow(calls: readonly SlotCall[]): boolean {
  const layers = calls.filter(({ kernel }) => kernel.startsWith('linear'))
  return layers.every(({ dims: [, k, n] }) => k <= PANEL && n <= PANEL)
}

/** A layer of fewer outputs than inputs has the inputs as lanes, for all that goes back through it; others the outputs. */
export function narrows([, k, n]: readonly number[]): boolean {
  return n < k
}

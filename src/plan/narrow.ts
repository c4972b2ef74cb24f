/**
 * Narrow models, whose plans have the samples of a batch as lanes wherever activations are made, and the kernels that take
 * the place of recorded ones: on panels, or on the layouts of narrow models. Not here: the layouts (layout.ts).
 */

import { addon } from '../native/addon.js'
import type { KernelName } from '../native/types.js'
import type { SlotCall } from './program.js'

/** Columns of a panel. */
export const PANEL = addon.format.panel

type Sizes = Readonly<Record<string, number>>

/** Whether all layers are so narrow that a batch fills the lanes better than their columns do. */
export function isNarrow(calls: readonly SlotCall[]): boolean {
  for (const { kernel, dims } of calls) {
    if (!kernel.startsWith('linear_')) continue
    const { k, n } = dims as Sizes
    if (k > PANEL || n > PANEL) return false
  }
  return true
}

/** A layer of fewer outputs than inputs has the inputs as lanes, for all that goes back through it; others the outputs. */
export function narrows({ k, n }: Sizes): boolean {
  return n < k
}

/** What runs in place of a recorded kernel, with the same buffers and dims. */
export interface Form {
  readonly kernel: KernelName
  /** In place of the call's own. */
  readonly scalars?: Sizes
  /** Taken only where the first operand has the layout that it wants already. */
  readonly follows?: boolean
}

type Forms = { readonly [K in KernelName]?: Form }

const panelForms: Forms = {
  linear_fwd: { kernel: 'linear_panel_fwd', scalars: { relu: 0 } },
  linear_relu_fwd: { kernel: 'linear_panel_fwd', scalars: { relu: 1 } },
  linear_input_bwd: { kernel: 'linear_panel_input_bwd' },
  linear_weight_bwd: { kernel: 'linear_panel_weight_bwd' },
  softmax_xent_fwd_bwd: { kernel: 'softmax_xent_panel_fwd_bwd' },
  count_correct: { kernel: 'count_correct_panel' },
  column_moments: { kernel: 'column_moments_panel', follows: true },
  batch_norm_fwd: { kernel: 'batch_norm_panel_fwd', follows: true },
  batch_norm_bwd: { kernel: 'batch_norm_panel_bwd', follows: true },
  layer_norm_fwd: { kernel: 'layer_norm_panel_fwd', follows: true },
  layer_norm_input_bwd: { kernel: 'layer_norm_panel_input_bwd', follows: true },
  layer_norm_weight_bwd: { kernel: 'layer_norm_panel_weight_bwd', follows: true },
}

/** With samples as lanes. */
const laneForms: Forms = {
  softmax_xent_fwd_bwd: { kernel: 'softmax_xent_lanes_fwd_bwd', follows: true },
  softmax_xent_panel_fwd_bwd: { kernel: 'softmax_xent_lanes_fwd_bwd', follows: true },
  count_correct: { kernel: 'count_correct_lanes', follows: true },
}

const wideningForms: Forms = {
  linear_fwd: { kernel: 'linear_widening_fwd', scalars: { relu: 0 } },
  linear_relu_fwd: { kernel: 'linear_widening_fwd', scalars: { relu: 1 } },
  linear_weight_bwd: { kernel: 'linear_widening_weight_bwd' },
}

const narrowingForms: Forms = {
  linear_fwd: { kernel: 'linear_narrowing_fwd', scalars: { relu: 0 } },
  linear_relu_fwd: { kernel: 'linear_narrowing_fwd', scalars: { relu: 1 } },
  linear_weight_bwd: { kernel: 'linear_narrowing_bwd', scalars: { relu: 0 } },
}

/** The forms of a kernel with these dims, the first that applies to be taken; without any it runs as it is. */
export function formsOf(kernel: KernelName, dims: Sizes, narrow: boolean): Form[] {
  const ofLayer = narrows(dims) ? narrowingForms : wideningForms
  const tables = narrow ? [ofLayer, laneForms, panelForms] : [panelForms]
  return tables.flatMap(forms => forms[kernel] ?? [])
}

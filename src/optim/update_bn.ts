/** Batch statistics of a model whose weights were averaged. */

import { checkIterable } from '../base/check.js'
import { typeError } from '../base/errors.js'
import { partsOf } from '../data/columns.js'
import { BatchNorm1d } from '../nn/batch_norm.js'
import { Module } from '../nn/module.js'
import { checkTensor, noGrad, type Tensor } from '../tensor/index.js'

/**
 * Computes the running statistics of every batch normalisation anew: their plain mean over one pass of `loader`, batches
 * being tensors, or arrays whose last tensor is the target.
 *
 * ```ts
 * optim.updateBn(trainLoader, averaged)
 * ```
 * Modes and momenta are afterwards what they were. Throws TypeError for what is no module or no iterable.
 * Source: torch.optim.swa_utils.update_bn.
 */
export function updateBn(loader: Iterable<Tensor | readonly Tensor[]>, model: Module): void {
  if (!(model instanceof Module)) throw typeError('updateBn', 'model to be a Module', model)
  checkIterable('updateBn', 'loader', loader)
  const modules = model.modules()
  const layers = modules.filter(module => module instanceof BatchNorm1d)
  if (layers.length === 0) return
  const { weighted } = loader as { weighted?: boolean }
  const restoreModes = model.keepModes()
  const momenta = layers.map(layer => [layer, layer.momentum] as const)
  model.train()
  for (const layer of layers) {
    layer.resetRunningStats()
    layer.momentum = null
  }
  try {
    for (const batch of loader) {
      const { inputs } = partsOf(Array.isArray(batch) ? batch : [batch], weighted)
      for (const x of inputs) checkTensor('updateBn', 'the input of a batch', x)
      noGrad(() => model.forward(...(inputs as never[])))
    }
  } finally {
    for (const [layer, momentum] of momenta) layer.momentum = momentum
    restoreModes()
  }
}

/** The cosine between two vectors, as a layer. */

import { type CosineSimilarityOptions, checkCosineSimilarity } from '../tensor/composed/cosine_similarity.js'
import { ops, type Tensor } from '../tensor/index.js'
import { Module } from './module.js'

export type { CosineSimilarityOptions }

/**
 * `a·b / (max(‖a‖, eps)·max(‖b‖, eps))` along `dim`, which goes; both are broadcast.
 *
 * ```ts
 * const layer = new nn.CosineSimilarity({ dim: 1 })
 * layer.forward(random.randn([32, 8]), random.randn([32, 8])) // [32]
 * ```
 * Throws ERR_SHAPE where they do not broadcast. Source: torch.nn.CosineSimilarity.
 */
export class CosineSimilarity extends Module {
  readonly dim: number
  readonly eps: number

  constructor(options: CosineSimilarityOptions = {}) {
    super()
    const { dim, eps } = checkCosineSimilarity('CosineSimilarity', options)
    this.dim = dim
    this.eps = eps
  }

  override constructorArguments(): readonly unknown[] {
    return [{ dim: this.dim, eps: this.eps }]
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    return ops.cosineSimilarity(a, b, { dim: this.dim, eps: this.eps })
  }
}

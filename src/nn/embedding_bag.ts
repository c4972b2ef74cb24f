/** Sums and means of rows of a learned table. */

import { checkInt, checkOneOf, checkOptions } from '../base/check.js'
import { checkPadding } from '../ops/embedding.js'
import { ops, type Tensor } from '../tensor/index.js'
import { newTable } from './embedding.js'
import { Module, type Parameter } from './module.js'

/** Options of `EmbeddingBag`. */
export interface EmbeddingBagLayerOptions {
  /** What becomes of a bag's rows. Default `mean`. */
  mode?: 'sum' | 'mean'
  /** A row that does not count and is not trained; negative numbers count from the end. */
  paddingIdx?: number | null
}

/**
 * The sum or the mean of rows of a learned table for each bag of indices: int32 [bags, count] to [bags, embeddingDim]. Bags
 * of several lengths are padded to one with `paddingIdx`, or given as one list with `offsets`, where each begins.
 *
 * ```ts
 * const layer = new nn.EmbeddingBag(1000, 16, { mode: 'sum', paddingIdx: 0 })
 * layer.forward(tensor(Int32Array.of(4, 9, 0, 7, 0, 0), { shape: [2, 3] })) // [2, 16]
 * layer.forward(tensor(Int32Array.of(4, 9, 7)), tensor(Int32Array.of(0, 2))) // the same bags
 * ```
 * The table starts standard normal, drawn from the default generator in PyTorch's order; the padding row starts at zero.
 * Throws ERR_LABEL_RANGE for an index that names no row. Source: torch.nn.EmbeddingBag.
 */
export class EmbeddingBag extends Module {
  readonly numEmbeddings: number
  readonly embeddingDim: number
  readonly mode: 'sum' | 'mean'
  readonly paddingIdx: number | null
  readonly weight: Parameter

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingBagLayerOptions = {}) {
    super()
    const where = 'EmbeddingBag'
    const { mode = 'mean', paddingIdx } = checkOptions(where, options, ['mode', 'paddingIdx'])
    this.numEmbeddings = checkInt(where, 'numEmbeddings', numEmbeddings, { min: 0, max: 2 ** 31 - 1 })
    this.embeddingDim = checkInt(where, 'embeddingDim', embeddingDim, { min: 0, max: 2 ** 31 - 1 })
    checkInt(where, 'numEmbeddings * embeddingDim', numEmbeddings * embeddingDim, { max: 2 ** 31 - 1 })
    this.mode = checkOneOf(where, 'mode', mode, ['sum', 'mean'])
    this.paddingIdx = checkPadding(where, paddingIdx, numEmbeddings)
    this.weight = newTable(numEmbeddings, embeddingDim, this.paddingIdx)
  }

  override constructorArguments(): readonly unknown[] {
    return [this.numEmbeddings, this.embeddingDim, { mode: this.mode, paddingIdx: this.paddingIdx }]
  }

  override forward(indices: Tensor, offsets?: Tensor): Tensor {
    const { mode, paddingIdx } = this
    return ops.embeddingBag(indices, this.weight, { mode, paddingIdx, offsets })
  }
}

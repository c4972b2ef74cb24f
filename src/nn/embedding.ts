/** A learned table of rows. */

import { checkInt, checkOptions } from '../base/check.js'
import { checkPadding, type EmbeddingOptions } from '../ops/embedding.js'
import { defaultGenerator } from '../streams/index.js'
import { ops, type Tensor } from '../tensor/index.js'
import { Module, type Parameter } from './module.js'
import { newParameter } from './new_tensors.js'

export type { EmbeddingOptions }

/** A table of standard normal numbers, whose padding row is zero. */
export function newTable(rows: number, width: number, padding: number | null): Parameter {
  return newParameter([rows, width], ({ values }) => {
    defaultGenerator.normal_(values as Float32Array)
    if (padding !== null) values.fill(0, padding * width, (padding + 1) * width)
  })
}

/**
 * Row `i` of a learned table [numEmbeddings, embeddingDim] for every index: int32 [...] to float32 [..., embeddingDim].
 *
 * ```ts
 * const layer = new nn.Embedding(1000, 16, { paddingIdx: 0 })
 * layer.forward(tensor([[4, 9, 0]], { dtype: 'int32' })) // [1, 3, 16]
 * ```
 * The table starts standard normal, drawn from the default generator in PyTorch's order; the padding row starts at zero
 * and keeps its value in training. Throws ERR_LABEL_RANGE with place and value of an index that names no row; `fit` checks
 * all of a data set's before the first step. Source: torch.nn.Embedding.
 */
export class Embedding extends Module {
  readonly numEmbeddings: number
  readonly embeddingDim: number
  readonly paddingIdx: number | null
  readonly weight: Parameter

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}) {
    super()
    const where = 'Embedding'
    const { paddingIdx } = checkOptions(where, options, ['paddingIdx'])
    this.numEmbeddings = checkInt(where, 'numEmbeddings', numEmbeddings, { min: 0, max: 2 ** 31 - 1 })
    this.embeddingDim = checkInt(where, 'embeddingDim', embeddingDim, { min: 0, max: 2 ** 31 - 1 })
    checkInt(where, 'numEmbeddings * embeddingDim', numEmbeddings * embeddingDim, { max: 2 ** 31 - 1 })
    const padding = checkPadding(where, paddingIdx, numEmbeddings)
    this.paddingIdx = padding
    this.weight = newTable(numEmbeddings, embeddingDim, padding)
  }

  override constructorArguments(): readonly unknown[] {
    return [this.numEmbeddings, this.embeddingDim, { paddingIdx: this.paddingIdx }]
  }

  override forward(indices: Tensor): Tensor {
    return ops.embedding(indices, this.weight, { paddingIdx: this.paddingIdx })
  }
}

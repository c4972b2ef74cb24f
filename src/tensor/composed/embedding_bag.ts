/** Sums and means of rows of a table. */

import { checkOneOf, checkOptions } from '../../base/check.js'
import { AnnealError, phrase, shapeError } from '../../base/errors.js'
import { checkPadding } from '../../ops/embedding.js'
import { shapeText, sizeOf } from '../../ops/spec.js'
import { currentEmitter } from '../tape.js'
import { checkTensor, Tensor } from '../tensor.js'
import { compose } from './composed.js'

const where = 'embeddingBag'

/** Options of `embeddingBag`. */
export interface EmbeddingBagOptions {
  /** What becomes of a bag's rows. Default `mean`. */
  mode?: 'sum' | 'mean'
  /** A row that does not count and gets no gradient; negative numbers count from the end. */
  paddingIdx?: number | null
  /** Where each bag begins in indices of one dimension: int32 [bags], from 0 on and never less than before. */
  offsets?: Tensor | null
}

/** The bag of each of `count` indices. */
function bagsOf(offsets: Tensor, count: number): Tensor {
  const starts = offsets.values
  const bags = new Int32Array(count)
  for (let bag = 0; bag < starts.length; bag++) {
    const end = starts[bag + 1] ?? count
    if ((bag === 0 && starts[0] !== 0) || starts[bag] > end || end > count) {
      const expected = `offsets to begin with 0, to never fall and to be at most ${count}`
      throw new AnnealError('ERR_SHAPE', phrase(where, expected, `[${[...starts].join(', ')}]`))
    }
    bags.fill(bag, starts[bag], end)
  }
  return new Tensor([count], 'int32', bags)
}

/** Sums over the bags of [count, width] or [bags, count, width]. */
type Adder = (values: Tensor) => Tensor

function adder(indices: Tensor, offsets: Tensor | null): Adder {
  const { shape } = checkTensor(where, 'indices', indices)
  if (shape.length === 2) {
    if (offsets) throw shapeError(where, 'offsets only with indices of 1 dimension', shapeText(shape))
    return values => values.sum(1)
  }
  if (shape.length !== 1 || offsets?.shape.length !== 1)
    throw shapeError(where, 'indices of 2 dimensions, or of 1 with offsets of 1', shapeText(shape))
  if (offsets.dtype !== 'int32') throw new AnnealError('ERR_DTYPE', phrase(where, 'offsets to be int32', offsets.dtype))
  const bags = bagsOf(offsets, shape[0])
  const none = tensorOf(0, [offsets.size, 1])
  return values => none.expand([offsets.size, values.shape[1]]).indexAdd(0, bags, values)
}

/** float32, this value throughout, the same whenever a plan runs. */
function tensorOf(value: number, shape: readonly number[]): Tensor {
  return new Tensor(shape, 'float32', currentEmitter().constant(new Array(sizeOf(shape)).fill(value)))
}

function checkMode(mode: unknown): 'sum' | 'mean' {
  return checkOneOf(where, 'mode', mode, ['sum', 'mean'])
}

/**
 * The sum or the mean of rows of `weight` [rows, width] for each bag of `indices`: int32 [bags, count], or [count] with
 * `offsets` where each bag begins; result [bags, width], 0 for an empty bag; `{ mode = 'mean', paddingIdx, offsets }`.
 * Source: torch.nn.functional.embedding_bag.
 */
export const embeddingBag = compose({
  name: where,
  call(indices: Tensor, weight: Tensor, options: EmbeddingBagOptions = {}): Tensor {
    const {
      mode = 'mean',
      paddingIdx,
      offsets = null,
    } = checkOptions(where, options, ['mode', 'paddingIdx', 'offsets'])
    checkMode(mode)
    if (offsets !== null) checkTensor(where, 'offsets', offsets)
    const padding = checkPadding(where, paddingIdx, checkTensor(where, 'weight', weight).shape[0] ?? 0)
    const add = adder(indices, offsets)
    const counts = indices.ne(padding ?? -1).unsqueeze(-1)
    const rows = indices.embedding(weight, { paddingIdx: padding })
    const total = add(padding === null ? rows : rows.where(counts, 0))
    return mode === 'sum' ? total : total.div(add(counts).clamp(1))
  },
  samples: () => [
    { x: [{ labels: [1, 0, 2, 2], shape: [2, 2] }, [3, 2]] },
    { x: [{ labels: [1, 0, 2, 2], shape: [2, 2] }, [3, 2]], args: [{ mode: 'sum', paddingIdx: 2 }] },
    { x: [{ labels: [1, 0, 2, 2] }, [3, 2]], args: [{ offsets: { labels: [0, 1, 1] }, paddingIdx: 0 }] },
    { x: [{ labels: [], shape: [2, 0] }, [3, 2]] },
  ],
  badSamples: () => [
    { x: [{ labels: [1, 0] }, [3, 2]], message: 'indices of 2 dimensions, or of 1 with offsets' },
    { x: [{ labels: [0, 3], shape: [1, 2] }, [3, 2]], message: 'indices[0, 1] to be in [0, 2] but received 3' },
    { x: [{ labels: [1, 0] }, [3, 2]], args: [{ offsets: { labels: [0, 3] } }], message: 'offsets to begin with 0' },
    { x: [{ labels: [1, 0] }, [3, 2]], args: [{ offsets: { labels: [1] } }], message: 'offsets to begin with 0' },
    { x: [{ labels: [1, 0], shape: [1, 2] }, [3, 2]], args: [{ mode: 'max' }], message: "mode to be 'sum' or 'mean'" },
  ],
})

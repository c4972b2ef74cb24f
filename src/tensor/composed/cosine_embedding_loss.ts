/** Which vectors should point the same way. */

import { shapeError } from '../../base/errors.js'
import { shapeText } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'
import { checkMargin, type MarginOptions } from './margin_ranking_loss.js'
import { checkAlike, reduced } from './reduced.js'

const where = 'cosineEmbeddingLoss'

/** The cosine, of squares that are 1e-12 larger, as in PyTorch. */
function cosine(a: Tensor, b: Tensor): Tensor {
  const [x, y] = [a, b].map(t => t.square().sum(-1).add(1e-12))
  return a.mul(b).sum(-1).div(x.mul(y).sqrt())
}

function checkShapes(a: Tensor, b: Tensor, target: Tensor): void {
  checkAlike(where, { a, b })
  if (a.shape.length === 0) throw shapeError(where, 'a to have at least 1 dimension', shapeText(a.shape))
  const wanted = shapeText(a.shape.slice(0, -1))
  if (shapeText(checkTensor(where, 'target', target).shape) !== wanted)
    throw shapeError(where, `target to have shape ${wanted}`, shapeText(target.shape))
}

/**
 * `1 - cos(a, b)` where t is 1, `max(0, cos(a, b) - margin)` where it is -1: a and b [rows, width], t [rows];
 * `{ reduction = 'mean', margin = 0 }`. Source: torch.nn.functional.cosine_embedding_loss.
 */
export const cosineEmbeddingLoss = compose({
  name: where,
  call(a: Tensor, b: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
    const { margin, reduction } = checkMargin(where, options)
    checkShapes(a, b, target)
    const cos = cosine(a, b)
    const apart = cos.sub(margin).clamp(0).where(target.eq(-1), 0)
    const together = cos.neg().add(1).where(target.eq(1), 0)
    return reduced(where, together.add(apart), reduction)
  },
  samples: () => [
    { x: [[2, 3], [2, 3], { labels: [1, -1] }] },
    { x: [[2, 3], [2, 3], { labels: [-1, -1] }], args: [{ margin: -0.5, reduction: 'none' }] },
    { x: [[0, 3], [0, 3], { labels: [] }], args: [{ reduction: 'sum' }] },
  ],
  badSamples: () => [
    { x: [[2, 3], [2, 2], [2]], message: 'b to have shape [2, 3] but received [2, 2]' },
    { x: [[2, 3], [2, 3], [3]], message: 'target to have shape [2] but received [3]' },
    { x: [[2, 3], [2, 3], [2]], args: [{ margin: '1' }], message: 'margin to be a number' },
    { x: [[], [], []], message: 'at least 1 dimension' },
  ],
})

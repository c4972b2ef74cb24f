/** What predictions are compared with to count the correct ones. */

import { shapeText } from '../ops/spec.js'
import type { Tensor } from '../tensor/index.js'

/** The labels themselves; of distributions over the classes, the likeliest class. */
export function labelsOf(prediction: Tensor, target: Tensor): Tensor {
  return shapeText(target.shape) === shapeText(prediction.shape) ? target.argmax(1) : target
}

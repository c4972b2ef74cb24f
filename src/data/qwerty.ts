/** The data set of the learning-rate lecture. */

import { RandomState } from '../streams/random_state.js'
import { Tensor } from '../tensor/tensor.js'

const CENTRES = [
  [2, 1],
  [-2, 1],
  [0, -3],
]
const ROWS = 300
const IDENTITY = [
  [1, 0],
  [0, 1],
]

/**
 * Three normal clouds in the plane, 300 points each: X: [900, 2] float32, y: [900] int32 (0, 1, 2, in this order).
 *
 * ```ts
 * const { X, y } = data.qwerty()
 * ```
 * Class c is `RandomState(42).multivariate_normal(centre_c, identity, 300)`, centres (2, 1), (-2, 1), (0, -3), drawn from
 * one stream and rounded to float32: the same values on every machine, equal to NumPy's.
 */
export function qwerty(): { X: Tensor; y: Tensor } {
  const rs = new RandomState(42)
  const X = new Float32Array(CENTRES.length * ROWS * 2)
  const y = new Int32Array(CENTRES.length * ROWS)
  CENTRES.forEach((centre, c) => {
    X.set(rs.multivariateNormal(centre, IDENTITY, ROWS), c * ROWS * 2)
    y.fill(c, c * ROWS, (c + 1) * ROWS)
  })
  return { X: new Tensor([y.length, 2], 'float32', X), y: new Tensor([y.length], 'int32', y) }
}

/** Normalisation of groups of channels. */

import { checkInt, checkNumber, checkOptions } from '../../base/check.js'
import { rangeError, shapeError } from '../../base/errors.js'
import { isSameShape, shapeText, sizeOf } from '../../ops/spec.js'
import { checkTensor, type Tensor } from '../tensor.js'
import { compose } from './composed.js'

/** Options of `groupNorm`. */
export interface GroupNormOptions {
  /** Scale and shift of each channel: [channels]. Default 1 and 0. */
  weight?: Tensor | null
  bias?: Tensor | null
  /** Added to the variance. Default 1e-5. */
  eps?: number
}

/** Refuses groups that do not divide the channels. Returns their number. */
export function checkGroups(where: string, groups: unknown, channels: number): number {
  const count = checkInt(where, 'numGroups', groups, { min: 1 })
  if (channels % count !== 0) throw rangeError(where, `numGroups to divide ${channels} channels`, count)
  return count
}

/** A number for each channel, as wide as x wants it. */
function perChannel(name: string, values: Tensor, [, channels, ...rest]: readonly number[]): Tensor {
  if (!isSameShape(checkTensor('groupNorm', name, values).shape, [channels]))
    throw shapeError('groupNorm', `${name} to have shape [${channels}]`, shapeText(values.shape))
  return values.reshape([channels, ...rest.map(() => 1)])
}

/**
 * Each of `numGroups` groups of neighbouring channels, dimension 1 of x [rows, channels, …], with mean 0 and variance 1; then
 * `·weight + bias` by channel; `{ weight, bias, eps }`. Source: Wu and He (2018); torch.nn.functional.group_norm.
 */
export const groupNorm = compose({
  name: 'groupNorm',
  call(x: Tensor, numGroups: number, options: GroupNormOptions = {}): Tensor {
    const { weight = null, bias = null, eps = 1e-5 } = checkOptions('groupNorm', options, ['weight', 'bias', 'eps'])
    checkNumber('groupNorm', 'eps', eps, { min: 0 })
    const { shape } = checkTensor('groupNorm', 'x', x)
    if (shape.length < 2) throw shapeError('groupNorm', 'x to have at least 2 dimensions', shapeText(shape))
    const groups = checkGroups('groupNorm', numGroups, shape[1])
    const width = sizeOf(shape.slice(1)) / groups
    if (width === 0) throw shapeError('groupNorm', 'x to have values in each group', shapeText(shape))
    const normal = x
      .reshape([shape[0] * groups, width])
      .layerNorm(width, { eps })
      .reshape(shape)
    const scaled = weight === null ? normal : normal.mul(perChannel('weight', weight, shape))
    return bias === null ? scaled : scaled.add(perChannel('bias', bias, shape))
  },
  samples: () => [
    { x: [[2, 6]], args: [3, { eps: 0.01 }] },
    { x: [[2, 4, 2]], args: [2, { weight: { parameter: [4] }, bias: { parameter: [4] } }] },
    { x: [[0, 4]], args: [2] },
  ],
  badSamples: () => [
    { x: [[2, 4]], args: [3], message: 'numGroups to divide 4 channels but received 3' },
    { x: [[4]], args: [2], message: 'x to have at least 2 dimensions' },
    { x: [[2, 4]], args: [2, { bias: { parameter: [2] } }], message: 'bias to have shape [4] but received [2]' },
    { x: [[2, 4]], args: [0], message: 'numGroups to be' },
  ],
})

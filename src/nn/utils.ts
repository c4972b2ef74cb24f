/** Gradient clipping for loops of one's own; `fit` takes `clipGradNorm`. */

import { checkIterable, checkNumber } from '../base/check.js'
import { emitClipNorm } from '../ops/clip.js'
import { checkAttached, checkTensor, type Tensor } from '../tensor/index.js'
import { currentEmitter } from '../tensor/tape.js'

function gradients(where: string, parameters: Iterable<Tensor>): Tensor[] {
  const found: Tensor[] = []
  for (const item of checkIterable(where, 'parameters', parameters)) {
    const { grad } = checkTensor(where, 'each of parameters', item)
    if (grad) checkAttached(where, grad, 'a gradient')
    if (grad) found.push(grad)
  }
  return found
}

/**
 * Scales all gradients together so that their total L2 norm is at most `maxNorm`: `g *= min(1, maxNorm / (norm + 1e-6))`.
 *
 * ```ts
 * loss.forward(model.forward(x), y).backward()
 * const norm = nn.utils.clipGradNorm(model.parameters(), 1)
 * optimizer.step()
 * ```
 * Returns the norm before; parameters without a gradient are passed over. Throws TypeError or RangeError unless
 * `maxNorm` is a number from 0. Source: torch.nn.utils.clip_grad_norm_.
 */
export function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number): number {
  checkNumber('clipGradNorm', 'maxNorm', maxNorm, { min: 0, max: Infinity })
  const squares = emitClipNorm(currentEmitter(), gradients('clipGradNorm', parameters), maxNorm) as Float64Array
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0))
}

/**
 * Limits every element of every gradient to [-clipValue, clipValue]: `g = min(max(g, -clipValue), clipValue)`.
 *
 * ```ts
 * loss.forward(model.forward(x), y).backward()
 * nn.utils.clipGradValue(model.parameters(), 0.5)
 * optimizer.step()
 * ```
 * Throws TypeError or RangeError unless `clipValue` is a number from 0. Source: torch.nn.utils.clip_grad_value_.
 */
export function clipGradValue(parameters: Iterable<Tensor>, clipValue: number): void {
  checkNumber('clipGradValue', 'clipValue', clipValue, { min: 0, max: Infinity })
  const { kernels } = currentEmitter()
  for (const { buf, size } of gradients('clipGradValue', parameters))
    kernels.clamp_fwd({ x: buf, y: buf, n: size, low: -clipValue, high: clipValue })
}

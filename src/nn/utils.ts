/** Gradient clipping. */

import { checkNumber } from '../base/check.js'
import { emitClipNorm } from '../ops/clip.js'
import type { Tensor } from '../tensor/index.js'
import { currentEmitter } from '../tensor/tape.js'

function gradients(parameters: Iterable<Tensor>): Tensor[] {
  return [...parameters].flatMap(p => (p.grad ? [p.grad] : []))
}

/**
 * Scales all gradients together so that their total L2 norm is at most `maxNorm`: `g *= min(1, maxNorm / (norm + 1e-6))`.
 * Returns the norm before. Source: torch.nn.utils.clip_grad_norm_.
 */
export function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number): number {
  checkNumber('clipGradNorm', 'maxNorm', maxNorm, { min: 0, max: Infinity })
  const squares = emitClipNorm(currentEmitter(), gradients(parameters), maxNorm) as Float64Array
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0))
}

/** Limits every element of every gradient to [-clipValue, clipValue]. Source: torch.nn.utils.clip_grad_value_. */
export function clipGradValue(parameters: Iterable<Tensor>, clipValue: number): void {
  checkNumber('clipGradValue', 'clipValue', clipValue, { min: 0, max: Infinity })
  const { clamp } = currentEmitter().kernels
  for (const { buf, size } of gradients(parameters)) clamp(buf, buf, size, -clipValue, clipValue)
}

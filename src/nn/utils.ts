/** Gradient clipping. */

import { nativeEmitter } from '../backends/native.js'
import { checkNumber } from '../base/check.js'
import type { Tensor } from '../tensor/index.js'

function gradients(parameters: Iterable<Tensor>): Tensor[] {
  return [...parameters].flatMap(p => (p.grad ? [p.grad] : []))
}

/**
 * Scales all gradients together so that their total L2 norm is at most `maxNorm`: `g *= min(1, maxNorm / (norm + 1e-6))`.
 * Returns the norm before. Source: torch.nn.utils.clip_grad_norm_.
 */
export function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number): number {
  checkNumber('clipGradNorm', 'maxNorm', maxNorm, { min: 0, max: Infinity })
  const grads = gradients(parameters)
  let squares = 0
  for (const { buf, size } of grads) {
    const sum = new Float64Array(1)
    nativeEmitter.kernels.sum_squares(buf, sum, size)
    squares += sum[0]
  }
  const norm = Math.sqrt(squares)
  const scale = Math.min(1, maxNorm / (norm + 1e-6))
  for (const { buf, size } of grads) nativeEmitter.kernels.mul_scalar(buf, buf, size, scale)
  return norm
}

/** Limits every element of every gradient to [-clipValue, clipValue]. Source: torch.nn.utils.clip_grad_value_. */
export function clipGradValue(parameters: Iterable<Tensor>, clipValue: number): void {
  checkNumber('clipGradValue', 'clipValue', clipValue, { min: 0, max: Infinity })
  for (const { buf, size } of gradients(parameters)) nativeEmitter.kernels.clamp(buf, buf, size, -clipValue, clipValue)
}

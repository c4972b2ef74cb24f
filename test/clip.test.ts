import { describe, expect, it } from 'vitest'
import { nn, type Tensor, tensor } from '../src/index.js'

/** Parameters with these gradients. */
function withGradients(...grads: number[][]): Tensor[] {
  return grads.map(grad => {
    const p = tensor(grad.map(() => 1))
    p.requiresGrad = true
    p.grad = tensor(grad)
    return p
  })
}

const gradientsOf = (parameters: Tensor[]) => parameters.map(p => p.grad && [...p.grad.data])

describe('nn.utils.clipGradNorm', () => {
  it('scales all gradients together and returns the norm before', () => {
    const parameters = withGradients([3, 0], [0, 4])
    expect(nn.utils.clipGradNorm(parameters, 1)).toBe(5)
    const scale = Math.fround(1 / (5 + 1e-6))
    expect(gradientsOf(parameters)).toEqual([
      [Math.fround(3 * scale), 0],
      [0, Math.fround(4 * scale)],
    ])
  })

  it('leaves small ones alone, and parameters without any', () => {
    const parameters = [...withGradients([0.25, -0.5]), tensor([1])]
    expect(nn.utils.clipGradNorm(parameters, 1)).toBeCloseTo(Math.hypot(0.25, 0.5), 12)
    expect(gradientsOf(parameters)).toEqual([[0.25, -0.5], null])
  })
})

describe('nn.utils.clipGradValue', () => {
  it('limits every element', () => {
    const parameters = withGradients([3, -0.25, Number.NaN], [-4])
    nn.utils.clipGradValue(parameters, 0.5)
    expect(gradientsOf(parameters)).toEqual([[0.5, -0.25, Number.NaN], [-0.5]])
  })
})

it.each(['clipGradNorm', 'clipGradValue'] as const)('nn.utils.%s refuses what is no number from 0', name => {
  expect(() => nn.utils[name](withGradients([1]), -1)).toThrow(RangeError)
  expect(() => nn.utils[name](withGradients([1]), Number.NaN)).toThrow(RangeError)
  expect(() => nn.utils[name](withGradients([1]), '1' as never)).toThrow(TypeError)
})

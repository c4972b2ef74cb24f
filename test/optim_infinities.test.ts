/** Where weights or gradients are infinite or NaN, the float64 twin of every update gives what its kernel gives. */

import { describe, expect, it } from 'vitest'
import { tensor } from '../src/tensor/index.js'
import { InFloat64, variants } from './helpers/optimizers.js'

const special = [Infinity, -Infinity, NaN, 0, 1, -2]
const weights = special.flatMap(p => special.map(() => p))
const gradients = special.flatMap(() => special)

const kindOf = (x: number) => (Number.isFinite(x) ? 'finite' : String(x))

describe('infinities', () => {
  it.each(variants)('$title', ({ make }) => {
    const p = tensor(Float32Array.from(weights), { shape: [6, 6], requiresGrad: true })
    const optimizer = make([p])
    const twin = new InFloat64(optimizer, [weights])
    for (const sign of [1, -1, 1]) {
      const g = gradients.map(value => sign * value)
      p.grad = tensor(Float32Array.from(g), { shape: [6, 6] })
      optimizer.step()
      twin.step([g])
      const said = (kinds: string[]) => kinds.map((kind, i) => `p ${weights[i]}, g ${g[i]}: ${kind}`)
      expect(said([...twin.values[0]].map(kindOf))).toEqual(said([...p.data].map(kindOf)))
    }
  })
})

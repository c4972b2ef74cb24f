/** Random streams: PyTorch's and NumPy's. */

export { defaultGenerator, Generator, manualSeed } from './generator.js'
export type { Seed } from './native.js'
export { RandomState, type RandomStateData } from './random_state.js'

/** Random streams: PyTorch's and NumPy's. */

export type { Seed } from '../native/random.js'
export { defaultGenerator, Generator, manualSeed } from './generator.js'
export { RandomState, type RandomStateData } from './random_state.js'

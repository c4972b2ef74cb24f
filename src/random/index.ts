/** The public `random` namespace: the streams, and tensors drawn from them. */

export * from '../streams/index.js'
export { rand, randint, randn, randperm, type SamplingOptions } from './sampling.js'

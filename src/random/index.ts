/**
 * The public `random` namespace: the streams, and tensors drawn from them.
 *
 * A fit that draws from the global generator (a loader without a generator, dropout) has its stream to itself, and leaves it
 * as the explicit loop would. Others may draw from the global generator meanwhile: they get a fork, a stream that is decided
 * by where the global one was (MT19937 seeded by the low 32 bits of SplitMix64 of its next 64 bits) and is the same in every
 * run of a program that does so at the same place. `manualSeed` during a fit chooses the stream for others from then on, and
 * it stays after the fit. Callbacks draw from the fit's stream. A generator of one's own that a fit holds is ERR_BUSY.
 */

export * from '../streams/index.js'
export { rand, randint, randn, randperm, type SamplingOptions } from './sampling.js'

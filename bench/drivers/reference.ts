/**
 * The eager loop on the float64 twins in TypeScript: what the native kernels are tested against, written for simplicity.
 * No contender for speed; its check shows that the others compute the right thing.
 */
import { optim, tensor } from 'anneal'
import type { StepTrial } from '../trials.js'
import { readRequest } from './driver.js'
import { type Inside, measureSteps } from './eager_loop.js'
import { internal } from './internal.js'

const { withEmitter } = await internal<{ withEmitter<T>(emitter: unknown, fn: () => T): T }>('tensor/tape.js')
const { referenceEmitter } = await internal<{ referenceEmitter(twins: object): unknown }>('emitters/reference.js')
const { opTwins } = await internal<{ opTwins: object }>('ops/twins.js')

const { trial, seconds } = readRequest<StepTrial>()
const Optimizer = trial.optimizer.name === 'adam' ? optim.Adam : optim.SGD
const { rule } = new Optimizer([tensor([0], { requiresGrad: true })], {}) as unknown as { rule: { reference: object } }
const reference = referenceEmitter({ ...opTwins, ...rule.reference })
const inside: Inside = fn => withEmitter(reference, fn)
await measureSteps(trial, seconds, inside)

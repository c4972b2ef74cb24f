/** Optimizers under PyTorch's names: one export line each. */

export { Adam, type AdamOptions, AdamW } from './adam.js'
export { Optimizer, type ParamGroup, type Params } from './optimizer.js'
export { SGD, type SGDOptions } from './sgd.js'
export type { OptimizerStateDict } from './state_dict.js'

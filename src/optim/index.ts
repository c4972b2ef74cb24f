/** Optimizers under PyTorch's names: one export line each. */

export { Adadelta, type AdadeltaOptions } from './adadelta.js'
export { Adagrad, type AdagradOptions } from './adagrad.js'
export { Adam, type AdamOptions, AdamW } from './adam.js'
export { Adamax, type AdamaxOptions } from './adamax.js'
export { AdamWScheduleFree, type AdamWScheduleFreeOptions } from './adamw_schedule_free.js'
export { ASGD, type ASGDOptions } from './asgd.js'
export {
  AveragedModel,
  type AveragedModelOptions,
  type AvgFn,
  getEmaAvgFn,
  getEmaMultiAvgFn,
  getSwaMultiAvgFn,
  type MultiAvgFn,
} from './averaged_model.js'
export { LBFGS, type LBFGSOptions } from './lbfgs.js'
export { Lion, type LionOptions } from './lion.js'
export { Muon, type MuonOptions } from './muon.js'
export { NAdam, type NAdamOptions } from './nadam.js'
export { Optimizer, type ParamGroup, type Params } from './optimizer.js'
export { RAdam, type RAdamOptions } from './radam.js'
export { RMSprop, type RMSpropOptions } from './rmsprop.js'
export { Rprop, type RpropOptions } from './rprop.js'
export { ScheduleFree } from './schedule_free.js'
export { SGD, type SGDOptions } from './sgd.js'
export { SGDScheduleFree, type SGDScheduleFreeOptions } from './sgd_schedule_free.js'
export type { OptimizerStateDict } from './state_dict.js'
export { updateBn } from './update_bn.js'

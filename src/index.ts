/**
 * anneal: trains neural networks on the CPU inside Node.js, PyTorch-shaped, with PyTorch's numbers.
 * The public names; nothing else of the package is public.
 */

export { AnnealError, type ErrorCode } from './base/errors.js'
export * as callbacks from './callbacks/index.js'
export { type Backend, backends, type TfjsKind } from './compare/index.js'
export * as data from './data/index.js'
export * as distributed from './distributed/index.js'
export * as lrScheduler from './lr_scheduler/index.js'
export * as metrics from './metrics/index.js'
export * as io from './models/public_io.js'
export { type Info, info } from './native/info.js'
export * as optim from './optim/index.js'
export * as preprocessing from './preprocessing/index.js'
export * as random from './random/index.js'
export * as report from './report/index.js'
export { noGrad, ops, Tensor, type TensorOptions, tensor } from './tensor/index.js'
export { type CompileOptions, compile, type Plan, type RunOptions } from './train/compile.js'
export {
  type CrossValidateOptions,
  type CrossValidation,
  crossValidate,
  type FoldResult,
  type FoldRun,
} from './train/cross_validate.js'
export { type Evaluation, evaluate, type PredictOptions, predict } from './train/evaluate.js'
export { fit } from './train/fit.js'
export type { FitMetrics, MetricFunction, MetricName } from './train/fit_metrics.js'
export type { FitOptions } from './train/fit_options.js'
export type { EpochEvent, History, ProgressEvent } from './train/history.js'
export type { LrCurve, LrSuggestions } from './train/lr_curve.js'
export { type LrFindOptions, lrFind } from './train/lr_find.js'
export * as nn from './train/public_nn.js'
export type { SweepResult, SweepSetting } from './train/ranking.js'
export type { Shard } from './train/shard.js'
export { sweep } from './train/sweep.js'
export type { RunOutcome, RunParams, SweepOptions, SweepRun } from './train/sweep_options.js'
export type { InputForm } from './train/training_step.js'

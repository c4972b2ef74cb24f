/** Layers and losses under PyTorch's names: one export line each. */

export {
  ELU,
  GELU,
  LeakyReLU,
  LogSoftmax,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  type SoftmaxOptions,
  Softplus,
  Tanh,
} from './activations.js'
export { BatchNorm1d, type BatchNorm1dOptions } from './batch_norm.js'
export { BCELoss, BCEWithLogitsLoss } from './binary_losses.js'
export { CrossEntropyLoss } from './cross_entropy_loss.js'
export { Dropout, type DropoutOptions } from './dropout.js'
export { Embedding, type EmbeddingOptions } from './embedding.js'
export { Flatten, type FlattenOptions } from './flatten.js'
export { Identity } from './identity.js'
export * as init from './init.js'
export { LayerNorm, type LayerNormOptions } from './layer_norm.js'
export { Linear, type LinearOptions } from './linear.js'
export { Loss } from './loss.js'
export { Module, Parameter, type StateDict } from './module.js'
export { NLLLoss } from './nll_loss.js'
export { HuberLoss, L1Loss, MSELoss, SmoothL1Loss } from './regression_losses.js'
export { Sequential } from './sequential.js'
export * as utils from './utils.js'

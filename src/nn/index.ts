/** Layers and losses under PyTorch's names: one export line each. */

export {
  ELU,
  GELU,
  Hardtanh,
  LeakyReLU,
  LogSoftmax,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  type SoftmaxOptions,
  Softplus,
  Softsign,
  Tanh,
} from './activations.js'
export { BatchNorm1d, type BatchNorm1dOptions } from './batch_norm.js'
export { Bilinear, type BilinearOptions } from './bilinear.js'
export { BCELoss, BCEWithLogitsLoss } from './binary_losses.js'
export { CosineEmbeddingLoss, GaussianNLLLoss, MarginRankingLoss, TripletMarginLoss } from './comparing_losses.js'
export { CosineSimilarity, type CosineSimilarityOptions } from './cosine_similarity.js'
export { CrossEntropyLoss } from './cross_entropy_loss.js'
export { Dropout, type DropoutOptions } from './dropout.js'
export { Embedding, type EmbeddingOptions } from './embedding.js'
export { EmbeddingBag, type EmbeddingBagLayerOptions } from './embedding_bag.js'
export { Flatten, type FlattenOptions } from './flatten.js'
export { GroupNorm, type GroupNormOptions } from './group_norm.js'
export { Identity } from './identity.js'
export * as init from './init.js'
export { LayerNorm, type LayerNormOptions } from './layer_norm.js'
export { KLDivLoss, MultiLabelSoftMarginLoss, PoissonNLLLoss } from './likelihood_losses.js'
export { Linear, type LinearOptions } from './linear.js'
export { Loss } from './loss.js'
export { Module, Parameter, type StateDict } from './module.js'
export { NLLLoss } from './nll_loss.js'
export { PReLU, type PReLUOptions } from './prelu.js'
export { HuberLoss, L1Loss, MSELoss, SmoothL1Loss } from './regression_losses.js'
export { RMSNorm, type RMSNormOptions } from './rms_norm.js'
export { Sequential } from './sequential.js'
export * as utils from './utils.js'

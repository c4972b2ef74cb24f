/** Layers and losses under PyTorch's names: one export line each. */

export { BatchNorm1d, type BatchNorm1dOptions } from './batch_norm.js'
export { CrossEntropyLoss } from './cross_entropy_loss.js'
export { Dropout, type DropoutOptions } from './dropout.js'
export { Embedding, type EmbeddingOptions } from './embedding.js'
export { LayerNorm, type LayerNormOptions } from './layer_norm.js'
export { Linear, type LinearOptions } from './linear.js'
export { Loss } from './loss.js'
export { Module, Parameter, type StateDict } from './module.js'
export { ReLU } from './relu.js'
export { Sequential } from './sequential.js'

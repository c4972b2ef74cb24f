/** Layers and losses under PyTorch's names: one export line each. */

export { CrossEntropyLoss } from './cross_entropy_loss.js'
export { Linear, type LinearOptions } from './linear.js'
export { Loss } from './loss.js'
export { Module, Parameter, type StateDict } from './module.js'
export { ReLU } from './relu.js'
export { Sequential } from './sequential.js'

/** Tensors and the eager tape. */

export { noGrad } from './tape.js'
export { ops, Tensor, type TensorOptions, tensor } from './tensor.js'

/** Tensors and the eager tape. */

export { ops } from './methods.js'
export { noGrad } from './tape.js'
export { Tensor, type TensorOptions, tensor } from './tensor.js'

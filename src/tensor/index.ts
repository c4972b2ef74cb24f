/** Tensors and the eager tape. */

export { ops } from './methods.js'
export { tensorFrom } from './plain.js'
export { noGrad } from './tape.js'
export {
  checkAttached,
  checkTensor,
  Tensor,
  type TensorJSON,
  type TensorOptions,
  tensor,
  writableData,
} from './tensor.js'

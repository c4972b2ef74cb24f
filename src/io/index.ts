/** Files of tensors. */

export {
  type LoadSafetensorsOptions,
  loadSafetensors,
  type Safetensors,
  type SaveSafetensorsOptions,
  saveSafetensors,
  type TensorMap,
} from './safetensors.js'

/** Whole models as files, and what they predict as ONNX. */

export { type Loaded, type LoadOptions, load } from './load.js'
export { type ExportOnnxOptions, exportOnnx, type OnnxShape } from './onnx/export.js'
export { type SaveOptions, save } from './save.js'

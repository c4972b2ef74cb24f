/** The public `io`: files of tensors and of whole models. */

export * from '../io/index.js'
export * from './index.js'

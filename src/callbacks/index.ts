/** The callbacks of `fit`, one export each. */

export {
  type Callback,
  type EarlyStoppingOptions,
  earlyStopping,
  failOnNaN,
} from '../train/callbacks.js'
export { type CheckpointOptions, checkpoint } from './checkpoint.js'
export { type LiveView, type LiveViewOptions, liveView } from './live_view/live_view.js'
export { type TensorBoardOptions, tensorBoard } from './tensor_board.js'

/** The public names of `lrScheduler`. */

export { fromJSON } from './from_json.js'
export * from './schedules.js'

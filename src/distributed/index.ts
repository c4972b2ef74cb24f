/** `distributed`: training on several processes and machines, over MPI. */

export { type InitOptions, init } from './init.js'
export type { World } from './world.js'

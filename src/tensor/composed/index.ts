/** The registry of functions composed of ops: one export line each. Methods of tensors, `ops.*` and tests are made from it. */

export { bmm } from './bmm.js'
export { chunk } from './chunk.js'
export { logsumexp } from './logsumexp.js'
export { max } from './max.js'
export { min } from './min.js'
export { norm } from './norm.js'
export { outer } from './outer.js'
export { split } from './split.js'
export { std } from './std.js'
export { variance as var } from './var.js'

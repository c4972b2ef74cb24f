/** The float64 twins of all kernels that ops bring, by kernel name. */

import type { Twins } from '../emitters/emitter.js'
import { reference as broadcasting } from './broadcast.js'
import { reference as clipping } from './clip.js'
import * as registry from './index.js'
import { reference as places } from './places.js'
import type { OpSpec } from './spec.js'

export const opTwins: Twins = Object.assign(
  {},
  broadcasting,
  clipping,
  places,
  ...Object.values(registry).map(spec => (spec as OpSpec).reference ?? {}),
)

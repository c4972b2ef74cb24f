/** The largest element, along a dimension with its index. */

import { composeExtreme } from './extreme.js'

/**
 * Without `dim` the largest element, whose gradient equal ones share; along `dim` `{ values, indices }`, where the first of
 * equal ones gets it all; with another tensor `maximum`. NaN is both largest and smallest. Source: torch.max.
 */
export const max = composeExtreme({ name: 'max', ofAll: 'amax', ofTwo: 'maximum', index: 'argmax' })

/** The smallest element, along a dimension with its index. */

import { composeExtreme } from './extreme.js'

/**
 * Without `dim` the smallest element, whose gradient equal ones share; along `dim` `{ values, indices }`, where the first of
 * equal ones gets it all; with another tensor `minimum`. NaN is both largest and smallest. Source: torch.min.
 */
export const min = composeExtreme({ name: 'min', ofAll: 'amin', ofTwo: 'minimum', index: 'argmin' })

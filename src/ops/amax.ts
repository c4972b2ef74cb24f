/** The largest element over dimensions. */

import { defineExtreme } from './extreme.js'

/**
 * Largest element over `dim` (a number or several; all by default), `{ keepdim }` keeps them as 1; NaN where there is one. Equal
 * ones share the gradient evenly. Throws ERR_EMPTY where there is none. Source: torch.amax.
 */
export const amax = defineExtreme('amax', 'max_rows', (a, b) => Math.max(a, b), 'ReduceMax')

/** The smallest element over dimensions. */

import { defineExtreme } from './extreme.js'

/**
 * Smallest element over `dim` (a number or several; all by default), `{ keepdim }` keeps them as 1; NaN where there is one. Equal
 * ones share the gradient evenly. Throws ERR_EMPTY where there is none. Source: torch.amin.
 */
export const amin = defineExtreme('amin', 'min_rows', (a, b) => Math.min(a, b), 'ReduceMin')

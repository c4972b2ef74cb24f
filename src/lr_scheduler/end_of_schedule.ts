/** EndOfSchedule: the error of a step that a schedule has no value for. Not here: any other error (base/errors.ts). */

import { phrase } from '../base/errors.js'

/** A RangeError that a preview recognises: past it the last value stands. */
export class EndOfSchedule extends RangeError {
  readonly code = 'ERR_ARG_VALUE'

  constructor(where: string, expected: string, received: unknown) {
    super(phrase(where, expected, received))
  }
}

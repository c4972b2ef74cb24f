/** What can be validated: a kernel, an optimizer's update, a training run. One file per kind; the list is in run.ts. */

import type { Backend } from '../backend.js'
import type { Verdict } from './judge.js'

/** One random case: everything follows from its seed. */
export interface Case {
  /** Null where the backend does not have these options. */
  check(backend: Backend): Verdict | null
}

export interface Subject {
  /** What `--kernel` calls it. */
  readonly name: string
  /** Always as many cases as this, whatever was asked for. */
  readonly cases?: number
  has(backend: Backend): boolean
  draw(seed: number): Case
}

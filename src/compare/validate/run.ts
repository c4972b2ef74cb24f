/** The validation: every subject on every backend, many cases, one line each. Not here: the command line (cli/). */

import type { Backend } from '../backend.js'
import { noVerdict, type Verdict } from './judge.js'
import { kernelSubjects } from './kernels.js'
import type { Subject } from './subject.js'
import { trainingSubjects } from './training.js'
import { updateSubjects } from './updates.js'

/** Everything that is validated, by the names that `--kernel` takes. */
export const subjects: readonly Subject[] = [...kernelSubjects, ...updateSubjects, ...trainingSubjects()]

/** What became of one subject on one backend. */
export interface Outcome {
  readonly subject: string
  readonly backend: string
  /** Cases that were compared: those whose options the backend has. */
  cases: number
  failures: number
  /** Of each case the largest error in ulps (judge.ts). */
  readonly ulps: number[]
  /** The largest error as a share of the bound, and where it was. */
  share: number
  worst: string
  /** A command that repeats the first failure alone. */
  reproducer?: string
}

function record(outcome: Outcome, verdict: Verdict, seed: number): void {
  outcome.cases++
  outcome.ulps.push(verdict.ulps)
  if (verdict.share > outcome.share) Object.assign(outcome, { share: verdict.share, worst: verdict.worst })
  if (verdict.share <= 1) return
  outcome.failures++
  outcome.reproducer ??= `anneal validate --backend ${outcome.backend} --kernel ${outcome.subject} --cases 1 --seed ${seed}`
}

/** Cases of one subject on all backends; case i has seed + i, so that one can be repeated alone. */
export function validateSubject(
  subject: Subject,
  backends: readonly Backend[],
  cases: number,
  seed: number,
): Outcome[] {
  const able = backends.filter(backend => subject.has(backend))
  const outcomes = able.map(({ name }): Outcome => {
    return { subject: subject.name, backend: name, cases: 0, failures: 0, ...noVerdict(), ulps: [] }
  })
  const count = Math.min(cases, subject.cases ?? cases)
  for (let i = 0; i < count; i++) {
    const drawn = subject.draw(seed + i)
    able.forEach((backend, k) => {
      const verdict = drawn.check(backend)
      if (verdict) record(outcomes[k], verdict, seed + i)
    })
  }
  return outcomes
}

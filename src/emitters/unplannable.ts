/** What a plan cannot express, told while a model is recorded. Not here: who finds out. */

let first: Unplannable | null = null

/** Thrown while recording where a model does what a plan cannot express; the message is the reason. */
export class Unplannable extends Error {
  constructor(reason: string) {
    super(reason)
    first ??= this
  }
}

/** For what need not end the recording at once. */
export function noteUnplannable(reason: string): void {
  void new Unplannable(reason)
}

/** Runs `record`. The first Unplannable is thrown, also where the model caught it and went on, or threw something else. */
export function throwingUnplannable<T>(record: () => T): T {
  first = null
  try {
    const result = record()
    if (first) throw first
    return result
  } catch (error) {
    throw first ?? error
  } finally {
    first = null
  }
}

/** Whether anybody may draw random numbers at the moment. Not here: whether a certain generator is free (generator.ts). */

let refusal: (() => Error) | null = null

/** Runs `fn`, in which every use of a generator throws what `refuse` gives, before anything is drawn. */
export function refusingDraws<T>(refuse: () => Error, fn: () => T): T {
  const before = refusal
  refusal = refuse
  try {
    return fn()
  } finally {
    refusal = before
  }
}

export function checkDraw(): void {
  if (refusal) throw refusal()
}

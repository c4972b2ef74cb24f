/**
 * Who is inside of a run: the run itself and its callbacks, with all that they await. They draw from the run's stream and
 * see its tensors as they are; everybody else draws from the stream outside and sees what is published. Not here: the
 * streams (place.ts), the tensors (hold.ts).
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { Place } from './place.js'

/** What the default generator draws from outside of all runs. */
const outside = new Place()

/** The scope of the code that runs at the moment, between two pauses of its run. */
let running: Scope | null = null
/** That of code which a callback has awaited. */
const awaited = new AsyncLocalStorage<Scope>()

export class Scope {
  readonly #parent = currentScope()
  #over = false

  /** `place`: what the default generator draws from inside; the surrounding one, unless given. */
  constructor(readonly place: Place = currentPlace()) {}

  /** Runs `fn` inside. */
  run<T>(fn: () => T): T {
    const before = running
    running = this
    try {
      return fn()
    } finally {
      running = before
    }
  }

  /** Runs `fn` inside, and all that it awaits. */
  runAwaited<T>(fn: () => T): T {
    return this.run(() => awaited.run(this, fn))
  }

  /** Whoever is still inside is outside from now on. */
  end(): void {
    this.#over = true
  }

  /** Whether who asks is inside. */
  get isCurrent(): boolean {
    for (let scope = currentScope(); scope; scope = scope.#parent) if (scope === this) return true
    return false
  }

  /** This scope, or the nearest around it that is not over. */
  get alive(): Scope | null {
    return this.#over ? (this.#parent?.alive ?? null) : this
  }
}

function currentScope(): Scope | null {
  return (running ?? awaited.getStore())?.alive ?? null
}

/** The place that the default generator draws from for who asks. */
export function currentPlace(): Place {
  return currentScope()?.place ?? outside
}

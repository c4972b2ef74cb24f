/**
 * One algorithm, two ways to run it: a generator that yields where it would wait. `driveAsync` waits there, so that the
 * event loop goes on; `driveSync` does not leave the thread. Not here: what the algorithm does.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { typeError } from './errors.js'

/** Yielded where the event loop may run: `yield toEventLoop`. */
export const toEventLoop = Symbol('yield to the event loop')

/** What an algorithm yields: to the event loop, or a value that may be a promise; the generator receives it settled. */
export type Pause = typeof toEventLoop | unknown

export type Steps<T> = Generator<Pause, T, unknown>

/** A value now, or a promise of it. */
export type Eventually<T> = T | Promise<T>

/** Within an algorithm: waits for a value that may be a promise. */
export function* settled<T>(value: Eventually<T>): Steps<T> {
  return (yield value) as T
}

/** Passes on what `steps` yields, each stretch from one pause to the next run by `around`. */
export function* stretches<T>(steps: Steps<T>, around: <R>(stretch: () => R) => R): Steps<T> {
  let next = around(() => steps.next())
  while (!next.done) {
    let value: unknown
    try {
      value = yield next.value
    } catch (error) {
      next = around(() => steps.throw(error))
      continue
    }
    next = around(() => steps.next(value))
  }
  return next.value
}

/** Milliseconds that an algorithm may hold the event loop between two yields; at 2 the smallest nets lose 3 %. */
export const HOLD_MS = 4

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Promise<unknown> | null)?.then === 'function'
}

/** Lets the event loop go round: from polling one turn leads to the immediates alone, the second by way of the timers. */
async function letOthersRun(): Promise<void> {
  await nextTurn()
  await nextTurn()
}

/** Runs to the end, waiting at every pause. */
export async function driveAsync<T>(steps: Steps<T>): Promise<T> {
  let last = performance.now()
  let next = steps.next()
  while (!next.done) {
    try {
      if (next.value !== toEventLoop) {
        const value = isPromise(next.value) ? await next.value : next.value
        next = steps.next(value)
      } else {
        if (performance.now() - last > HOLD_MS) {
          await letOthersRun()
          last = performance.now()
        }
        next = steps.next()
      }
    } catch (error) {
      next = steps.throw(error)
    }
  }
  return next.value
}

/** Where the work of an algorithm runs: off the thread where that pays, or here. */
export type Place = 'auto' | 'here'

/** `f` returns a promise and lets the event loop go on; `f.sync` is the same without leaving the thread. */
export interface Both<A extends unknown[], T> {
  (...args: A): Promise<T>
  sync(...args: A): T
}

/** One algorithm as a function and its `sync`. What `steps` throws before it gives any, the function rejects with. */
export function bothWays<A extends unknown[], T>(
  name: string,
  steps: (place: Place, ...args: A) => Steps<T>,
): Both<A, T> {
  const run = async (...args: A) => driveAsync(steps('auto', ...args))
  return Object.assign(run, { sync: (...args: A) => driveSync(`${name}.sync`, steps('here', ...args)) })
}

/** Runs to the end without leaving the thread. Throws TypeError at a promise. */
export function driveSync<T>(where: string, steps: Steps<T>): T {
  let next = steps.next()
  while (!next.done) {
    next = isPromise(next.value)
      ? steps.throw(typeError(where, 'callbacks to be synchronous', next.value))
      : steps.next(next.value)
  }
  return next.value
}

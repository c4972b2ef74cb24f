/**
 * Calls everything that is exported with a hostile value in each place: every position of a valid call, and every option
 * of its options objects. Not a test: what there is to call stands in subjects.ts, the values in hostile_values.ts.
 */

import { writeFileSync } from 'node:fs'
import { hostile, OWN } from './hostile_values.js'

/** A valid call of what is named: its arguments are made anew each time. */
export interface Subject {
  readonly name: string
  readonly call: (args: unknown[]) => unknown
  readonly args: () => unknown[]
  /** How many arguments there can be, where that is more than the valid ones. */
  readonly arity?: number
}

export interface Walk {
  calls: number
  /** Calls that threw what has no code, or took too long. */
  readonly faults: string[]
  /** `name place: values` of all that was accepted. */
  readonly accepted: string[]
}

type Place = { readonly name: string; readonly put: (args: unknown[], value: unknown) => void }

const isOptions = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

function placesOf({ args, arity = 0 }: Subject): Place[] {
  const valid = args()
  const count = Math.max(valid.length, arity)
  const places = Array.from(
    { length: count },
    (_, i): Place => ({ name: `${i}`, put: (list, value) => put(list, i, value) }),
  )
  valid.forEach((given, i) => {
    if (!isOptions(given)) return
    for (const key of Object.keys(given)) {
      places.push({
        name: `${i}.${key}`,
        put: (list, value) => put(list, i, { ...(list[i] as object), [key]: value }),
      })
    }
  })
  return places
}

function put(list: unknown[], i: number, value: unknown): void {
  list[i] = value
}

const LIMIT = 5000

async function fault(call: () => unknown): Promise<string | null | 'accepted'> {
  const start = performance.now()
  try {
    let result = call()
    if (Object.prototype.toString.call(result) === '[object Generator]') result = (result as Iterator<unknown>).next()
    if (result instanceof Promise) await result
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code
    const known = code === OWN || (typeof code === 'string' && /^E[A-Z_]+$/.test(code))
    const length = String((error as Error)?.message).length
    if (!known) return `${(error as Error)?.name}: ${(error as Error)?.message}`.slice(0, 120)
    return length > 1200 && String(code).startsWith('ERR_') ? `a message of ${length} characters` : null
  }
  const took = performance.now() - start
  return took > LIMIT ? `took ${Math.round(took)} ms` : 'accepted'
}

/** Every `stride`-th pair of place and value, from `offset`. ANNEAL_TRACE names a file that says which call was the last. */
export async function walk(subjects: readonly Subject[], stride = 1, offset = 0): Promise<Walk> {
  const result: Walk = { calls: 0, faults: [], accepted: [] }
  let at = offset
  for (const subject of subjects) {
    for (const place of placesOf(subject)) {
      const fine: string[] = []
      if (process.env.ANNEAL_TRACE) writeFileSync(process.env.ANNEAL_TRACE, `${subject.name} ${place.name}`)
      for (const [name, make] of Object.entries(hostile)) {
        if (at++ % stride !== 0) continue
        const args = subject.args()
        place.put(args, make())
        result.calls++
        const found = await fault(() => subject.call(args))
        if (found === 'accepted') fine.push(name)
        else if (found !== null) result.faults.push(`${subject.name} ${place.name} = ${name}: ${found}`)
      }
      if (fine.length > 0) result.accepted.push(`${subject.name} ${place.name}: ${fine.join(', ')}`)
    }
  }
  return result
}

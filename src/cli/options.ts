/** What the commands share: numbers and backends from the command line. */

import { InvalidArgumentError } from 'commander'
import { AnnealError } from '../base/errors.js'
import { type Backend, backends, type TfjsKind } from '../compare/index.js'
import { kinds } from '../compare/tfjs/index.js'

/** Every backend by the name that `--backend` takes. */
export const backendNames: readonly string[] = ['native', 'reference', ...kinds]

/** Where lines go. */
export type Tell = (line: string) => void

/** The option of a command line that sets a property: `--weight-decay` sets `weightDecay`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

/** A parser of integers for commander. */
export function integer(min: number, max: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`)
  }
}

/** A parser of finite numbers for commander. */
export function number({ min = -Infinity, above = -Infinity, below = Infinity }): (text: string) => number {
  const bounds = [
    ...(min > -Infinity ? [`at least ${min}`] : []),
    ...(above > -Infinity ? [`above ${above}`] : []),
    ...(below < Infinity ? [`below ${below}`] : []),
  ]
  return text => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isFinite(value) && value >= min && value > above && value < below) return value
    throw new InvalidArgumentError(`${['Expected a number', bounds.join(' and ')].filter(Boolean).join(' ')}.`)
  }
}

/** A parser of comma-separated names for commander, also of an option given several times. */
export function listOf(known: readonly string[]): (text: string, before?: readonly string[]) => string[] {
  return (text, before = []) => {
    const names = text.split(',').map(name => name.trim())
    const unknown = names.find(name => !known.includes(name))
    if (unknown !== undefined) throw new InvalidArgumentError(`Expected some of ${known.join(', ')}.`)
    return [...new Set([...before, ...names])]
  }
}

async function load(name: string): Promise<Backend> {
  if (name === 'native' || name === 'reference') return backends[name]
  return backends.tfjs(name as TfjsKind)
}

/** What brings all of TensorFlow.js that is compared. */
export const installTfjs = 'npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm @tensorflow/tfjs-node-gpu'

/** Which of all backends are loaded unasked: `node` is `node-gpu` without a GPU, and a process can hold one of them. */
const unasked = backendNames.filter(name => name !== 'node')

/** What to tell of backends that were not loaded: the reason of each, or one line where TensorFlow.js is not installed. */
export function skippedLines(reasons: ReadonlyMap<string, AnnealError>): string[] {
  const names = [...reasons.keys()]
  const installed = names.length < kinds.length - 1 || [...reasons.values()].some(({ code }) => code === 'ERR_BACKEND')
  if (installed) return names.map(name => `skipped: ${name} (${reasons.get(name)?.message})`)
  return [`skipped: ${names.join(', ')} (TensorFlow.js is not installed: ${installTfjs})`]
}

/** Backends that load. One that was asked for by name must; of the others, those that do not are named with the reason. */
export async function loadBackends(asked: readonly string[] | undefined, tell: Tell): Promise<Backend[]> {
  const found: Backend[] = []
  const reasons = new Map<string, AnnealError>()
  for (const name of asked ?? unasked) {
    try {
      found.push(await load(name))
    } catch (error) {
      if (asked || !(error instanceof AnnealError)) throw error
      reasons.set(name, error)
    }
  }
  if (reasons.size) for (const line of skippedLines(reasons)) tell(line)
  return found
}

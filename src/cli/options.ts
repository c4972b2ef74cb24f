/** What the commands share: numbers and backends from the command line. */

import { InvalidArgumentError } from 'commander'
import { AnnealError } from '../base/errors.js'
import { type Backend, backends, type TfjsKind } from '../compare/index.js'
import { kinds } from '../compare/tfjs/index.js'

/** Every backend by the name that `--backend` takes. */
export const backendNames: readonly string[] = ['native', 'reference', ...kinds]

/** A parser of integers for commander. */
export function integer(min: number, max: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`)
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

/** Backends that load. One that was asked for by name must; of the others, those that do not are named with the reason. */
export async function loadBackends(
  asked: readonly string[] | undefined,
  skipped: (name: string, reason: string) => void,
): Promise<Backend[]> {
  const found: Backend[] = []
  for (const name of asked ?? backendNames.filter(name => name !== 'node')) {
    try {
      found.push(await load(name))
    } catch (error) {
      if (asked || !(error instanceof AnnealError)) throw error
      skipped(name, error.message)
    }
  }
  return found
}

/** One line per backend: what it is and what it runs on. */
export function describeBackends(found: readonly Backend[]): string {
  return found
    .map(({ name, version, device, threads, isa }) => {
      return `${name}: ${version}; ${device}; ${threads} ${threads === 1 ? 'thread' : 'threads'}; ${isa}`
    })
    .join('\n')
}

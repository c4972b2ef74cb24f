/**
 * What a model of the library's own layers is made of, to be asked cheaply whether it is still the same: such layers compute
 * from their properties alone. Not here: the values of its tensors, or models with code of their own.
 */

import { isPlainObject } from '../base/kinds.js'
import { isOwnLayer } from '../models/architecture.js'
import type { Module } from '../nn/index.js'

type Properties = Record<string, unknown>

/** An object with what it held. */
interface Held {
  readonly object: Properties
  readonly keys: readonly string[]
  readonly values: readonly unknown[]
  /** Of a module; options have none. */
  readonly forward: unknown
}

function heldBy(object: object): Held {
  const keys = Object.keys(object)
  const properties = object as Properties
  return { object: properties, keys, values: keys.map(key => properties[key]), forward: properties.forward }
}

/** Modes are set for one prediction at a time, and mean nothing to it. */
const isMode = (key: string) => key === 'training'

function isSame({ object, keys, values, forward }: Held): boolean {
  if (object.forward !== forward || Object.keys(object).length !== keys.length) return false
  for (let i = 0; i < keys.length; i++) if (object[keys[i]] !== values[i] && !isMode(keys[i])) return false
  return true
}

export class Structure {
  readonly #held: readonly Held[]

  private constructor(modules: readonly Module[]) {
    const options = modules.flatMap(module => Object.values(module).filter(isPlainObject))
    this.#held = [...modules, ...options].map(heldBy)
  }

  /** Null where a layer has code of its own: what that reads cannot be known. */
  static of(model: Module): Structure | null {
    const modules = model.modules()
    return modules.every(isOwnLayer) ? new Structure(modules) : null
  }

  /** Whether no layer, tensor or option was put in another's place. */
  get isSame(): boolean {
    for (const held of this.#held) if (!isSame(held)) return false
    return true
  }
}

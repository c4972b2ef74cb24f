/**
 * A model's architecture as plain data: its layers by class and constructor arguments, and back. Only the library's own
 * layers can be described; from data only their constructors run. Not here: values and files (save.ts, load.ts).
 */

import { describe } from '../base/errors.js'
import * as nn from '../nn/index.js'
import { withShapesOnly } from '../nn/new_tensors.js'
import type { Tensor } from '../tensor/index.js'

/** A layer: its class, the constructor's arguments (modules among them by number), whether it is in training mode. */
type Layer = readonly [className: string, args: readonly Json[], training: boolean]

/** Numbers that JSON cannot write, and references to layers, are objects with one key. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Layers, each after those it is made of; the last one is the model. */
export interface Architecture {
  readonly modules: readonly Layer[]
  /** Keys of parameters without `requiresGrad`. */
  readonly frozen: readonly string[]
  /** Keys of tensors that are the same as the tensor of an earlier key. */
  readonly tied: Readonly<Record<string, string>>
}

type LayerClass = new (...args: unknown[]) => nn.Module

/** The layers that `nn` exports: the only classes that a file can name. */
const classes: ReadonlyMap<string, LayerClass> = new Map(
  Object.entries(nn).flatMap(([name, value]) => (isLayer(value) ? [[name, value] as const] : [])),
)

function isLayer(value: unknown): value is LayerClass {
  return typeof value === 'function' && value.prototype instanceof nn.Module
}

/** The `forward` of each of them as it came. */
const forwards = new Map([...classes.values()].map(known => [known, known.prototype.forward]))

/** Whether a module is one of the library's layers and computes what that does. */
export function isOwnLayer(module: nn.Module): boolean {
  return forwards.get(module.constructor as LayerClass) === module.forward
}

/** The name under which `nn` exports a module's class; undefined for others. */
const classNameOf = (module: nn.Module) => [...classes].find(([, known]) => known === module.constructor)?.[0]

/** What a model is made of, or null where it is more than the library's layers say of themselves. */
export function architectureOf(model: nn.Module): Architecture | null {
  const layers = layersOf(model)
  if (!layers) return null
  const frozen = model.namedParameters().flatMap(([key, { requiresGrad }]) => (requiresGrad ? [] : [key]))
  const twin = buildLayers(layers)
  return sameForm(model, twin) ? { modules: layers, frozen, tied: tiesOf(model, twin) } : null
}

function layersOf(model: nn.Module): Layer[] | null {
  const layers: Layer[] = []
  const numbers = new Map<nn.Module, number | null>()
  const add = (module: nn.Module): number | null => {
    const known = numbers.get(module)
    if (known !== undefined) return known
    numbers.set(module, null) // a module inside of itself cannot be made from its parts
    const name = classNameOf(module)
    const args = name === undefined ? null : module.constructorArguments()
    const encoded = args && encodeAll(args, add)
    if (!encoded) return null
    numbers.set(module, layers.push([name as string, encoded, module.training]) - 1)
    return layers.length - 1
  }
  return add(model) === null ? null : layers
}

function encodeAll(values: readonly unknown[], add: (module: nn.Module) => number | null): Json[] | null {
  const encoded = values.map(value => encode(value, add))
  return encoded.includes(undefined) ? null : (encoded as Json[])
}

/** A constructor's argument as JSON; undefined where it has no such form. */
function encode(value: unknown, add: (module: nn.Module) => number | null): Json | undefined {
  if (value instanceof nn.Module) {
    const module = add(value)
    return module === null ? undefined : { module }
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : { number: String(value) }
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (Array.isArray(value)) return encodeAll(value, add) ?? undefined
  if (typeof value !== 'object') return undefined
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const items = encodeAll(
    entries.map(([, item]) => item),
    add,
  )
  return items ? Object.fromEntries(entries.map(([key], i) => [key, items[i]])) : undefined
}

/** Whether two models' states have the same keys, shapes and types, in the same order. */
function sameForm(a: nn.Module, b: nn.Module): boolean {
  const form = (model: nn.Module) => JSON.stringify(model.namedState().map(([key, t]) => [key, t.dtype, t.shape]))
  return form(a) === form(b)
}

/** Tensors under several keys that layers made anew from their arguments would not share. */
function tiesOf(model: nn.Module, twin: nn.Module): Record<string, string> {
  const [own, made] = [firstKeys(model), firstKeys(twin)]
  return Object.fromEntries([...own].filter(([key, first]) => made.get(key) !== first))
}

/** Of every key the first one with the same tensor. */
function firstKeys(model: nn.Module): Map<string, string> {
  const first = new Map<Tensor, string>()
  return new Map(
    model.namedState().map(([key, tensor]) => {
      if (!first.has(tensor)) first.set(tensor, key)
      return [key, first.get(tensor) as string]
    }),
  )
}

/** A model of this architecture whose tensors have no values yet. Throws Error in words where it describes none. */
export function buildModel({ modules, frozen, tied }: Architecture): nn.Module {
  const model = buildLayers(modules)
  for (const [key, first] of Object.entries(tied)) {
    const [from, to] = [placeOf(model, first), placeOf(model, key)]
    to.owner[to.property] = from.owner[from.property]
  }
  for (const key of frozen) {
    const { owner, property } = placeOf(model, key)
    owner[property].requiresGrad = false
  }
  return model
}

/** In how many places of a model layers may stand: a shared one counts in each, which doubles with every level. */
const MAX_PLACES = 1e6

function buildLayers(layers: readonly Layer[]): nn.Module {
  const made: nn.Module[] = []
  const places: number[] = []
  for (const [i, [name, args, training]] of layers.entries()) {
    const Class = classes.get(name)
    if (!Class) throw new Error(`modules[${i}]: expected the name of a layer of nn but received ${describe(name)}`)
    places[i] = 1
    const values = args.map(arg =>
      decode(arg, number => {
        places[i] += places[number]
        return made[number]
      }),
    )
    if (places[i] > MAX_PLACES) throw new Error(`modules[${i}]: expected layers in at most ${MAX_PLACES} places`)
    try {
      made.push(withShapesOnly(() => new Class(...values)))
    } catch (error) {
      throw new Error(`modules[${i}]: ${(error as Error).message}`, { cause: error })
    }
    made[i].training = training
  }
  const model = made.at(-1)
  if (!model) throw new Error('modules: expected at least one layer but received none')
  return model
}

/** `layer`: the earlier layer of this number. */
function decode(value: Json, layer: (number: number) => nn.Module | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => decode(item, layer))
  const entries = Object.entries(value)
  const [[key, only] = []] = entries
  if (entries.length === 1 && key === 'number') return Number(only)
  if (entries.length === 1 && key === 'module') {
    const module = layer(only as number)
    if (!module) throw new Error(`module ${describe(only)}: expected the number of an earlier layer`)
    return module
  }
  return Object.fromEntries(entries.map(([name, item]) => [name, decode(item, layer)]))
}

/** The module and the property that a parameter's key names. */
function placeOf(model: nn.Module, key: string): { owner: Record<string, Tensor>; property: string } {
  if (!model.namedState().some(([name]) => name === key))
    throw new Error(`${describe(key)}: expected the key of a tensor of the model`)
  const path = key.split('.')
  const property = path.pop() as string
  const owner = path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], model)
  return { owner: owner as Record<string, Tensor>, property }
}

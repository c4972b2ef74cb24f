/**
 * Module: a tree of layers found by property name, with PyTorch's parameter names and state dict. Not here: any layer.
 */

import { AnnealError, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import { isPlainObject } from '../base/kinds.js'
import { isSameShape, shapeText } from '../ops/spec.js'
import { checkAttached, checkTensor, Tensor, tensorFrom, writableData } from '../tensor/index.js'
import { type Copies, checkCopyable, copyOf } from './clone.js'

/**
 * A tensor that a module trains: it stays a parameter when its gradient is turned off.
 *
 * ```ts
 * class Scaled extends nn.Module {
 *   scale = new nn.Parameter(tensor([1, 1, 1]))
 *   forward(x: Tensor) { return x.mul(this.scale) }
 * }
 * ```
 * Source: torch.nn.Parameter.
 */
export class Parameter extends Tensor {
  constructor(values: Tensor, requiresGrad = true) {
    checkTensor('Parameter', 'values', values)
    super(values.shape, values.dtype, values.buf)
    this.requiresGrad = requiresGrad
  }
}

/** Tensors under PyTorch's keys: `fc1.weight`, `bn.running_mean`. */
export type StateDict = Record<string, Tensor>

/**
 * Base of every layer and model: assign layers and tensors to properties, write `forward`.
 *
 * ```ts
 * class Net extends nn.Module {
 *   fc = new nn.Linear(2, 3)
 *   forward(x: Tensor) { return this.fc.forward(x).relu() }
 * }
 * ```
 * Parameters and tensors with `requiresGrad` are trained, modules (also in arrays) are children; the names are those of
 * the properties.
 * Source: torch.nn.Module.
 */
export abstract class Module {
  /** Whether layers such as Dropout behave as in training. Set by `train()` and `eval()`. */
  training = true
  /** Keys of the state dict by property name. */
  readonly #buffers = new Map<string, string>()

  /** What the module computes from its inputs: the one method that a subclass must write. */
  abstract forward(...inputs: never[]): Tensor

  /**
   * The arguments with which the constructor makes a layer like this one, modules among them; null where the class does
   * not say, as those of users' own. A saved model names its layers by class and arguments.
   */
  constructorArguments(): readonly unknown[] | null {
    return null
  }

  /** Whether forward draws random numbers in training, from the default generator: what trains holds it then. */
  get drawsRandomNumbers(): boolean {
    return false
  }

  /** Rows that a batch must have in training; what trains finds out before the first step. */
  get smallestBatch(): number {
    return 1
  }

  /** Every parameter once, in the order of definition. */
  parameters(): Tensor[] {
    const found = new Set<Tensor>()
    for (const module of this.modules()) {
      for (const [key, value] of module.#tensors()) if (module.#isParameter(key, value)) found.add(value)
    }
    return [...found]
  }

  /** Every parameter once with its name: `['fc1.weight', tensor]`. */
  namedParameters(): [string, Tensor][] {
    const seen = new Set<Tensor>()
    return this.#walk((module, key, value) => module.#isParameter(key, value)).filter(([, tensor]) => {
      const first = !seen.has(tensor)
      seen.add(tensor)
      return first
    })
  }

  /** Tensors that belong to the state but are not trained: `['bn.running_mean', tensor]`. */
  namedBuffers(): [string, Tensor][] {
    return this.#walk((module, key) => module.#buffers.has(key))
  }

  /** @internal Every parameter and buffer once, in one walk. */
  parametersAndBuffers(): Tensor[] {
    const found = new Set<Tensor>()
    for (const module of this.modules()) {
      for (const [key, value] of module.#tensors()) {
        if (module.#buffers.has(key) || module.#isParameter(key, value)) found.add(value)
      }
    }
    return [...found]
  }

  /** Direct children with their property names. */
  namedChildren(): [string, Module][] {
    const found: [string, Module][] = []
    eachChild(this, (child, name) => found.push([name, child]))
    return found
  }

  /** This module and all below it, each once. */
  modules(): Module[] {
    const found = new Set<Module>()
    const add = (module: Module) => {
      if (found.has(module)) return
      found.add(module)
      eachChild(module, add)
    }
    add(this)
    return [...found]
  }

  /**
   * Parameters and buffers by name, sharing memory with the model; while a fit trains it, copies of what it published
   * last. Throws ERR_STATE where two have one name.
   */
  stateDict(): StateDict {
    return Object.fromEntries(this.namedState().map(([name, value]) => [name, value.detach()]))
  }

  /** @internal The same tensors themselves, one that is in several places under each of its names. */
  namedState(): [string, Tensor][] {
    const own = (module: Module, key: string, value: Tensor) =>
      module.#isParameter(key, value) || module.#buffers.has(key)
    const entries = this.#walk(own)
    const names = new Set(entries.map(([name]) => name))
    if (names.size < entries.length) {
      const twice = entries.find(([name], i) => entries.findIndex(([other]) => other === name) < i)![0]
      throw new AnnealError('ERR_STATE', phrase('stateDict', 'a name of its own for each tensor', `${twice} twice`))
    }
    return entries
  }

  /**
   * Copies values from a state dict with the same keys and shapes, as it is, from JSON or from `structuredClone`. All of
   * it is checked before anything is written. Throws ERR_STATE for missing or unknown keys, ERR_SHAPE for a shape that
   * differs, ERR_BUSY while a fit trains the model.
   */
  loadStateDict(state: StateDict): void {
    if (!isPlainObject(state)) throw typeError('loadStateDict', 'a state dict', state)
    const own = Object.fromEntries(this.namedState())
    for (const [key, t] of Object.entries(own)) writableData('loadStateDict', t, key)
    const name = this.constructor.name
    const missing = Object.keys(own).filter(key => !Object.hasOwn(state, key))
    const unknown = Object.keys(state).filter(key => !Object.hasOwn(own, key))
    if (missing.length || unknown.length) {
      const received = `missing [${missing.join(', ')}], unknown [${unknown.join(', ')}]`
      throw new AnnealError('ERR_STATE', phrase('loadStateDict', `the keys of ${name}`, received))
    }
    const values = Object.keys(own).map(key => [own[key].values, checkEntry(key, own[key], state[key]).values] as const)
    for (const [to, from] of values) to.set(from)
  }

  /**
   * A copy that shares no tensor and no layer with this one; gradients stay behind. Arrays, plain objects, maps and sets
   * are copied with it, other objects taken over as they are. A class with private (`#`) members, which only its
   * constructor makes, overrides this. Throws ERR_STATE where it does not. Source: copy.deepcopy of a torch.nn.Module.
   */
  clone(): this {
    return this.#copy(new Map())
  }

  #copy(done: Copies): this {
    checkCopyable(this, Module.prototype)
    // Only this class's constructor runs: the layer's own would draw new weights.
    const copy = Reflect.construct(Module, [], this.constructor as new () => Module) as this
    done.set(this, copy)
    for (const [name, key] of this.#buffers) copy.#buffers.set(name, key)
    const leaf = (value: unknown): unknown => {
      if (value instanceof Tensor) return copyOfTensor(value)
      return value instanceof Module ? value.#copyWithin(done) : value
    }
    for (const [name, value] of Object.entries(this)) {
      const method: unknown = Object.getPrototypeOf(this)[name]
      // A method bound to its object, as `this.forward = this.forward.bind(this)`, is bound to the copy.
      const own =
        typeof value === 'function' && typeof method === 'function' ? method.bind(copy) : copyOf(value, done, leaf)
      Object.assign(copy, { [name]: own })
    }
    return copy
  }

  /** A copy as part of a larger one; a class with a `clone` of its own makes it by that. */
  #copyWithin(done: Copies): Module {
    return this.clone === Module.prototype.clone ? this.#copy(done) : this.clone()
  }

  /** Training mode for this module and all below it. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') throw typeError('train', 'mode to be a boolean', mode)
    for (const module of this.modules()) module.training = mode
    return this
  }

  /** Evaluation mode for this module and all below it. */
  eval(): this {
    return this.train(false)
  }

  /** Turns the gradients of all parameters on or off, as for a frozen backbone. */
  requiresGrad_(value = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = value
    return this
  }

  /** @internal Remembers the mode of this module and all below it; the function returned puts them back. */
  keepModes(): () => void {
    const modes = this.modules().map(module => [module, module.training] as const)
    return () => {
      for (const [module, training] of modes) module.training = training
    }
  }

  /** Drops all gradients: `grad` becomes null. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null
  }

  /** Makes the tensor under property `name` part of the state dict, under `key`, without being trained. */
  protected registerBuffer(name: string, key = name): void {
    if (typeof name !== 'string') throw typeError('registerBuffer', 'name to be a string', name)
    if (typeof key !== 'string') throw typeError('registerBuffer', 'key to be a string', key)
    this.#buffers.set(name, checkName(key))
  }

  #isParameter(key: string, value: Tensor): boolean {
    if (this.#buffers.has(key)) return false
    return value instanceof Parameter || (value.node === null && value.requiresGrad)
  }

  /** The tensors that `keep` chooses, with their names in the state dict. */
  #walk(keep: (module: Module, key: string, value: Tensor) => boolean): [string, Tensor][] {
    const found: [string, Tensor][] = []
    this.#visit((module, key, value, prefix) => {
      if (keep(module, key, value)) found.push([prefix + (module.#buffers.get(key) ?? key), value])
    })
    return found
  }

  /**
   * Calls `f` for every tensor of this module, then for those of the modules below it; a layer in two places twice. What
   * leads back to a module above is not followed.
   */
  #visit(
    f: (module: Module, key: string, value: Tensor, prefix: string) => void,
    prefix = '',
    above = new Set<Module>(),
  ) {
    above.add(this)
    for (const [key, value] of this.#tensors()) f(this, key, value, prefix)
    eachChild(this, (child, name) => {
      if (!above.has(child)) child.#visit(f, `${prefix}${name}.`, above)
    })
    above.delete(this)
  }

  /** Own tensors by property. */
  #tensors(): [string, Tensor][] {
    const found: [string, Tensor][] = []
    for (const key of Object.keys(this)) {
      const value: unknown = this[key as keyof this]
      if (!(value instanceof Tensor)) continue
      if (value.requiresGrad || value instanceof Parameter) checkName(key)
      found.push([key, value])
    }
    return found
  }
}

/** A name in a state dict is a path, joined by dots. */
function checkName(name: string): string {
  if (name === '' || name.includes('.')) throw rangeError('Module', 'names of tensors and layers without a dot', name)
  return name
}

/** Modules among a module's properties, and in arrays among them. */
function eachChild(module: Module, f: (child: Module, name: string) => void): void {
  for (const key of Object.keys(module)) {
    const value: unknown = module[key as keyof Module]
    if (value instanceof Module) f(value, checkName(key))
    else if (Array.isArray(value)) {
      value.forEach((item, i) => {
        if (item instanceof Module) f(item, `${checkName(key)}.${i}`)
      })
    }
  }
}

function copyOfTensor(t: Tensor): Tensor {
  checkAttached('clone', t)
  const values = new Tensor(t.shape, t.dtype, t.values.slice())
  if (t instanceof Parameter) return new Parameter(values, t.requiresGrad)
  if (!t.node && t.requiresGrad) values.requiresGrad = true
  return values
}

/** The tensor that is to be copied into `own`. */
function checkEntry(key: string, own: Tensor, value: unknown): Tensor {
  const given = tensorFrom('loadStateDict', key, value)
  if (!isSameShape(given.shape, own.shape)) {
    throw shapeError('loadStateDict', `${key} to have shape ${shapeText(own.shape)}`, shapeText(given.shape))
  }
  if (given.dtype !== own.dtype)
    throw new AnnealError('ERR_DTYPE', phrase('loadStateDict', `${key} to be ${own.dtype}`, given.dtype))
  checkAttached('loadStateDict', given, key)
  return given
}

/** What the modules of a model do while it is recorded or run: what they give and which calls are theirs. Not here: recording. */

import type { Module } from '../nn/index.js'
import type { SlotCall } from '../plan/program.js'
import { Recorder } from '../plan/recorder.js'
import { Tensor } from '../tensor/index.js'
import { currentEmitter } from '../tensor/tape.js'

type Forward = (...inputs: never[]) => Tensor

/** Every module once, with where it is. */
export function namedModules(model: Module): Map<Module, string> {
  const names = new Map<Module, string>()
  const add = (module: Module, name: string) => {
    if (names.has(module)) return
    names.set(module, name)
    for (const [key, child] of module.namedChildren()) add(child, name ? `${name}.${key}` : key)
  }
  add(model, '')
  return names
}

export class WatchedLayers {
  /** The shape that each module gave last. */
  readonly shapes = new Map<Module, readonly number[]>()
  /** The innermost module that was running as a call was recorded. */
  readonly owners = new Map<SlotCall, Module>()
  readonly #running: Module[] = []
  /** Calls of each recording that have their owner. */
  readonly #owned = new Map<Recorder, number>()

  /** `seen` is told of everything that a module gives, in that order. */
  constructor(private readonly seen?: (module: Module, y: Tensor) => void) {}

  /** Runs `use` while every module of `model` is watched. */
  during<T>(model: Module, use: () => T): T {
    const restores = model.modules().map(module => this.#watch(module))
    try {
      return use()
    } finally {
      for (const restore of restores) restore()
    }
  }

  #watch(module: Module): () => void {
    const own = Object.getOwnPropertyDescriptor(module, 'forward')
    const forward = module.forward as Forward
    const value = (...inputs: never[]) => this.#run(module, () => forward.apply(module, inputs))
    Object.defineProperty(value, 'length', { value: forward.length })
    Object.defineProperty(module, 'forward', { value, configurable: true })
    return () => {
      if (own) Object.defineProperty(module, 'forward', own)
      else delete (module as Partial<Module>).forward
    }
  }

  #run(module: Module, forward: () => Tensor): Tensor {
    this.#own()
    this.#running.push(module)
    try {
      const y = forward()
      if (y instanceof Tensor) {
        this.shapes.set(module, y.shape)
        this.seen?.(module, y)
      }
      return y
    } finally {
      this.#own()
      this.#running.pop()
    }
  }

  /** Gives the calls since the last time to the innermost module. */
  #own(): void {
    const r = currentEmitter()
    if (!(r instanceof Recorder)) return
    const [owner] = this.#running.slice(-1)
    for (const call of r.calls.slice(this.#owned.get(r) ?? 0)) if (owner) this.owners.set(call, owner)
    this.#owned.set(r, r.calls.length)
  }
}

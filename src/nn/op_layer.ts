/** Layers and losses that are an op and its options, checked once, when they are made. Not here: which there are. */

import type { Tensor } from '../tensor/index.js'
import { Loss } from './loss.js'
import { Module } from './module.js'
import { type Reducible, weightedLoss } from './weighted_loss.js'

/** The arguments of a constructor whose options may be left out where each of them may. */
type OptionsArgument<O> = Partial<O> extends O ? [options?: O] : [options: O]

/** A layer that is an op with options. */
export interface OpLayer<O extends object> extends Module {
  /** As they were given. */
  readonly options: Readonly<O>
  forward(x: Tensor): Tensor
}

/** A loss that is an op with options. */
export interface OpLoss<O extends object> extends Loss {
  /** As they were given. */
  readonly options: Readonly<O>
  /** With the weight of each sample, [rows]: `Σ w·l / Σ w` for the reduction `mean`, `Σ w·l` for `sum`. */
  forward(prediction: Tensor, target: Tensor, weight?: Tensor): Tensor
}

/**
 * A loss of three tensors, in PyTorch's order. `fit` gives a loss one prediction and one target: there a loss of one's own
 * takes the prediction apart (`select`, `split`) and calls this one.
 */
export interface OpLossOfThree<O extends object> extends Loss {
  /** As they were given. */
  readonly options: Readonly<O>
  forward(first: Tensor, second: Tensor, third: Tensor): Tensor
}

function checked<O extends object>(options: O, check: (options: O) => unknown): Readonly<O> {
  check(options)
  return { ...options }
}

/** The base of a layer's class: the op, and the check of its options. */
export function layerOf<O extends object>(
  op: (x: Tensor, options: O) => Tensor,
  check: (options: O) => unknown,
): new (
  ...options: OptionsArgument<O>
) => OpLayer<O> {
  return class extends Module implements OpLayer<O> {
    readonly options: Readonly<O>

    constructor(options: O = {} as O) {
      super()
      this.options = checked(options, check)
    }

    override forward(x: Tensor): Tensor {
      return op(x, this.options)
    }

    override constructorArguments(): readonly unknown[] {
      return Object.keys(this.options).length > 0 ? [this.options] : []
    }
  }
}

/** The base of a loss's class: the op, the check of its options, and whether its targets name classes. */
export function lossOf<O extends Reducible>(
  op: (prediction: Tensor, target: Tensor, options: O) => Tensor,
  check: (options: O) => unknown,
  classes = false,
): new (
  options?: O,
) => OpLoss<O> {
  return class extends Loss implements OpLoss<O> {
    override readonly classifies = classes
    override readonly weighsSamples = true
    override readonly ignoreIndex: number
    readonly options: Readonly<O>

    constructor(options: O = {} as O) {
      super()
      this.options = checked(options, check)
      this.ignoreIndex = (options as { ignoreIndex?: number }).ignoreIndex ?? -100
    }

    override forward(prediction: Tensor, target: Tensor, weight?: Tensor): Tensor {
      const { options } = this
      if (weight === undefined) return op(prediction, target, options)
      return weightedLoss({ name: this.constructor.name, op, options, classes }, prediction, target, weight)
    }
  }
}

/** The base of a loss's class of three tensors: the op, and the check of its options. */
export function lossOfThree<O extends object>(
  op: (first: Tensor, second: Tensor, third: Tensor, options: O) => Tensor,
  check: (options: O) => unknown,
): new (
  options?: O,
) => OpLossOfThree<O> {
  return class extends Loss implements OpLossOfThree<O> {
    readonly options: Readonly<O>

    constructor(options: O = {} as O) {
      super()
      this.options = checked(options, check)
    }

    override forward(first: Tensor, second: Tensor, third: Tensor): Tensor {
      return op(first, second, third, this.options)
    }
  }
}

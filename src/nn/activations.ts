/** Activations as layers: each is its op, with options that are checked once. Not here: anything with parameters. */

import { checkInt, checkOptions } from '../base/check.js'
import { checkElu, type EluOptions } from '../ops/elu.js'
import { checkGelu, type GeluOptions } from '../ops/gelu.js'
import { checkLeakyRelu, type LeakyReluOptions } from '../ops/leaky_relu.js'
import { checkSoftplus, type SoftplusOptions } from '../ops/softplus.js'
import { ops, type Tensor } from '../tensor/index.js'
import { Module } from './module.js'

/** An activation without options. */
abstract class Plain extends Module {
  override constructorArguments(): readonly unknown[] {
    return []
  }
}

/** `max(x, 0)`, elementwise. Source: torch.nn.ReLU. */
export class ReLU extends Plain {
  override forward(x: Tensor): Tensor {
    return ops.relu(x)
  }
}

/** `1 / (1 + e^-x)`, elementwise. Source: torch.nn.Sigmoid. */
export class Sigmoid extends Plain {
  override forward(x: Tensor): Tensor {
    return ops.sigmoid(x)
  }
}

/** Hyperbolic tangent, elementwise. Source: torch.nn.Tanh. */
export class Tanh extends Plain {
  override forward(x: Tensor): Tensor {
    return ops.tanh(x)
  }
}

/** `x / (1 + e^-x)`, elementwise. Source: torch.nn.SiLU. */
export class SiLU extends Plain {
  override forward(x: Tensor): Tensor {
    return ops.silu(x)
  }
}

/** An activation with options, checked when it is made. */
abstract class Configured<O extends object> extends Module {
  readonly options: Readonly<O>

  constructor(options: O, check: (options: O) => unknown) {
    super()
    check(options)
    this.options = { ...options }
  }

  override constructorArguments(): readonly unknown[] {
    return [this.options]
  }
}

/**
 * `x` where x > 0, else `negativeSlope·x`, elementwise.
 *
 * ```ts
 * new nn.LeakyReLU({ negativeSlope: 0.2 })
 * ```
 * Source: torch.nn.LeakyReLU.
 */
export class LeakyReLU extends Configured<LeakyReluOptions> {
  constructor(options: LeakyReluOptions = {}) {
    super(options, checkLeakyRelu)
  }

  override forward(x: Tensor): Tensor {
    return ops.leakyRelu(x, this.options)
  }
}

/**
 * `x` where x > 0, else `alpha·(e^x - 1)`, elementwise.
 *
 * ```ts
 * new nn.ELU({ alpha: 0.5 })
 * ```
 * Source: torch.nn.ELU.
 */
export class ELU extends Configured<EluOptions> {
  constructor(options: EluOptions = {}) {
    super(options, checkElu)
  }

  override forward(x: Tensor): Tensor {
    return ops.elu(x, this.options)
  }
}

/**
 * `x·Φ(x)` with Φ the normal distribution function, elementwise; with `approximate: 'tanh'` by its usual approximation.
 *
 * ```ts
 * new nn.GELU({ approximate: 'tanh' })
 * ```
 * Source: torch.nn.GELU.
 */
export class GELU extends Configured<GeluOptions> {
  constructor(options: GeluOptions = {}) {
    super(options, checkGelu)
  }

  override forward(x: Tensor): Tensor {
    return ops.gelu(x, this.options)
  }
}

/**
 * `log(1 + e^(beta·x)) / beta`, and x itself where `beta·x > threshold`, elementwise.
 *
 * ```ts
 * new nn.Softplus({ beta: 2, threshold: 5 })
 * ```
 * Source: torch.nn.Softplus.
 */
export class Softplus extends Configured<SoftplusOptions> {
  constructor(options: SoftplusOptions = {}) {
    super(options, checkSoftplus)
  }

  override forward(x: Tensor): Tensor {
    return ops.softplus(x, this.options)
  }
}

/** Options of `Softmax` and `LogSoftmax`. */
export interface SoftmaxOptions {
  /** The dimension whose elements compete; negative ones count from the end. Required: PyTorch's guess is deprecated. */
  dim: number
}

const checkDim = (where: string) => (options: SoftmaxOptions) =>
  checkInt(where, 'dim', checkOptions(where, options, ['dim']).dim)

/**
 * `e^x / Σ e^x` along `dim`.
 *
 * ```ts
 * new nn.Softmax({ dim: 1 })
 * ```
 * Source: torch.nn.Softmax.
 */
export class Softmax extends Configured<SoftmaxOptions> {
  constructor(options: SoftmaxOptions) {
    super(options, checkDim('Softmax'))
  }

  override forward(x: Tensor): Tensor {
    return ops.softmax(x, this.options.dim)
  }
}

/**
 * `x - log Σ e^x` along `dim`.
 *
 * ```ts
 * new nn.LogSoftmax({ dim: 1 })
 * ```
 * Source: torch.nn.LogSoftmax.
 */
export class LogSoftmax extends Configured<SoftmaxOptions> {
  constructor(options: SoftmaxOptions) {
    super(options, checkDim('LogSoftmax'))
  }

  override forward(x: Tensor): Tensor {
    return ops.logSoftmax(x, this.options.dim)
  }
}

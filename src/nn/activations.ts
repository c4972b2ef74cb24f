/** Activations as layers: each is its op, with options that are checked once. Not here: anything with parameters. */

import { checkInt, checkOptions } from '../base/check.js'
import { checkElu, type EluOptions } from '../ops/elu.js'
import { checkGelu, type GeluOptions } from '../ops/gelu.js'
import { checkHardtanh, type HardtanhOptions } from '../ops/hardtanh.js'
import { checkLeakyRelu, type LeakyReluOptions } from '../ops/leaky_relu.js'
import { checkSoftplus, type SoftplusOptions } from '../ops/softplus.js'
import { ops } from '../tensor/index.js'
import { layerOf } from './op_layer.js'

/** Activations without options refuse them, as those with options refuse what they do not know. */
const none = (where: string) => (options: NoOptions) => checkOptions(where, options, [])

type NoOptions = Record<never, never>

/** `max(x, 0)`, elementwise. Source: torch.nn.ReLU. */
export class ReLU extends layerOf<NoOptions>(ops.relu, none('ReLU')) {}

/** `1 / (1 + e^-x)`, elementwise. Source: torch.nn.Sigmoid. */
export class Sigmoid extends layerOf<NoOptions>(ops.sigmoid, none('Sigmoid')) {}

/** Hyperbolic tangent, elementwise. Source: torch.nn.Tanh. */
export class Tanh extends layerOf<NoOptions>(ops.tanh, none('Tanh')) {}

/** `x / (1 + e^-x)`, elementwise. Source: torch.nn.SiLU. */
export class SiLU extends layerOf<NoOptions>(ops.silu, none('SiLU')) {}

/**
 * `x` where x > 0, else `negativeSlope·x`, elementwise.
 *
 * ```ts
 * new nn.LeakyReLU({ negativeSlope: 0.2 })
 * ```
 * Source: torch.nn.LeakyReLU.
 */
export class LeakyReLU extends layerOf<LeakyReluOptions>(ops.leakyRelu, checkLeakyRelu) {}

/**
 * `x` where x > 0, else `alpha·(e^x - 1)`, elementwise.
 *
 * ```ts
 * new nn.ELU({ alpha: 0.5 })
 * ```
 * Source: torch.nn.ELU.
 */
export class ELU extends layerOf<EluOptions>(ops.elu, checkElu) {}

/**
 * `x·Φ(x)` with Φ the normal distribution function, elementwise; with `approximate: 'tanh'` by its usual approximation.
 *
 * ```ts
 * new nn.GELU({ approximate: 'tanh' })
 * ```
 * Source: torch.nn.GELU.
 */
export class GELU extends layerOf<GeluOptions>(ops.gelu, checkGelu) {}

/**
 * `log(1 + e^(beta·x)) / beta`, and x itself where `beta·x > threshold`, elementwise.
 *
 * ```ts
 * new nn.Softplus({ beta: 2, threshold: 5 })
 * ```
 * Source: torch.nn.Softplus.
 */
export class Softplus extends layerOf<SoftplusOptions>(ops.softplus, checkSoftplus) {}

/** `x / (1 + |x|)`, elementwise. Source: torch.nn.Softsign. */
export class Softsign extends layerOf<NoOptions>(ops.softsign, none('Softsign')) {}

/**
 * `min(max(x, minVal), maxVal)`, elementwise; the gradient is 0 from the bounds on.
 *
 * ```ts
 * new nn.Hardtanh({ minVal: 0, maxVal: 6 })
 * ```
 * Source: torch.nn.Hardtanh.
 */
export class Hardtanh extends layerOf<HardtanhOptions>(ops.hardtanh, checkHardtanh) {}

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
export class Softmax extends layerOf<SoftmaxOptions>((x, { dim }) => ops.softmax(x, dim), checkDim('Softmax')) {}

/**
 * `x - log Σ e^x` along `dim`.
 *
 * ```ts
 * new nn.LogSoftmax({ dim: 1 })
 * ```
 * Source: torch.nn.LogSoftmax.
 */
export class LogSoftmax extends layerOf<SoftmaxOptions>(
  (x, { dim }) => ops.logSoftmax(x, dim),
  checkDim('LogSoftmax'),
) {}

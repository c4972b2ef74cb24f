/** LabelEncoder: the labels of a target as 0, 1, 2, …. Not here: columns of an input (ordinal_encoder.ts). */

import { AnnealError, describe, phrase } from '../base/errors.js'
import { type Cell, type Column, codesOf, labelsOf, uniqueOf } from '../data/labels.js'
import { Tensor } from '../tensor/tensor.js'
import { toPlain } from './plain.js'
import type { TransformerJSON } from './transformer.js'

/** One label per row. */
export type Labels = Tensor | ArrayLike<unknown>

/**
 * Labels of any kind as 0 … classes - 1, as losses want them: in rising order of the labels.
 *
 * `classes`: the labels in the order of their codes. Throws TypeError for text among numbers, ERR_SHAPE unless `y` has
 * one dimension, ERR_LABEL_RANGE for a label that `fit` did not see. Source: sklearn.preprocessing.LabelEncoder.
 *
 * ```ts
 * const encoder = new preprocessing.LabelEncoder()
 * const y = encoder.fitTransform(['setosa', 'virginica', 'setosa']) // int32 [0, 1, 0]
 * encoder.inverseTransform(y) // ['setosa', 'virginica', 'setosa']
 * ```
 */
export class LabelEncoder {
  readonly name = 'LabelEncoder'
  classes: Column | null = null

  /** Learns the labels. Returns itself. */
  fit(y: Labels): this {
    this.classes = uniqueOf(this.name, 'y', labelsOf(this.name, 'y', y))
    return this
  }

  /** The labels' codes: int32 [rows]. */
  transform(y: Labels): Tensor {
    const classes = this.#checkFitted('transform')
    const labels = labelsOf(this.name, 'y', y)
    const codes = codesOf(labels, classes)
    const row = codes.indexOf(-1)
    if (row >= 0)
      throw new AnnealError('ERR_LABEL_RANGE', phrase(this.name, `a label of fit in y[${row}]`, describe(labels[row])))
    return new Tensor([codes.length], 'int32', codes)
  }

  /** `fit(y).transform(y)`. */
  fitTransform(y: Labels): Tensor {
    return this.fit(y).transform(y)
  }

  /** The labels of codes. Throws ERR_LABEL_RANGE for what is no code. */
  inverseTransform(codes: Tensor | ArrayLike<number>): Cell[] {
    const classes = this.#checkFitted('inverseTransform')
    const where = `${this.name}.inverseTransform`
    return Array.from(labelsOf(where, 'codes', codes) as readonly Cell[], (code, i) => {
      if (Number.isInteger(code) && (code as number) >= 0 && (code as number) < classes.length)
        return classes[code as number]
      throw new AnnealError(
        'ERR_LABEL_RANGE',
        phrase(where, `codes[${i}] to be an integer below ${classes.length}`, describe(code)),
      )
    })
  }

  /** What was learned as plain data. */
  toJSON(): TransformerJSON {
    const state = this.classes && (toPlain(this.name, { classes: this.classes }) as object)
    return { transformer: this.name, options: {}, state }
  }

  /** @internal Takes over what another had learned. */
  restore({ classes }: Record<string, unknown>): void {
    if (!Array.isArray(classes) && !(classes instanceof Float64Array))
      throw new AnnealError('ERR_STATE', phrase(this.name, 'classes as toJSON gives them', classes))
    this.classes = classes
  }

  #checkFitted(method: string): Column {
    if (this.classes) return this.classes
    throw new AnnealError('ERR_STATE', phrase(`${this.name}.${method}`, 'fit to be called first', 'no fit'))
  }
}

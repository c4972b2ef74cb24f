/** Pipeline: transformers one after the other, in float64 until the end. Not here: several side by side (column_transformer.ts). */

import { checkOptions } from '../base/check.js'
import { typeError } from '../base/errors.js'
import type { Cell } from '../data/labels.js'
import type { OnnxGraph, OnnxName } from '../ops/onnx.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Features, type Frame, frameOf, rowsOfFrame, tensorOf } from './frame.js'
import { checkTransformer, Encoder, Invertible, type OnnxColumns, type Transformer } from './transformer.js'

/** Transformers one after the other; made by `makePipeline`. Each is fitted to what the ones before it give. */
export class Pipeline extends Invertible<{ steps: readonly Transformer[] }> {
  constructor(options: { steps: readonly Transformer[] }) {
    const { steps } = checkOptions('Pipeline', options, ['steps'])
    if (!Array.isArray(steps)) throw typeError('Pipeline', 'steps to be an array of transformers', steps)
    super('Pipeline', { steps: [...steps] }, {})
    if (steps.length === 0) throw typeError('makePipeline', 'at least one transformer', undefined)
    for (const [i, step] of steps.entries()) checkTransformer('makePipeline', `steps[${i}]`, step)
  }

  /** Its transformers, the first one first. */
  get steps(): readonly Transformer[] {
    return this.options.steps
  }

  /** @internal */
  fitFrame(frame: Frame): void {
    let at = frame
    this.steps.forEach((step, i) => {
      step.learn(at)
      if (i < this.steps.length - 1) at = step.apply(at)
    })
  }

  /** @internal */
  transformFrame(frame: Frame): Frame {
    return this.steps.reduce((at, step) => step.apply(at), frame)
  }

  /** @internal */
  onnxColumns(graph: OnnxGraph, x: OnnxName): OnnxColumns {
    const [first, ...rest] = this.steps
    return rest.reduce((at, step) => step.onnxColumns(graph, at.values), first.onnxColumns(graph, x))
  }

  /** @internal */
  inverseFrame(frame: Frame): Frame {
    return this.steps.reduceRight((at, step) => {
      if (step instanceof Invertible) return step.revert(at)
      throw typeError('Pipeline.inverseTransform', `${step.name} to have inverseTransform`, step)
    }, frame)
  }

  /** What `transform` gave X of: a Tensor, or nested arrays where it was categories. */
  inverseTransform(X: Features): Tensor | Cell[][] {
    const frame = this.revert(frameOf(this.name, X))
    return this.steps[0] instanceof Encoder ? rowsOfFrame(frame) : tensorOf(this.name, frame)
  }

  getFeatureNamesOut(inputFeatures?: readonly string[]): string[] {
    return this.steps.reduce((names, step) => step.getFeatureNamesOut(names), [...this.inputNames(inputFeatures)])
  }

  /** @internal */
  override clone(): this {
    return new Pipeline({ steps: this.steps.map(step => step.clone()) }) as this
  }
}

/**
 * Transformers one after the other, as one: `fit` fits each to what the ones before it give.
 *
 * Between the steps values are float64 and may be text; only the result is rounded. Throws TypeError for what is no
 * transformer. Source: sklearn.pipeline.make_pipeline.
 *
 * ```ts
 * const { makePipeline, SimpleImputer, StandardScaler } = preprocessing
 * const prepare = makePipeline(new SimpleImputer({ strategy: 'median' }), new StandardScaler())
 * const X = prepare.fitTransform(table.select(['age', 'income']))
 * ```
 */
export function makePipeline(...steps: Transformer[]): Pipeline {
  return new Pipeline({ steps })
}

/** The part of TensorFlow.js that is used here, so that neither our build nor our types need it installed. */

export interface TfTensor {
  readonly shape: number[]
  readonly size: number
  dataSync(): Float32Array | Int32Array
  reshape(shape: number[]): TfTensor
  clone(): TfTensor
  dispose(): void
}

export interface TfVariable extends TfTensor {
  readonly name: string
  assign(value: TfTensor): void
}

export interface TfOptimizer {
  computeGradients(
    loss: () => TfTensor,
    variables: TfVariable[],
  ): { readonly value: TfTensor; readonly grads: Readonly<Record<string, TfTensor>> }
  applyGradients(gradients: Record<string, TfTensor>): void
  dispose(): void
}

export interface TfBackend {
  /** Of tfjs-node and tfjs-node-gpu. */
  readonly binding?: { readonly TF_Version: string }
  readonly isUsingGpuDevice?: boolean
}

export interface Tf {
  readonly version: Readonly<Record<string, string>>
  readonly train: Readonly<Record<string, (...options: (number | boolean | undefined)[]) => TfOptimizer>>
  readonly losses: {
    softmaxCrossEntropy(
      labels: TfTensor,
      logits: TfTensor,
      weights: TfTensor | undefined,
      labelSmoothing: number,
      reduction: number,
    ): TfTensor
  }
  readonly fused: {
    matMul(product: {
      a: TfTensor
      b: TfTensor
      transposeA?: boolean
      transposeB?: boolean
      bias?: TfTensor
      activation?: 'linear' | 'relu'
    }): TfTensor
  }
  getBackend(): string
  setBackend(name: string): Promise<boolean>
  backend(): TfBackend
  enableProdMode(): void
  env(): { get(flag: string): unknown }
  tidy<T>(fn: () => T): T
  keep<T extends TfTensor>(tensor: T): T
  dispose(tensors: readonly TfTensor[]): void
  memory(): { readonly numTensors: number }
  tensor(values: Float32Array | Int32Array, shape?: number[], dtype?: 'float32' | 'int32'): TfTensor
  scalar(value: number): TfTensor
  variable(value: TfTensor, trainable?: boolean): TfVariable
  oneHot(labels: TfTensor, classes: number): TfTensor
  cast(x: TfTensor, dtype: 'float32' | 'int32'): TfTensor
  valueAndGrad(fn: (x: TfTensor) => TfTensor): (x: TfTensor) => { value: TfTensor; grad: TfTensor }
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor
  transpose(x: TfTensor): TfTensor
  add(a: TfTensor, b: TfTensor | number): TfTensor
  sub(a: TfTensor, b: TfTensor | number): TfTensor
  mul(a: TfTensor, b: TfTensor | number): TfTensor
  div(a: TfTensor, b: TfTensor | number): TfTensor
  relu(x: TfTensor): TfTensor
  step(x: TfTensor): TfTensor
  sum(x: TfTensor, axis?: number): TfTensor
}

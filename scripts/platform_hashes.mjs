/**
 * Hashes of 30 random streams, initial weights and fits, compared with those in test/golden/platform-hashes.json: the same
 * on every platform. Streams and weights do not depend on the instruction set; fits have the bits of fused multiply-adds
 * (AVX2, AVX-512, NEON) or of separate ones (SSE2, WebAssembly). Runs on a foreign Node from files alone:
 *
 *   node scripts/platform_hashes.mjs             the package in this checkout; ANNEAL_BINARY names another binary
 *   node scripts/platform_hashes.mjs --record    writes what this machine gives
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const recordFile = join(root, 'test/golden/platform-hashes.json')

function digest(...arrays) {
  const hash = createHash('sha256')
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength))
  return hash.digest('hex').slice(0, 16)
}

/** name → the arrays that a stream, an init or a split gives; each from a seed of its own. */
function streams({ data, nn, random, tensor }) {
  const torch = draw => () => {
    const generator = new random.Generator(17)
    return [].concat(draw(generator))
  }
  const numpy = draw => () => [].concat(draw(new random.RandomState(17)))
  const init = (shape, fill) => () => {
    random.manualSeed(23)
    const weights = tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape })
    fill(weights)
    return [weights.data]
  }
  const seeded = draw => () => {
    random.manualSeed(29)
    return draw()
  }
  const covariance = [
    [2, 0.6],
    [0.6, 1],
  ]
  const layer = module => Object.values(module.stateDict()).map(t => t.data)
  const dropout = () => {
    const mask = new nn.Dropout({ p: 0.25 })
    return [mask.forward(tensor(new Float32Array(3000).fill(1), { shape: [30, 100] })).data]
  }
  const split = () => data.trainTestSplit(...Object.values(data.qwerty()), { testSize: 0.3, randomState: 5 })
  return {
    'uniform float32': torch(g => g.uniform_(new Float32Array(5000), -0.3, 1.7)),
    'uniform float64': torch(g => g.uniform_(new Float64Array(5000), -0.3, 1.7)),
    'normal float32': torch(g => g.normal_(new Float32Array(50000), 0.1, 2)),
    'normal float64': torch(g => g.normal_(new Float64Array(50000), 0.1, 2)),
    'a few normals': torch(g => Array.from({ length: 500 }, (_, i) => g.normal_(new Float64Array((i % 15) + 1)))),
    'a few normals, float32': torch(g => g.normal_(new Float32Array(15))),
    bernoulli: torch(g => g.bernoulli_(new Float32Array(5000), 0.3)),
    integers: torch(g => g.randint(-1000, 1000, 5000)),
    permutation: torch(g => g.randperm(5000)),
    'NumPy uniform': numpy(r => r.uniform(-2, 3, 5000)),
    'NumPy normal': numpy(r => r.normal(1, 2, 50000)),
    'NumPy integers': numpy(r => r.randint(0, 1000, 5000)),
    'NumPy permutation': numpy(r => Int32Array.from(r.permutation(5000))),
    'NumPy multivariate normal': numpy(r => r.multivariateNormal([1, -1], covariance, 5000)),
    'weights of Linear': seeded(() => layer(new nn.Linear(100, 50))),
    'weights of Embedding': seeded(() => layer(new nn.Embedding(50, 20))),
    'Kaiming normal': init([64, 32], nn.init.kaimingNormal_),
    'Xavier uniform': init([64, 32], nn.init.xavierUniform_),
    'truncated normal': init([64, 32], nn.init.truncNormal_),
    dropout: seeded(dropout),
    'random split': seeded(() =>
      data.randomSplit(new data.TensorDataset(data.qwerty().X), [0.7, 0.3]).map(part => Int32Array.from(part.indices)),
    ),
    qwerty: () => Object.values(data.qwerty()).map(t => t.data),
    'train and test': () => split().map(t => t.data),
  }
}

function mlp(nn, widths, between) {
  const layers = widths.slice(1).flatMap((width, i) => {
    const linear = new nn.Linear(widths[i], width)
    return i < widths.length - 2 ? [linear, ...between(width)] : [linear]
  })
  return new nn.Sequential(...layers)
}

/** name → the weights and losses that a fit leaves. */
function fits(anneal) {
  const { data, fit, nn, optim, random, tensor } = anneal
  const relu = () => [new nn.ReLU()]
  const run = (widths, update, between = relu, options = {}) => {
    random.manualSeed(31)
    const [inputs, classes] = [widths[0], widths[widths.length - 1]]
    const X = tensor(new random.Generator(3).normal_(new Float32Array(75 * inputs)), { shape: [75, inputs] })
    const y = tensor(Int32Array.from({ length: 75 }, (_, i) => (i * i) % classes))
    const model = mlp(nn, widths, between)
    const train = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 16, shuffle: true })
    const loss = new nn.CrossEntropyLoss()
    const history = fit.sync(model, { train, loss, optimizer: update(model.parameters()), epochs: 2, ...options })
    return [...Object.values(model.stateDict()).map(t => t.data), Float64Array.from(history.trainLoss)]
  }
  const sgd = parameters => new optim.SGD(parameters, { lr: 0.05, momentum: 0.9 })
  const adam = parameters => new optim.Adam(parameters, { lr: 0.002 })
  const normed = width => [new nn.BatchNorm1d(width), new nn.GELU(), new nn.Dropout({ p: 0.2 })]
  return {
    'fit 2-8-3': () => run([2, 8, 3], sgd),
    'fit 64-32-10': () => run([64, 32, 10], adam),
    'fit 784-128-10': () => run([784, 128, 10], sgd),
    'fit 100-64-48-7': () => run([100, 64, 48, 7], adam, normed),
    'fit of layer norm and tanh': () => run([33, 17, 5], adam, width => [new nn.LayerNorm([width]), new nn.Tanh()]),
    'fit with clipping': () => run([20, 40, 4], sgd, relu, { clipGradNorm: 0.5 }),
    'fit with accumulation': () => run([20, 40, 4], adam, relu, { accumulate: 2 }),
  }
}

/** { streams: { name: hash }, fits: { name: hash } } of a package. */
export function hashes(anneal) {
  const all = cases => Object.fromEntries(Object.entries(cases).map(([name, run]) => [name, digest(...run())]))
  return { streams: all(streams(anneal)), fits: all(fits(anneal)) }
}

/** What was recorded for the instruction set of a package, in the same form. */
export function recorded(anneal) {
  const { streams, fused, separate } = JSON.parse(readFileSync(recordFile, 'utf8'))
  return { streams, fits: fusesAdds(anneal) ? fused : separate }
}

function fusesAdds({ info }) {
  return !['sse2', 'wasm'].includes(info.isa)
}

function record(anneal) {
  const { streams, fits } = hashes(anneal)
  let before = {}
  try {
    before = JSON.parse(readFileSync(recordFile, 'utf8'))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  const file = { ...before, streams, [fusesAdds(anneal) ? 'fused' : 'separate']: fits }
  writeFileSync(recordFile, `${JSON.stringify(file, null, 1)}\n`)
}

function compare(anneal) {
  const [got, want] = [hashes(anneal), recorded(anneal)]
  const rows = ['streams', 'fits'].flatMap(kind =>
    Object.keys(want[kind]).map(name => [name, got[kind][name], want[kind][name]]),
  )
  const wrong = rows.filter(([, got, want]) => got !== want)
  for (const [name, got, want] of wrong) console.log(`${name}: expected ${want} but received ${got}`)
  const where = `${process.platform}-${process.arch}, ${anneal.info.isa}, Node ${process.versions.node}`
  console.log(`${where}: ${rows.length - wrong.length} of ${rows.length} hashes equal`)
  process.exitCode = wrong.length ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const anneal = await import(pathToFileURL(join(root, 'dist/index.js')).href)
  if (process.argv.includes('--record')) record(anneal)
  else compare(anneal)
}

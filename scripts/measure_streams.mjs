/**
 * Measures streams on a large CSV that it makes: memory beyond the start, an epoch's time beside that of the same rows in
 * memory, and the parser beside csv-parse alone and pandas (ANNEAL_PYTHON). Each measurement has a process of its own.
 *
 *   node scripts/measure_streams.mjs [--mib 1024] [--epochs 2]
 */
import { spawnSync } from 'node:child_process'
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const FEATURES = 10
const names = Array.from({ length: FEATURES }, (_, i) => `x${i}`)
const MIB = 2 ** 20

/** Rows of numbers of six digits, and a label that depends on them. Returns how many rows there are. */
function make(path, bytes) {
  const file = openSync(path, 'w')
  let [seed, written, rows] = [1, writeSync(file, `${names.join()},y\n`), 0]
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32 - 0.5
  }
  while (written < bytes) {
    let text = ''
    for (let r = 0; r < 10_000; r++, rows++) {
      const values = names.map(next)
      text += `${values.map(v => v.toFixed(6)).join()},${values[0] + values[1] > 0 ? 1 : 0}\n`
    }
    written += writeSync(file, text)
  }
  closeSync(file)
  return rows
}

const seconds = async use => {
  const start = performance.now()
  const result = await use()
  return [(performance.now() - start) / 1000, result]
}

async function train(anneal, dataset, epochs) {
  const { data, fit, nn, optim, random } = anneal
  random.manualSeed(0)
  const model = new nn.Sequential(new nn.Linear(FEATURES, 64), new nn.ReLU(), new nn.Linear(64, 2))
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 })
  const loader = new data.DataLoader(dataset, { batchSize: 256, shuffle: true })
  const times = []
  const onEpochEnd = ({ seconds: s }) => void times.push(s)
  const history = await fit(model, { train: loader, loss: new nn.CrossEntropyLoss(), optimizer, epochs, onEpochEnd })
  return { engine: history.engine, trainAcc: history.trainAcc, epochs: times }
}

const measurements = {
  async stream(path, epochs) {
    const anneal = await import('anneal')
    const start = process.memoryUsage().rss
    const [count, stream] = await seconds(() => anneal.data.streamTable(path, { inputs: names, target: 'y' }))
    const result = await train(anneal, stream, epochs)
    return { count, ...result, mib: process.resourceUsage().maxRSS / 1024 - start / MIB }
  },
  async resident(path, epochs) {
    const anneal = await import('anneal')
    const start = process.memoryUsage().rss
    const [read, table] = await seconds(() => anneal.data.readTable(path))
    const set = new anneal.data.TensorDataset(table.toTensor(names), table.toTensor('y'))
    const result = await train(anneal, set, epochs)
    return { read, ...result, mib: process.resourceUsage().maxRSS / 1024 - start / MIB }
  },
  async tables(path) {
    const { data } = await import('anneal')
    const stream = await data.streamTable(path, { inputs: names, target: 'y', rows: 1 })
    const [s, rows] = await seconds(async () => {
      let n = 0
      for await (const table of stream.tables()) n += table.rows
      return n
    })
    return { rows, seconds: s }
  },
  async csvParse(path) {
    const { parse } = await import('csv-parse')
    const [s, rows] = await seconds(async () => {
      let n = -1
      for await (const _ of createReadStream(path).pipe(parse({ cast: false }))) n++
      return n
    })
    return { rows, seconds: s }
  },
}

function measure(name, path, epochs) {
  const self = fileURLToPath(import.meta.url)
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [self, '--measure', name, '--file', path, '--epochs', epochs],
    {
      encoding: 'utf8',
    },
  )
  return status === 0 ? JSON.parse(stdout) : { failed: stderr.split('\n').find(line => /Error/.test(line)) ?? stderr }
}

function pandas(path) {
  const program = `import time, pandas, sys\nt = time.time()\nn = 0\nfor part in pandas.read_csv(sys.argv[1], chunksize=65536): n += len(part)\nprint('{"rows": %d, "seconds": %f, "version": "%s"}' % (n, time.time() - t, pandas.__version__))`
  if (!process.env.ANNEAL_PYTHON) return { skipped: 'no ANNEAL_PYTHON' }
  const { status, stdout, stderr } = spawnSync(process.env.ANNEAL_PYTHON, ['-c', program, path], { encoding: 'utf8' })
  return status === 0 ? JSON.parse(stdout) : { failed: stderr }
}

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    epochs: { type: 'string', default: '2' },
    measure: { type: 'string' },
    file: { type: 'string' },
  },
})

if (values.measure) {
  console.log(JSON.stringify(await measurements[values.measure](values.file, Number(values.epochs))))
} else {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-streams-'))
  const path = join(folder, 'large.csv')
  try {
    const rows = make(path, Number(values.mib) * MIB)
    const mib = statSync(path).size / MIB
    console.log(JSON.stringify({ mib, rows }))
    for (const name of Object.keys(measurements)) {
      const result = measure(name, path, values.epochs)
      const rate = result.seconds && { mibPerSecond: mib / result.seconds }
      console.log(JSON.stringify({ name, ...result, ...rate }))
    }
    const result = pandas(path)
    console.log(
      JSON.stringify({ name: 'pandas', ...result, ...(result.seconds && { mibPerSecond: mib / result.seconds }) }),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

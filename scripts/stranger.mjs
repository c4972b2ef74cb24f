/**
 * The package as a stranger gets it: packed, and installed in an empty project, scripts not allowed. Used by the scripts
 * that check the tarball; needs the network only for what the package depends on.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './build_native.mjs'

/** Ten lines that train, in TypeScript that is JavaScript as well. */
export const program = `import { nn, optim, data, fit, random } from 'anneal'

class QwertyNet extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  fc2 = new nn.Linear(8, 3)
  forward(x) { return this.fc2.forward(this.fc1.forward(x).relu()) }
}
random.manualSeed(0)
const { X, y } = data.qwerty()
const model = new QwertyNet()
const train = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 32, shuffle: true })
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
const history = await fit(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 20 })
if (!(history.trainLoss[19] < 0.2) || history.engine !== 'plan') throw new Error(JSON.stringify(history.trainLoss))
console.log('trained: loss', history.trainLoss[19].toFixed(4))
`

/** What a program prints; its messages go where ours go. */
export function run(command, args, cwd, env = {}) {
  const stdio = ['ignore', 'pipe', 'inherit']
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio,
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
  })
}

/** Packs the package into a folder; the tarball's path. */
export function pack(folder) {
  const said = run('npm', ['pack', '--json', '--pack-destination', folder], root)
  const [{ filename }] = JSON.parse(said.replace(/^[^[]*/, ''))
  return join(folder, filename)
}

/** An empty project with packages (the tarball first) installed by npm, in a folder that is there or is made. */
export function makeProject(folder, ...packages) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }))
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  if (packages.length) run('npm', ['install', ...flags, ...packages], folder)
  writeFileSync(join(folder, 'train.mjs'), program)
  return folder
}

/** Runs `body` with an empty folder, and removes that. */
export async function inTemporaryFolder(name, body) {
  const folder = mkdtempSync(join(tmpdir(), `anneal-${name}-`))
  try {
    return await body(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

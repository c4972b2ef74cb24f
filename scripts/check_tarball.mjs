/**
 * Packs the package and uses it as a stranger would: an empty project, scripts not allowed, a ten-line program that
 * trains, and its types; then the command `anneal`, without TensorFlow.js. Needs the network only for what the package
 * depends on.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './build_native.mjs'

const program = `import { nn, optim, data, fit, random, type Tensor } from 'anneal'

class QwertyNet extends nn.Module {
  fc1 = new nn.Linear(2, 8)
  fc2 = new nn.Linear(8, 3)
  override forward(x: Tensor) { return this.fc2.forward(this.fc1.forward(x).relu()) }
}
random.manualSeed(0)
const { X, y } = data.qwerty()
const model = new QwertyNet()
const train = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 32, shuffle: true })
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 })
const history = await fit(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 20 })
if (!(history.trainLoss[19] < 0.2) || history.engine !== 'plan') throw new Error(JSON.stringify(history.trainLoss))
console.log('trained: loss', history.trainLoss[19].toFixed(4))

// What is internal is not declared.
// @ts-expect-error
train.epochOrder()
// @ts-expect-error
X.buf
`

const settings = {
  compilerOptions: { module: 'NodeNext', target: 'ES2022', strict: true, noImplicitOverride: true, types: [] },
  files: ['train.ts'],
}

function run(command, args, cwd) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

/** The command, where nothing to compare with is installed: all else works, and one line says what is missing. */
function checkCommand(project) {
  const anneal = args => run(join('node_modules', '.bin', 'anneal'), args.split(' '), project)
  const validated = anneal('validate --kernel linear_relu_fwd,softmax_xent_fwd_bwd,SGD,train-2-8-3 --cases 20')
  const timed = anneal('bench --backends native --suite update --milliseconds 5 --out figures.json')
  const mentions = `${validated}${timed}`.match(/^.*(tensorflow|tfjs).*$/gim) ?? []
  if (!/all within their bounds/.test(validated) || mentions.length !== 1) throw new Error(validated)
  if (!/^SGD update .*\d$/m.test(timed) || !existsSync(join(project, 'figures.json'))) throw new Error(timed)
  console.log(mentions[0])
}

const project = mkdtempSync(join(tmpdir(), 'anneal-tarball-'))
try {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', project], root).replace(/^[^[]*/, ''),
  )
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }))
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', join(project, filename)], project)
  writeFileSync(join(project, 'train.ts'), program)
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(settings))
  cpSync(join(root, 'node_modules/typescript'), join(project, 'node_modules/typescript'), { recursive: true })
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], project)
  process.stdout.write(run(process.execPath, ['train.js'], project))
  checkCommand(project)
  console.log(`tarball: ${filename} installs without scripts, type-checks, trains and validates itself`)
} finally {
  rmSync(project, { recursive: true, force: true })
}

/**
 * Packs the package and uses it as a stranger would: an empty project, scripts not allowed, a ten-line program that
 * trains, and its types; then the command `anneal`, without TensorFlow.js. Needs the network only for what the package
 * depends on.
 */
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root } from './build_native.mjs'
import { inTemporaryFolder, makeProject, pack, program, run } from './stranger.mjs'

/** The same in strict TypeScript; what is internal is not declared. */
const typed = `${program.replace('import { nn', 'import { type Tensor, tensor, nn').replace('forward(x)', 'override forward(x: Tensor)')}
declare const console: { log(...values: unknown[]): void }
const values: Float32Array = tensor([1, 2]).data
const labels: Int32Array = tensor([1, 2], { dtype: 'int32' }).data
const rows: number[][] = X.toArray<number[][]>()
if (values.length + labels.length !== 4 || rows.length !== X.shape[0]) throw new Error('values')
// @ts-expect-error
train.epochOrder()
// @ts-expect-error
X.buf
`

/** What a CommonJS program sees, in its types and when it runs. */
const commonJs = `import { nn, tensor, type Tensor } from 'anneal'
const y: Tensor = new nn.Linear(2, 3).forward(tensor([[1, 2]]))
if (y.shape.join() !== '1,3') throw new Error(y.shape.join())
`

const settings = {
  // Neither DOM nor @types/node.
  compilerOptions: {
    ...{ module: 'Node16', target: 'ES2022', lib: ['ES2023'], types: [] },
    ...{ strict: true, noImplicitOverride: true },
  },
  files: ['train.ts', 'required.cts'],
}

/** A model from a table, on the command line. */
function checkTraining(project, anneal) {
  cpSync(join(root, 'examples/data/iris.csv'), join(project, 'iris.csv'))
  const { scores } = JSON.parse(anneal('train iris.csv --target species --quiet --json'))
  const predicted = anneal('predict model iris.csv -o out.csv')
  if (!(scores.figures.accuracy > 0.9) || !predicted.startsWith('150 rows')) throw new Error(predicted)
}

/** The command, where nothing to compare with is installed: all else works, and one line says what is missing. */
function checkCommand(project) {
  const anneal = args => run(join('node_modules', '.bin', 'anneal'), args.split(' '), project)
  checkTraining(project, anneal)
  const validated = anneal('validate --kernel linear_relu_fwd,softmax_xent_fwd_bwd,SGD,train-2-8-3 --cases 20')
  const timed = anneal('bench --backends native --suite update --milliseconds 5 --out figures.json')
  const mentions = `${validated}${timed}`.match(/^.*(tensorflow|tfjs).*$/gim) ?? []
  if (!/all within their bounds/.test(validated) || mentions.length !== 1) throw new Error(validated)
  if (!/^SGD update .*\d$/m.test(timed) || !existsSync(join(project, 'figures.json'))) throw new Error(timed)
  console.log(mentions[0])
}

await inTemporaryFolder('tarball', folder => {
  const tarball = pack(folder)
  const project = makeProject(join(folder, 'project'), tarball)
  writeFileSync(join(project, 'train.ts'), typed)
  writeFileSync(join(project, 'required.cts'), commonJs)
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(settings))
  cpSync(join(root, 'node_modules/typescript'), join(project, 'node_modules/typescript'), { recursive: true })
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], project)
  process.stdout.write(run(process.execPath, ['train.js'], project))
  run(process.execPath, ['required.cjs'], project)
  checkCommand(project)
  console.log(`tarball: ${basename(tarball)} installs without scripts, type-checks, trains and validates itself`)
})

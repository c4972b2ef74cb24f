/**
 * From a contender to a command that can be started: finds the Python and TensorFlow.js, compiles the C++ drivers, or says why not. A
 * contender that cannot run is skipped by name and with this reason, never silently.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Contender, TfjsSettings } from '../contenders.js'
import type { Trial } from '../trials.js'
import { packageRoot } from './package_root.js'

export interface Command {
  file: string
  args: string[]
}

/** How to start a driver for a request, or why it cannot be. */
export type Program = { command: (trial: Trial, threads: number, seconds: number) => Command } | { missing: string }

const compiled = join(packageRoot(), 'build/js/bench/drivers')
const sources = join(packageRoot(), 'bench/drivers')
const asJson = (trial: Trial, threads: number, seconds: number) => JSON.stringify({ trial, threads, seconds })

function node(name: string, flags: readonly string[] = [], settings: readonly string[] = [], needs?: string): Program {
  if (needs && !isInstalled(needs)) return { missing: `needs the package ${needs}` }
  const script = join(compiled, `${name}.js`)
  if (!existsSync(script)) return { missing: `expected ${script}; compile the benches first (npm run bench does)` }
  return {
    command: (...asked) => ({ file: process.execPath, args: [...flags, script, asJson(...asked), ...settings] }),
  }
}

const isInstalled = (name: string) => existsSync(join(packageRoot(), 'node_modules', name))

const probe = `
  import { backends } from 'anneal'
  await backends.tfjs(process.argv[1]).catch(({ message }) => { console.log(message); process.exit(1) })`

/** By kind, why TensorFlow.js does not load here; '' where it does. */
const tfjsProblems = new Map<string, string>()

function tfjsProblem(kind: string): string {
  const known = tfjsProblems.get(kind)
  if (known !== undefined) return known
  const args = ['--input-type=module', '-e', probe, kind]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: packageRoot(), encoding: 'utf8' })
  const problem = status === 0 ? '' : (`${stderr}\n${stdout}`.trim().split('\n').pop() ?? 'it does not load')
  tfjsProblems.set(kind, problem)
  return problem
}

function tfjs(settings: TfjsSettings): Program {
  const missing = tfjsProblem(settings.kind)
  return missing ? { missing } : node('tfjs', [], [JSON.stringify(settings)])
}

function python(name: string, modules: readonly string[]): Program {
  const file = process.env.ANNEAL_PYTHON
  if (!file) return { missing: `ANNEAL_PYTHON names no Python with ${modules.join(', ')}` }
  const found = spawnSync(file, ['-c', `import ${modules.join(', ')}`], { encoding: 'utf8' })
  if (found.error) return { missing: `ANNEAL_PYTHON: ${found.error.message}` }
  if (found.status !== 0) return { missing: `ANNEAL_PYTHON: ${found.stderr.trim().split('\n').pop()}` }
  return { command: (...asked) => ({ file, args: ['-B', join(sources, `${name}.py`), asJson(...asked)] }) }
}

/** The arguments of a driver in C++, which reads no JSON. */
function positional(trial: Trial, seconds: number): string[] {
  if (trial.kind !== 'product') throw new RangeError(`bench: expected a product but received ${trial.kind}`)
  return [trial.product, trial.m, trial.n, trial.k, seconds].map(String)
}

/** Compiles drivers/<name>.cc unless the binary is newer; the reason where that fails. */
export function compileCc(name: string, libraries: readonly string[] = []): { binary: string } | { missing: string } {
  const binary = join(packageRoot(), 'build/bench', [name, ...libraries].join('-'))
  const source = join(sources, `${name}.cc`)
  const newest = Math.max(...[source, join(sources, 'products.h')].map(file => statSync(file).mtimeMs))
  if (existsSync(binary) && statSync(binary).mtimeMs > newest) return { binary }
  mkdirSync(dirname(binary), { recursive: true })
  const compiler = process.env.CXX ?? 'g++'
  // -O3 vectorises the bandwidth loops; the peers' kernels are in their libraries.
  const args = ['-std=c++17', '-O3', '-pthread', source, '-o', binary, ...libraries.map(library => `-l${library}`)]
  const { error, status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' })
  if (error) return { missing: `no C++ compiler: ${error.message}` }
  return status === 0 ? { binary } : { missing: firstError(stderr) }
}

const firstError = (text: string) => text.split('\n').find(line => /error|cannot find/.test(line)) ?? text.trim()

function cc(name: string, libraries: readonly string[], debian: string): Program {
  const built = compileCc(name, libraries)
  if ('missing' in built) return { missing: `needs ${debian}: ${built.missing}` }
  return { command: (trial, _threads, seconds) => ({ file: built.binary, args: positional(trial, seconds) }) }
}

export function programOf({ program }: Contender): Program {
  if ('python' in program) return python(program.python, program.modules)
  if ('node' in program) return node(program.node, program.flags, [], program.needs)
  if ('tfjs' in program) return tfjs(program.tfjs)
  return cc(program.cc, program.libraries, program.debian)
}

/** `anneal doctor`: what would stop this machine, and what to do. It changes nothing. Not here: what there is (machine.ts). */

import { accessSync, constants } from 'node:fs'
import { cpus } from 'node:os'
import type { Command } from 'commander'
import { inspectMachine, type Machine } from './machine.js'
import { readPackage } from './package_json.js'

/** One thing looked at: fine, to be known, or what nothing works with. */
interface Finding {
  readonly state: 'ok' | 'warning' | 'stop'
  readonly what: string
  /** What to do. */
  readonly next?: string
}

const ok = (what: string): Finding => ({ state: 'ok', what })

/** Whether version `a` is at least `b`. */
function atLeast(a: string, b: string): boolean {
  const [left, right] = [a, b].map(version => version.split(/[.-]/).slice(0, 3).map(Number))
  const differing = left.findIndex((part, i) => part !== (right[i] ?? 0))
  return differing < 0 || left[differing] > (right[differing] ?? 0)
}

/** Whether a version is of a range `^1.2.3`. */
const within = (version: string, range: string) =>
  atLeast(version, range.slice(1)) && version.split('.')[0] === range.slice(1).split('.')[0]

function nodeVersion({ node }: Machine): Finding {
  const wanted = readPackage().engines.node.replace('>=', '')
  if (atLeast(node, wanted)) return ok(`Node ${node}`)
  return { state: 'stop', what: `Node ${node} is older than ${wanted}`, next: `use Node ${wanted} or later` }
}

function binary({ binary, system }: Machine): Finding {
  if (binary.loads) return ok(`the native binary for ${system} loads: ${binary.isa}, ${binary.threads} thread(s)`)
  const [, ...lines] = binary.reason.split('\n')
  return { state: 'stop', what: ['no native binary loads', ...lines].join('\n') }
}

function instructionSet({ binary }: Machine): Finding[] {
  if (!binary.loads) return []
  if (binary.isa === 'wasm') {
    const next = process.env.ANNEAL_BACKEND
      ? 'unset ANNEAL_BACKEND'
      : 'npx anneal build compiles a binary for this machine'
    return [{ state: 'warning', what: 'WebAssembly is slower than a binary and has one thread', next }]
  }
  if (binary.isa !== 'sse2') return []
  const lowered = process.env.ANNEAL_MAX_ISA
  const next = lowered ? 'unset ANNEAL_MAX_ISA' : 'nothing, unless a virtual machine hides AVX2 from its guests'
  return [{ state: 'warning', what: 'SSE2 is several times slower than AVX2, and its last bits differ', next }]
}

function processors({ processors }: Machine): Finding {
  const all = cpus().length
  if (processors >= all) return ok(`${processors} processor(s)`)
  const next = 'nothing, if that is meant (affinity, a container’s limit)'
  return { state: 'warning', what: `this process may use ${processors} of ${all} processors`, next }
}

const GIB = 2 ** 30

function memory(): Finding {
  const free = process.availableMemory()
  const text = `${(free / GIB).toFixed(1)} GiB of memory free`
  return free > GIB / 2
    ? ok(text)
    : { state: 'warning', what: text, next: 'close what needs memory, or raise the limit' }
}

function folder(): Finding {
  try {
    accessSync('.', constants.W_OK)
    return ok('this folder can be written to')
  } catch {
    return { state: 'warning', what: 'this folder cannot be written to', next: 'give --out a folder that can be' }
  }
}

/** A small training run: the whole way from kernels to weights. */
async function training({ binary }: Machine): Promise<Finding[]> {
  if (!binary.loads) return []
  const { data, fit, nn, optim, random } = await import('../index.js')
  const { X, y } = data.qwerty()
  const generator = new random.Generator(0)
  const train = new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 32, shuffle: true, generator })
  const model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 3))
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 })
  const { trainLoss } = await fit(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 20 })
  const text = `a small net trains: its loss falls from ${trainLoss[0].toFixed(3)} to ${trainLoss[19].toFixed(3)}`
  if (trainLoss[19] < trainLoss[0] / 2) return [ok(text)]
  return [{ state: 'stop', what: `a small net does not learn: ${text}`, next: 'anneal validate finds the kernel' }]
}

function packages({ peers }: Machine): Finding[] {
  return peers.flatMap(({ name, wanted, installed, purpose }) => {
    if (installed === null || within(installed, wanted)) return []
    const next = `npm install "${name}@${wanted}"`
    return [{ state: 'warning' as const, what: `${name} ${installed} is not ${wanted} (${purpose})`, next }]
  })
}

const marks = { ok: 'ok  ', warning: 'note', stop: 'STOP' }

function linesOf({ state, what, next }: Finding): string[] {
  const lines = what.split('\n').map((line, i) => (i === 0 ? `${marks[state]}  ${line}` : `      ${line}`))
  return next === undefined ? lines : [...lines, `      next: ${next}`]
}

async function doctor({ json }: { json?: boolean }): Promise<void> {
  const machine = await inspectMachine()
  const findings = [
    nodeVersion(machine),
    binary(machine),
    ...instructionSet(machine),
    processors(machine),
    memory(),
    folder(),
    ...(await training(machine)),
    ...packages(machine),
  ]
  console.log(json ? JSON.stringify(findings, null, 2) : findings.flatMap(linesOf).join('\n'))
  if (findings.some(({ state }) => state === 'stop')) process.exitCode = 1
}

const help = `
Exit code 1 where something stops anneal from working here.

Examples:
  anneal doctor
  anneal doctor --json | jq '.[] | select(.state != "ok")'`

export function define(command: Command): void {
  command.option('--json', 'as one JSON array').addHelpText('after', help).action(doctor)
}

/** What there is on this machine: Node, CPU, binary, optional packages. It loads the library only to see whether it loads. */

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, platform } from 'node:os'
import { join } from 'node:path'
import { libc } from '../native/diagnose.js'
import type { Info } from '../native/info.js'
import { type PackageJson, readPackage } from './package_json.js'

/** The native binary: what it says of itself, or why there is none. */
export type Binary = ({ readonly loads: true } & Info) | { readonly loads: false; readonly reason: string }

/** An optional package: the version that is installed, or null, and what it is for. */
export interface Peer {
  readonly name: string
  readonly wanted: string
  readonly installed: string | null
  readonly purpose: string
}

export interface Machine {
  readonly version: string
  readonly node: string
  readonly system: string
  readonly libc: string
  readonly cpu: string
  /** Processors that this process may use. */
  readonly processors: number
  readonly binary: Binary
  /** What can be compared with each other (`anneal bench`, `anneal validate`). */
  readonly backends: readonly string[]
  readonly peers: readonly Peer[]
}

/** What each optional package brings. */
const purposes: Readonly<Record<string, string>> = {
  '@observablehq/plot': 'pictures',
  linkedom: 'pictures',
  '@resvg/resvg-js': 'pictures as PNG',
  uplot: 'the live view',
  'cli-progress': 'a progress bar',
  'csv-parse': 'CSV with quotes',
  'apache-arrow': 'Arrow files',
  hyparquet: 'Parquet files',
  'hyparquet-compressors': 'compressed Parquet files',
  fflate: 'npz files',
  protobufjs: 'ONNX files',
  '@tensorflow/tfjs': 'comparison with TensorFlow.js',
  '@tensorflow/tfjs-backend-wasm': 'comparison with TensorFlow.js on WebAssembly',
  '@tensorflow/tfjs-node': 'comparison with TensorFlow on the CPU',
  '@tensorflow/tfjs-node-gpu': 'comparison with TensorFlow on the GPU',
}

/** The backends that packages bring, by the name that `--backend` takes. */
const backendPackages: Readonly<Record<string, string>> = {
  'node-gpu': '@tensorflow/tfjs-node-gpu',
  node: '@tensorflow/tfjs-node',
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs',
}

const { resolve } = createRequire(import.meta.url)

/** The version of an installed package; its file is looked for, as not every package lets it be imported. */
function installedVersion(name: string): string | null {
  const files = (resolve.paths(name) ?? []).map(folder => join(folder, name, 'package.json'))
  const file = files.find(existsSync)
  return file === undefined ? null : (JSON.parse(readFileSync(file, 'utf8')) as PackageJson).version
}

async function binaryHere(): Promise<Binary> {
  try {
    const { info } = await import('../native/info.js')
    return { loads: true, ...info }
  } catch (error) {
    return { loads: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Looks at this machine. Throws nothing for what is missing. */
export async function inspectMachine(): Promise<Machine> {
  const { version, peerDependencies } = readPackage()
  const peers = Object.entries(peerDependencies).map(([name, wanted]) => {
    return { name, wanted, installed: installedVersion(name), purpose: purposes[name] }
  })
  const binary = await binaryHere()
  const there = (name: string) => peers.some(peer => peer.name === name && peer.installed !== null)
  const others = Object.entries(backendPackages).flatMap(([kind, name]) => (there(name) ? [kind] : []))
  return {
    version,
    node: process.versions.node,
    system: `${platform()}-${arch()}`,
    libc: libc(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    binary,
    backends: binary.loads ? ['native', 'reference', ...others] : [],
    peers,
  }
}

/** Says why no native binary could be loaded: what was tried, on what machine, what to do. Loads nothing itself. */
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

/** One file that was tried and could not be used. */
export interface Attempt {
  file: string
  reason: string
}

/** The C library that this Node runs on: 'glibc 2.36', 'musl', or '' where that question does not arise. */
export function libc(): string {
  if (process.platform !== 'linux') return ''
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  const version = report.header?.glibcVersionRuntime
  return version ? `glibc ${version}` : 'musl'
}

/** Whether this Node runs on musl. The report is slow, so it is asked only where musl's loader is installed at all. */
export function isMusl(): boolean {
  const loader = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string]
  return process.platform === 'linux' && existsSync(`/lib/ld-musl-${loader}.so.1`) && libc() === 'musl'
}

function describeAttempt({ file, reason }: Attempt): string {
  return `  ${file}\n      ${reason}`
}

/** The command that builds the binary from the sources in this folder. */
function buildAdvice(root: string): string[] {
  if (existsSync(join(root, 'tsconfig.json'))) return ['Build it in this checkout: npm run build']
  if (!existsSync(join(root, 'scripts', 'build_native.mjs')))
    return [
      "Copy an installed anneal's prebuilds/ beside the bundle, or set ANNEAL_BINARY to the absolute path of a binary.",
    ]
  return [
    'Build it from the sources in the package (a C++ compiler, and cmake or python3 and make), in your project:\n' +
      '       npm install --no-save node-addon-api cmake-js\n' +
      '       npx anneal build',
    'Or reinstall anneal, if node_modules came from another machine or another version of it.',
  ]
}

function advice(attempts: Attempt[], root: string): string[] {
  const text = attempts.map(a => a.reason).join('\n')
  const steps = []
  if (process.env.ANNEAL_BINARY)
    steps.push('Unset ANNEAL_BINARY, or set it to the absolute path of a binary of this version and platform.')
  if (/ANNEAL_MAX_ISA/.test(text))
    steps.push('Unset ANNEAL_MAX_ISA, or set it to an instruction set that this CPU has.')
  if (/GLIBC_/.test(text))
    steps.push('This system is older than the binary: use a newer one (glibc 2.34 or later), or build here.')
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
  if (major < 20 || (major === 20 && minor < 17)) steps.push('Use Node 20.17 or later.')
  return [...steps, ...buildAdvice(root)]
}

/** The whole message of `ERR_ADDON_LOAD`. */
export function explain(attempts: Attempt[], root: string): string {
  const machine = [
    `Node ${process.versions.node} (Node-API ${process.versions.napi})`,
    [`${process.platform}-${process.arch}`, libc()].filter(Boolean).join(', '),
    cpus()[0]?.model ?? 'unknown CPU',
  ]
  const steps = advice(attempts, root).map((step, i) => `  ${i + 1}. ${step}`)
  return [
    'anneal: expected a native binary for this machine but found none that loads.',
    'Looked for:',
    ...attempts.map(describeAttempt),
    `This is ${machine.join('; ')}.`,
    'What to do:',
    ...steps,
  ].join('\n')
}

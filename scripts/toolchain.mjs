/**
 * What a native build needs from the system: where it is, and what to install when it is missing. Only looks; runs no
 * build. No dependency, so that it also works in an installed package.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'

const windows = process.platform === 'win32'

/** The first of the named programs that is in PATH, as a full path, or undefined. */
export function findProgram(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  for (const name of names) {
    if (name.includes('/') && existsSync(name)) return name
    for (const folder of folders) {
      const file = join(folder, windows ? `${name}.exe` : name)
      if (existsSync(file)) return file
    }
  }
  return undefined
}

/** What a program prints, or '' when it cannot run. */
function output(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}

/** The C++ compiler that the builds will take. On Windows they look for Visual Studio themselves. */
export function findCompiler() {
  if (windows) return 'Visual Studio'
  return findProgram(...[process.env.CXX?.split(' ')[0], 'c++', 'g++', 'clang++'].filter(Boolean))
}

/** Why cmake cannot build here, or '' when it can. */
export function cmakeProblem() {
  const cmake = findProgram('cmake')
  if (!cmake) return 'there is no cmake in PATH'
  const [, major, minor] = /cmake version (\d+)\.(\d+)/.exec(output(cmake, ['--version'])) ?? []
  if (!major) return `${cmake} does not run`
  if (Number(major) * 1000 + Number(minor) < 3019) return `cmake 3.19 or later is needed, ${cmake} is ${major}.${minor}`
  if (!windows && !findProgram('ninja', 'make')) return 'cmake needs make or ninja, and neither is in PATH'
  return ''
}

/** The folder whose include/node holds the headers of this very Node, or undefined. */
export function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath))
  const candidates = [process.env.npm_config_nodedir, prefix, dirname(process.execPath)]
  return candidates.find(folder => folder && existsSync(join(folder, 'include', 'node', 'common.gypi')))
}

/** Why node-gyp cannot build here, or '' when it can. */
export function gypProblem() {
  if (!nodeHeaders()) {
    return `the headers of this Node are not beside it (looked for include/node/common.gypi near ${process.execPath})`
  }
  if (windows) return ''
  const missing = ['python3', 'make'].filter(name => !findProgram(name))
  return missing.length ? `there is no ${missing.join(' and no ')} in PATH` : ''
}

/** A file of an npm package, looked up from this package and then from the folder we were called in. */
export function findPackageFile(root, file) {
  for (const from of [root, process.cwd(), process.env.INIT_CWD].filter(Boolean)) {
    const [scope, ...rest] = file.split('/')
    for (const folder of createRequire(join(from, 'x.js')).resolve.paths(scope) ?? []) {
      const found = join(folder, scope, ...rest)
      if (existsSync(found)) return found
    }
  }
  return undefined
}

/** node-gyp: ours, else the one that comes with npm. */
export function findNodeGyp(root) {
  const npm = process.env.npm_execpath ?? output(findProgram('npm') ?? 'npm', ['root', '-g']).trim()
  const bundled = [join(dirname(npm), '..'), join(npm, 'npm')].map(f =>
    join(f, 'node_modules/node-gyp/bin/node-gyp.js'),
  )
  return findPackageFile(root, 'node-gyp/bin/node-gyp.js') ?? bundled.find(existsSync)
}

/** One row per family of systems: what its /etc/os-release calls itself, and the command that installs a toolchain. */
const installs = [
  [/debian|ubuntu/, 'sudo apt-get install g++ cmake make'],
  [/fedora|rhel|centos/, 'sudo dnf install gcc-c++ cmake make'],
  [/alpine/, 'sudo apk add g++ cmake make linux-headers'],
  [/arch/, 'sudo pacman -S gcc cmake make'],
  [/suse/, 'sudo zypper install gcc-c++ cmake make'],
]

/** The command that installs a compiler and cmake on this system, as advice to a person. */
export function installCommand(platform = process.platform, osRelease = readOsRelease()) {
  if (platform === 'darwin') return 'xcode-select --install && brew install cmake'
  if (windows || platform === 'win32') {
    return 'winget install Kitware.CMake, and the Visual Studio Build Tools with "Desktop development with C++"'
  }
  const id = /^ID=.*$/m.exec(osRelease)?.[0] ?? ''
  const like = /^ID_LIKE=.*$/m.exec(osRelease)?.[0] ?? ''
  const row = installs.find(([name]) => name.test(id)) ?? installs.find(([name]) => name.test(like))
  return row?.[1] ?? "install g++ (or clang++), cmake and make with your system's package manager"
}

function readOsRelease() {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
}

/** This package's own package.json, as far as the commands need it. */

import { readFileSync } from 'node:fs'

export interface PackageJson {
  readonly version: string
  readonly description: string
  readonly bugs: string
  readonly engines: { readonly node: string }
  readonly peerDependencies: Readonly<Record<string, string>>
}

export function readPackage(): PackageJson {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
}

/** Where the package is: sources of drivers and built files are found from there. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The nearest folder with a package.json at or above `from`; default: this file, wherever it was compiled to. */
export function packageRoot(from = dirname(fileURLToPath(import.meta.url))): string {
  if (existsSync(join(from, 'package.json'))) return from
  const parent = dirname(from)
  if (parent === from) throw new Error('bench: expected a package.json above the compiled benches')
  return packageRoot(parent)
}

/** Modules of the package that are not public: kernels have no public face, and a comparison of kernels needs them. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../harness/package_root.js'

/** The compiled module `dist/<name>`; its shape is the caller's promise. */
export function internal<T>(name: string): Promise<T> {
  return import(pathToFileURL(join(packageRoot(), 'dist', name)).href)
}

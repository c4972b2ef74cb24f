/**
 * What is said where an optional peer package is missing. It is imported where it is used, in a try block of its own:
 * bundlers (esbuild, webpack) take only that for a package that may be missing. Not a resolver.
 */

import { AnnealError } from './errors.js'

/** `ERR_MISSING_PACKAGE`, which says which packages to install, with the failure as its cause. */
export function missingPackage(where: string, packages: readonly string[], cause: unknown): AnnealError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
  const message = `${where}: expected ${packages.join(' and ')} to be installed but received "${reason}"`
  return new AnnealError('ERR_MISSING_PACKAGE', `${message}; run: npm install ${packages.join(' ')}`, { cause })
}

/** What `find` finds of packages that are only looked up, without loading them. */
export function requireOptional<T>(where: string, packages: readonly string[], find: () => T): T {
  try {
    return find()
  } catch (cause) {
    throw missingPackage(where, packages, cause)
  }
}

/** Loading of optional peer packages at the moment they are needed. Not a resolver: `load` says where from. */

import { AnnealError } from './errors.js'

/**
 * The module that `load` imports; if that fails, an error that says which packages to install.
 * Throws `AnnealError` `ERR_MISSING_PACKAGE` with the failure as its cause.
 */
export async function importOptional<T>(
  where: string,
  packages: readonly string[],
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw missing(where, packages, cause)
  }
}

function missing(where: string, packages: readonly string[], cause: unknown): AnnealError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
  const message = `${where}: expected ${packages.join(' and ')} to be installed but received "${reason}"`
  return new AnnealError('ERR_MISSING_PACKAGE', `${message}; run: npm install ${packages.join(' ')}`, { cause })
}

/** The same for what is only looked up, without loading it. */
export function requireOptional<T>(where: string, packages: readonly string[], find: () => T): T {
  try {
    return find()
  } catch (cause) {
    throw missing(where, packages, cause)
  }
}

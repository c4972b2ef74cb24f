/** A disk whose nth operation fails. Not a test. */

import type { Disk } from '../../src/io/disk.js'

/** An error code, or `short`: a write that takes no byte. */
export type Fault = 'ENOSPC' | 'EIO' | 'short'

/** The names of the operations so far, in `calls`; operation `at` (from 0) fails without having any effect. */
export function faulty(disk: Disk, at: number, fault: Fault): { disk: Disk; calls: string[] } {
  const calls: string[] = []
  const watched = Object.entries(disk).map(([name, operation]) => [
    name,
    (...args: unknown[]) => {
      const fails = calls.push(name) - 1 === at
      if (fails && fault === 'short' && name === 'write') return 0
      if (fails && fault !== 'short') {
        if (name === 'close') disk.close(args[0] as number) // as Linux does: the descriptor is gone
        throw Object.assign(new Error(`${fault}: injected, ${name}`), { code: fault })
      }
      return (operation as (...args: unknown[]) => unknown)(...args)
    },
  ])
  return { disk: Object.fromEntries(watched), calls }
}

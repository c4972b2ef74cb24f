/**
 * Types of the platform that public declarations name: the platform's own where its types are loaded (DOM or @types/node),
 * else what is needed of them, so that a program with neither compiles. Types only.
 */

type Instance<Name extends string, Else> = typeof globalThis extends Record<Name, { prototype: infer T }> ? T : Else

/** An `AbortSignal`. */
export type Signal = Instance<'AbortSignal', { readonly aborted: boolean; readonly reason: unknown }>

/** A `Float16Array`, which the types of Node 20 and 22 lack: nothing there. */
export type HalfArray = Instance<'Float16Array', never>

/** A `URL`. */
export type Url = Instance<'URL', { readonly href: string }>

/** The type of fixture files that list cases by what they are about. */

// biome-ignore lint/suspicious/noExplicitAny: a case has a field for every function of a library.
export type Cases = Record<string, Record<string, any>[]>

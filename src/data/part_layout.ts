/** How the rows of a stream become batches: its parts, and where the rows of an order lie in them. Not here: reading. */

/** A part of a stream: rows left over by the one before, then new ones. */
export interface PartLayout {
  /** Rows left over by the part before. */
  readonly left: number
  /** The number of its first new row. */
  readonly from: number
  readonly rows: number
  /** The batches of a pass before its own, as rows; and its own: whole batches, of the last part all rows. */
  readonly start: number
  readonly used: number
}

/** The parts of a pass over `length` rows in parts of `partRows`, in batches of `batchSize`. */
export function partLayouts(length: number, partRows: number, batchSize: number): PartLayout[] {
  const layouts: PartLayout[] = []
  let [left, start] = [0, 0]
  for (let from = 0; from < length; from += partRows) {
    const rows = left + Math.min(partRows, length - from)
    const used = from + partRows >= length ? rows : rows - (rows % batchSize)
    layouts.push({ left, from, rows, start, used })
    left = rows - used
    start += used
  }
  return layouts
}

/** The number of the part that row number `row` of a pass's batches is in. */
export function partOf(layouts: readonly PartLayout[], row: number): number {
  return layouts.findLastIndex(({ start }) => start <= row)
}

/** The part to begin reading with, to have another: the one before it where that leaves rows over. */
export function firstToRead(layouts: readonly PartLayout[], part: number): number {
  return layouts[part].left > 0 ? part - 1 : part
}

/** Of an order of a stream's rows, the places of a part's batches within the part, and of the rows that it leaves over. */
export function placesIn(part: PartLayout, order: Int32Array): { batches: Int32Array; leftOver: Int32Array } {
  const { left, from, rows, start, used } = part
  const places = order.slice(start, start + rows)
  for (let i = 0; i < rows; i++) places[i] = i < left ? i : left + places[i] - from
  return { batches: places.subarray(0, used), leftOver: places.slice(used) }
}

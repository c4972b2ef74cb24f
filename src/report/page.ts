/**
 * What callers give every chart and get from it. Apart from chart.ts, whose declarations name Plot's types: a program that
 * compiles against ours need not have Plot installed.
 */

export interface Chart {
  /** A complete SVG file, which may also be put into an HTML page as it stands, next to other charts. */
  svg: string
  /**
   * The same picture as a PNG file, `scale` pixels per unit of the SVG (default 2). Throws `AnnealError`
   * `ERR_MISSING_PACKAGE`, or `ERR_MISSING_FONT` for characters of which no installed font has a picture.
   */
  png(scale?: number): Promise<Uint8Array>
}

export interface ChartPage {
  /** In large type above the chart. */
  title: string
  /** A line under the title, in smaller type. */
  subtitle?: string
  /** Pixels; default 800. */
  width?: number
  /** Pixels; default 450. */
  height?: number
}

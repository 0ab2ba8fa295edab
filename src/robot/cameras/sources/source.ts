/** @file Where a camera's pictures come from. */

/** Where a source puts what comes. It is never waited for, and pictures may be dropped. */
export type Sink = {
  take(jpeg: Uint8Array, received?: number): void
  /** No picture comes at present: a source that can tries again by itself. */
  lost(error: unknown): void
}

/** An opened source; closing it is waited for. */
export type PictureSource = { close(): Promise<void> | void }

/**
 * @file Runs a session without copies of its outputs. onnxruntime-node 1.30 writes an output into the memory that it is
 * given for it, and then copies it into a fresh array for its result, which nobody reads here: 4 MB of gradients a critic
 * step. Its conversion of outputs ends at the first that it cannot convert, with an error that says so; such an output,
 * an empty sequence, stands first. Where a version can convert it, the run is as it was: slower, with the same numbers.
 */
import type ort from 'onnxruntime-node'

/** Name of the output that no array is made of. */
export const NO_RESULT = 'no result'

const UNCONVERTIBLE = /Non tensor type/

/** Everything asked for by `fetches` is in their arrays afterwards. @throws what the runtime throws, if a run fails */
export async function runUncopied(
  session: ort.InferenceSession,
  feeds: ort.InferenceSession.FeedsType,
  fetches: Record<string, ort.Tensor>,
): Promise<void> {
  try {
    await session.run(feeds, { [NO_RESULT]: null, ...fetches })
  } catch (error) {
    if (!UNCONVERTIBLE.test((error as Error).message)) throw error
  }
}

/**
 * @file Models that onnxruntime takes as they are written. To improve one takes it longer than most tests take to run it;
 * what a model computes once improved is held by the tests of graph and nets, and of learner, losses and steps.
 */
import ort from 'onnxruntime-node'
import { afterAll, beforeAll, vi } from 'vitest'

type Create = (...all: unknown[]) => Promise<ort.InferenceSession>

/** onnxruntime's way to open a model, but that it improves nothing. */
export function openAsWritten(): Create {
  const create = ort.InferenceSession.create.bind(ort.InferenceSession) as Create
  return (model, options) => create(model, { ...(options as object), graphOptimizationLevel: 'disabled' })
}

/** For all tests of a file. */
export function takeModelsAsWritten(): void {
  beforeAll(() => {
    const open = openAsWritten() as typeof ort.InferenceSession.create
    vi.spyOn(ort.InferenceSession, 'create').mockImplementation(open)
  })
  afterAll(() => vi.restoreAllMocks())
}

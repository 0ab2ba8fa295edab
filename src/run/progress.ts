/** @file How far a run is, as it is told to whoever shows it. */

/** `done` and `total` are in the unit that the stage names. */
export type Progress = { stage: string; done: number; total: number; note?: string }
export type OnProgress = (progress: Progress) => void

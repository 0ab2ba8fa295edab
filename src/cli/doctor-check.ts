/** @file What `duet doctor` says of one thing that it looked at. */

export type CheckResult = { ok: boolean; warning?: true; found: string } // `warning`: a default run does without

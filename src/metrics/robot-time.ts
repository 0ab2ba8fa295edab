/** @file Robot time: how long a robot has lived, counted in its steps. */

export const CONTROL_RATE = 10 // Hz

/** Robot minutes: time as the robot lives it, whatever the wall clock says. */
export const robotMinutes = (steps: number) => steps / CONTROL_RATE / 60

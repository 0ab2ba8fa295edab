/** @file Robot time: how long a robot has lived, counted in its steps. */

const USUAL_RATE = 10 // Hz, of the workcell, and of all metrics that say no other

/** Robot time: as the robot lives it, whatever the wall clock says. */
export const robotSeconds = (steps: number, rate = USUAL_RATE) => steps / rate
export const robotMinutes = (steps: number, rate = USUAL_RATE) => robotSeconds(steps, rate) / 60
